/**
 * The server object of the application: reads arguments, asks the tables of states, and hands the
 * rest to its current run. Holds the listeners, which outlive runs.
 */

import { closingOf } from './close-codes.js';
import { ACCEPTED, acceptedAfter, deliver, Outcome, type Returned } from './completion.js';
import { BusinessError, type ErrorName, fileError, parameterError, stateError } from './errors.js';
import { Listeners } from './listeners.js';
import { firstMissing, type Platform } from './platform.js';
import type { Profile } from './profile.js';
import { closeProblem, errorCallback, sendProblem, startProblem } from './server-arguments.js';
import { ServerEvents, type ServerSlots, serverEventNames } from './server-events.js';
import { filesOf, readServerConfig } from './server-options.js';
import {
  findPeer,
  isAddress,
  type PeerMap,
  type ServerPeer,
  sortedAddresses,
} from './server-peer.js';
import { ServerRun } from './server-run.js';
import type {
  WebSocketConnection,
  WebSocketServer,
  WebSocketServerConfig,
} from './server-types.js';
import { peerCalls, type ServerState, serverCalls } from './state.js';
import type { ServerConfig, Transport } from './transport.js';
import type { WebSocketCloseOptions, WebSocketData } from './types.js';
import { isObject, isSendable } from './validate.js';

export class WebSocketServerEndpoint implements WebSocketServer {
  readonly #profile: Profile;
  readonly #transport: Transport;
  readonly #platform: Platform;
  readonly #listeners: Listeners<ServerSlots>;
  readonly #events: ServerEvents;
  #run: ServerRun | undefined;
  /** The connections of the run; empty without one. */
  #peers: PeerMap = new Map();

  constructor(profile: Profile, transport: Transport, platform: Platform) {
    this.#profile = profile;
    this.#transport = transport;
    this.#platform = platform;
    this.#listeners = new Listeners(serverEventNames, profile);
    this.#events = new ServerEvents(this.#listeners, profile);
  }

  get #state(): ServerState {
    return this.#run === undefined ? 'idle' : this.#run.state;
  }

  get port(): number | undefined {
    return this.#run?.port;
  }

  start(config: WebSocketServerConfig): Promise<boolean>;
  start(...args: readonly unknown[]): Promise<boolean> {
    const [given] = args;
    const problem = startProblem(args, this.#profile);
    if (problem !== undefined || !isObject(given)) return refuse(parameterError(problem ?? ''));
    const config = readServerConfig(given, this.#profile);
    if (config instanceof BusinessError) return refuse(config);

    const outcome = new Outcome();
    const verdict = serverCalls[this.#state].start;
    if (verdict !== 'allowed') {
      void this.#rejectAfterFiles(outcome, config, verdict);
    } else {
      const context = {
        profile: this.#profile,
        transport: this.#transport,
        platform: this.#platform,
        events: this.#events,
        release: () => {
          this.#run = undefined;
        },
      };
      const run = new ServerRun(context, config, outcome);
      this.#run = run;
      this.#peers = run.peers;
      run.begin();
    }
    return outcome.promise;
  }

  /**
   * A server that runs already: its own port is occupied, another one is out of the question (S12).
   */
  async #rejectAfterFiles(
    outcome: Outcome,
    config: ServerConfig,
    verdict: ErrorName,
  ): Promise<void> {
    const running = this.#run?.port ?? this.#run?.config.port;
    const name = config.port !== 0 && config.port === running ? 'portOccupied' : verdict;
    const error = stateError(name, `start while ${this.#state}`);
    const missing = await firstMissing(filesOf(config), this.#platform);
    outcome.reject(missing === undefined ? error : fileError(missing));
  }

  send(data: WebSocketData, connection: WebSocketConnection): Promise<boolean>;
  send(data: unknown, connection: unknown, ...rest: readonly unknown[]): Promise<boolean> {
    const isValid = isSendable(data, this.#profile.acceptsViews) && isAddress(connection);
    if (!isValid || rest.length !== 0) {
      const args = [data, connection, ...rest];
      return refuse(parameterError(sendProblem(args, this.#profile) ?? ''));
    }
    const peer = findPeer(connection, this.#peers);
    if (peer === undefined) return refuse(unknownPeer(connection, 'notConnected'));
    const verdict = peerCalls[peer.state].send;
    if (verdict !== 'allowed') return refuse(closingPeer(peer, verdict));
    const pending = peer.connection.send(data);
    return pending === undefined ? ACCEPTED : acceptedAfter(pending);
  }

  close(connection: WebSocketConnection, options?: WebSocketCloseOptions): Promise<boolean>;
  close(...args: readonly unknown[]): Returned {
    const [connection, options] = args;
    const problem = closeProblem(args, this.#profile);
    if (problem !== undefined || !isAddress(connection)) {
      const error = parameterError(problem ?? '');
      return deliver(refuse(error), errorCallback(args, this.#profile));
    }
    const peer = findPeer(connection, this.#peers);
    if (peer === undefined) return refuse(unknownPeer(connection, 'other'));
    const verdict = peerCalls[peer.state].close;
    if (verdict !== 'allowed') return refuse(closingPeer(peer, verdict));

    const { code, reason } = isObject(options) ? options : {};
    const closing = closingOf(code, reason, this.#profile);
    peer.state = 'closing';
    peer.connection.close(closing.code, closing.reason, closing.wireCode);
    return ACCEPTED;
  }

  listAllConnections(): Promise<WebSocketConnection[]>;
  listAllConnections(...args: readonly unknown[]): Promise<WebSocketConnection[]> {
    const error = this.#whyNot('list', args);
    return error === undefined
      ? Promise.resolve(sortedAddresses(this.#peers))
      : Promise.reject(error);
  }

  stop(): Promise<boolean>;
  stop(...args: readonly unknown[]): Promise<boolean> {
    const error = this.#whyNot('stop', args);
    return error === undefined && this.#run !== undefined
      ? this.#run.stop()
      : refuse(error ?? stateError('other', 'not running'));
  }

  /** Arguments count as a wrong state here, not as 401 (§3.3). */
  #whyNot(call: 'stop' | 'list', args: readonly unknown[]): BusinessError | undefined {
    const isOmitted = this.#profile.undefinedIsOmitted && args.every((arg) => arg === undefined);
    if (args.length > 0 && !isOmitted) {
      return stateError('other', `expected no arguments, received ${args.length}`);
    }
    const verdict = serverCalls[this.#state][call];
    return verdict === 'allowed' ? undefined : stateError(verdict, `${call} while ${this.#state}`);
  }

  on(...args: readonly unknown[]): void {
    this.#listeners.add(args);
  }

  off(...args: readonly unknown[]): void {
    this.#listeners.remove(args);
  }
}

function refuse(error: BusinessError): Promise<never> {
  return Promise.reject(error);
}

/** No connection of this address. An empty one gets another error (§3.3). */
function unknownPeer(
  { clientIP, clientPort }: WebSocketConnection,
  ofEmpty: 'notConnected' | 'other',
): BusinessError {
  const name = clientIP === '' ? ofEmpty : 'noSuchConnection';
  return stateError(name, `no connection of ${clientIP}:${clientPort}`);
}

function closingPeer({ ip, port }: ServerPeer, verdict: ErrorName): BusinessError {
  return stateError(verdict, `the connection of ${ip}:${port} is closing`);
}
