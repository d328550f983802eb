/**
 * The client object of the application: reads arguments, asks the table of states, and hands the
 * rest to its current connection. Holds the listeners, which outlive connections.
 */

import { closeShape, connectShape, parseCall, sendShape } from './call-arguments.js';
import { ClientConnection } from './client-connection.js';
import { ClientEvents, type ClientSlots, clientEventNames } from './client-events.js';
import type { WebSocket, WebSocketRequestOptions } from './client-types.js';
import { closingOf } from './close-codes.js';
import {
  ACCEPTED,
  acceptedAfter,
  type Completer,
  deliver,
  Outcome,
  type Returned,
} from './completion.js';
import { BusinessError, fileError, parameterError, stateError } from './errors.js';
import { Listeners } from './listeners.js';
import {
  type ConnectOptions,
  type ConnectRequest,
  filesOf,
  makeRequest,
  readOptions,
} from './options.js';
import { firstMissing, type Platform } from './platform.js';
import type { Profile } from './profile.js';
import type { Settings } from './settings.js';
import { type ClientState, clientCalls } from './state.js';
import type { Surroundings } from './surroundings.js';
import type { Transport } from './transport.js';
import type { AsyncCallback, WebSocketCloseOptions, WebSocketData } from './types.js';
import { isSendable, mismatch, whyNotSendable } from './validate.js';

export class WebSocketClient implements WebSocket {
  readonly #profile: Profile;
  readonly #transport: Transport;
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #listeners: Listeners<ClientSlots>;
  readonly #events: ClientEvents;
  #connection: ClientConnection | undefined;

  constructor({ profile, transport, platform, settings }: Surroundings) {
    this.#profile = profile;
    this.#transport = transport;
    this.#platform = platform;
    this.#settings = settings;
    this.#listeners = new Listeners(clientEventNames, profile);
    this.#events = new ClientEvents(this.#listeners, profile);
  }

  get #state(): ClientState {
    return this.#connection === undefined ? 'idle' : this.#connection.state;
  }

  connect(url: string, options?: WebSocketRequestOptions): Promise<boolean>;
  connect(url: string, callback: AsyncCallback<boolean>): void;
  connect(
    url: string,
    options: WebSocketRequestOptions | undefined,
    callback: AsyncCallback<boolean>,
  ): void;
  connect(...args: readonly unknown[]): Returned {
    const { callback, options, problem } = parseCall(args, connectShape, this.#profile);
    const [url] = args;
    if (typeof url !== 'string') {
      return refuse(callback, parameterError(mismatch('url', 'a string', url)));
    }
    if (problem !== undefined) return refuse(callback, parameterError(problem));
    const read = readOptions(options, this.#profile, this.#settings.netstackTls);
    if (typeof read === 'string') return refuse(callback, parameterError(read));
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(callback, denied);
    return this.#connectTo(url, read, callback);
  }

  #connectTo(url: string, options: ConnectOptions, callback: Completer): Returned {
    const outcome = new Outcome();
    const verdict = clientCalls[this.#state].connect;
    const request = makeRequest(url, options, this.#profile, this.#platform.readVariable);
    const denied = this.#domainDenied(request);
    if (denied !== undefined) return refuse(callback, denied);
    if (verdict !== 'allowed') {
      const error = stateError(verdict, `connect while ${this.#state}`);
      void this.#rejectAfterFiles(outcome, options, error);
    } else if (request instanceof BusinessError) {
      void this.#rejectAfterFiles(outcome, options, request);
    } else {
      // Taken before anything is awaited: of two calls in one tick the second must find it (C31).
      const context = {
        profile: this.#profile,
        transport: this.#transport,
        platform: this.#platform,
        events: this.#events,
        release: () => {
          this.#connection = undefined;
        },
      };
      this.#connection = new ClientConnection(context, request, outcome);
      this.#connection.begin();
    }
    return deliver(outcome.promise, callback);
  }

  /** The check of the domain, which comes first (§2.2). */
  #domainDenied(request: ConnectRequest | BusinessError): BusinessError | undefined {
    return request instanceof BusinessError
      ? undefined
      : this.#settings.domainDenied(request.target.hostname);
  }

  /** The check of the files comes before those of the state and of the URL (§2.2). */
  async #rejectAfterFiles(
    outcome: Outcome,
    options: ConnectOptions,
    error: BusinessError,
  ): Promise<void> {
    const missing = await firstMissing(filesOf(options), this.#platform);
    outcome.reject(missing === undefined ? error : fileError(missing));
  }

  send(data: WebSocketData): Promise<boolean>;
  send(data: WebSocketData, callback: AsyncCallback<boolean>): void;
  send(data: unknown, ...rest: readonly unknown[]): Returned {
    // The way of every message: one argument, no callback to look for.
    return rest.length === 0 && isSendable(data, this.#profile.acceptsViews)
      ? this.#post(data, undefined)
      : this.#sendWith([data, ...rest]);
  }

  #sendWith(args: readonly unknown[]): Returned {
    const [data] = args;
    const { acceptsViews } = this.#profile;
    const { callback, problem } = parseCall(args, sendShape, this.#profile);
    if (!isSendable(data, acceptsViews)) {
      return refuse(callback, parameterError(whyNotSendable(data, acceptsViews)));
    }
    if (problem !== undefined) return refuse(callback, parameterError(problem));
    return this.#post(data, callback);
  }

  #post(data: WebSocketData, callback: Completer): Returned {
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(callback, denied);
    const connection = this.#connection;
    const verdict = clientCalls[this.#state].send;
    if (verdict !== 'allowed' || connection === undefined) {
      const name = verdict === 'allowed' ? 'notConnected' : verdict;
      return refuse(callback, stateError(name, `send while ${this.#state}`));
    }
    const pending = connection.send(data);
    return deliver(pending === undefined ? ACCEPTED : acceptedAfter(pending), callback);
  }

  close(options?: WebSocketCloseOptions): Promise<boolean>;
  close(callback: AsyncCallback<boolean>): void;
  close(options: WebSocketCloseOptions | undefined, callback: AsyncCallback<boolean>): void;
  close(...args: readonly unknown[]): Returned {
    const { callback, options, problem } = parseCall(args, closeShape, this.#profile);
    if (problem !== undefined) return refuse(callback, parameterError(problem));
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(callback, denied);

    const verdict = clientCalls[this.#state].close;
    if (verdict !== 'allowed') {
      return refuse(callback, stateError(verdict, `close while ${this.#state}`));
    }
    this.#connection?.close(closingOf(options.code, options.reason, this.#profile));
    return deliver(ACCEPTED, callback);
  }

  on(...args: readonly unknown[]): void {
    this.#listeners.add(args);
  }

  off(...args: readonly unknown[]): void {
    this.#listeners.remove(args);
  }
}

function refuse(callback: Completer, error: BusinessError): Returned {
  return deliver(Promise.reject(error), callback);
}
