/**
 * The client object of the application: reads arguments, asks the table of states, and hands the rest
 * to its current connection. Holds the listeners, which outlive connections.
 */

import { type Call, closeShape, connectShape, parseCall, sendShape } from './call-arguments.js';
import { ClientConnection } from './client-connection.js';
import { ClientEvents, type ClientSlots, clientEventNames } from './client-events.js';
import type { WebSocket, WebSocketRequestOptions } from './client-types.js';
import { closingOf } from './close-codes.js';
import {
  accept,
  acceptAfter,
  type Completer,
  Completion,
  type Returned,
  reject,
} from './completion.js';
import { BusinessError, fileError, parameterError, stateError } from './errors.js';
import { Listeners } from './listeners.js';
import { type ConnectOptions, filesOf, makeRequest, readOptions } from './options.js';
import { firstMissing, type Platform } from './platform.js';
import type { Profile } from './profile.js';
import { type ClientState, clientCalls } from './state.js';
import type { Transport } from './transport.js';
import type { AsyncCallback, WebSocketCloseOptions, WebSocketData } from './types.js';
import { isSendable, mismatch, whyNotSendable } from './validate.js';

export class WebSocketClient implements WebSocket {
  readonly #profile: Profile;
  readonly #transport: Transport;
  readonly #platform: Platform;
  readonly #listeners: Listeners<ClientSlots>;
  readonly #events: ClientEvents;
  #connection: ClientConnection | undefined;

  constructor(profile: Profile, transport: Transport, platform: Platform) {
    this.#profile = profile;
    this.#transport = transport;
    this.#platform = platform;
    this.#listeners = new Listeners(clientEventNames, profile);
    this.#events = new ClientEvents(this.#listeners, profile);
  }

  get #state(): ClientState {
    return this.#connection === undefined ? 'idle' : this.#connection.state;
  }

  connect(url: string, options?: WebSocketRequestOptions): Promise<boolean>;
  connect(url: string, callback: AsyncCallback<boolean>): void;
  connect(url: string, options: WebSocketRequestOptions, callback: AsyncCallback<boolean>): void;
  connect(...args: readonly unknown[]): Returned {
    const { callback, options, problem } = parseCall(args, connectShape, this.#profile);
    const [url] = args;
    if (typeof url !== 'string') {
      return reject(callback, parameterError(mismatch('url', 'a string', url)));
    }
    if (problem !== undefined) return reject(callback, parameterError(problem));
    const read = readOptions(options, this.#profile);
    if (typeof read === 'string') return reject(callback, parameterError(read));
    return this.#connectTo(url, read, callback);
  }

  #connectTo(url: string, options: ConnectOptions, callback: Completer): Returned {
    const completion = new Completion(callback);
    const verdict = clientCalls[this.#state].connect;
    const request = makeRequest(url, options, this.#profile);
    if (verdict !== 'allowed') {
      const error = stateError(verdict, `connect while ${this.#state}`);
      void this.#rejectAfterFiles(completion, options, error);
    } else if (request instanceof BusinessError) {
      void this.#rejectAfterFiles(completion, options, request);
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
      this.#connection = new ClientConnection(context, request, completion);
      this.#connection.begin();
    }
    return completion.returned;
  }

  /** The check of the files comes before those of the state and of the URL (§2.2). */
  async #rejectAfterFiles(
    completion: Completion,
    options: ConnectOptions,
    error: BusinessError,
  ): Promise<void> {
    const missing = await firstMissing(filesOf(options), this.#platform);
    completion.reject(missing === undefined ? error : fileError(missing));
  }

  send(data: WebSocketData): Promise<boolean>;
  send(data: WebSocketData, callback: AsyncCallback<boolean>): void;
  send(...args: readonly unknown[]): Returned {
    const [data] = args;
    // With one argument there is no callback to look for: this is the way of every message.
    const { callback, problem } =
      args.length === 1 ? dataOnly : parseCall(args, sendShape, this.#profile);
    const { acceptsViews } = this.#profile;
    if (!isSendable(data, acceptsViews)) {
      return reject(sendCallback(args, callback), parameterError(whyNotSendable(data, acceptsViews)));
    }
    if (problem !== undefined) return reject(callback, parameterError(problem));

    const verdict = clientCalls[this.#state].send;
    if (verdict !== 'allowed' || this.#connection === undefined) {
      const name = verdict === 'allowed' ? 'notConnected' : verdict;
      return reject(callback, stateError(name, `send while ${this.#state}`));
    }
    const pending = this.#connection.send(data);
    return pending === undefined ? accept(callback) : acceptAfter(callback, pending);
  }

  close(options?: WebSocketCloseOptions): Promise<boolean>;
  close(callback: AsyncCallback<boolean>): void;
  close(options: WebSocketCloseOptions, callback: AsyncCallback<boolean>): void;
  close(...args: readonly unknown[]): Returned {
    const { callback, options, problem } = parseCall(args, closeShape, this.#profile);
    if (problem !== undefined) return reject(callback, parameterError(problem));

    const verdict = clientCalls[this.#state].close;
    if (verdict !== 'allowed') {
      return reject(callback, stateError(verdict, `close while ${this.#state}`));
    }
    this.#connection?.close(closingOf(options.code, options.reason, this.#profile));
    return accept(callback);
  }

  on(...args: readonly unknown[]): void {
    this.#listeners.add(args);
  }

  off(...args: readonly unknown[]): void {
    this.#listeners.remove(args);
  }
}

const dataOnly: Call = { callback: undefined, options: {}, problem: undefined };

