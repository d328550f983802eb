/**
 * The server object of the application: reads arguments, asks the tables of states, and hands the
 * rest to its current run. Holds the listeners, which outlive runs.
 */

import { closingOf } from './close-codes.js';
import { ACCEPTED, acceptedAfter, deliver, Outcome, type Returned } from './completion.js';
import { serverChannels } from './diagnostics.js';
import {
  BusinessError,
  type ErrorName,
  errorTable,
  fileError,
  parameterError,
  stateError,
} from './errors.js';
import { defaultLimits, type Limits } from './limits.js';
import { portOf } from './listen.js';
import { Listeners } from './listeners.js';
import { Peers } from './peers.js';
import { firstMissing, type Platform } from './platform.js';
import type { Profile } from './profile.js';
import {
  broadcastProblem,
  closeProblem,
  connectionProblem,
  errorCallback,
  pingPayload,
  publishProblem,
  sendProblem,
  startProblem,
  subscribeProblem,
} from './server-arguments.js';
import type {
  WebSocketListenAddress,
  WebSocketListenConfig,
  WebSocketServerConfig,
} from './server-config-types.js';
import { ServerEvents, type ServerSlots, serverEventNames } from './server-events.js';
import { filesOf, readServerConfig } from './server-options.js';
import { isAddress, type ServerPeer } from './server-peer.js';
import { ServerRun } from './server-run.js';
import type { WebSocketServerStats } from './server-stats.js';
import { isStopOptions, PLAIN_STOP, readStopOptions, sumOf } from './server-stop.js';
import type {
  PublishOptions,
  WebSocketConnection,
  WebSocketServer,
  WebSocketServerCertificates,
  WebSocketStopOptions,
  WebSocketStopReport,
} from './server-types.js';
import type { Settings } from './settings.js';
import { peerCalls, type ServerCall, type ServerState, serverCalls } from './state.js';
import type { Surroundings } from './surroundings.js';
import { type Topic, Topics } from './topics.js';
import type { ServerConfig, Transport } from './transport.js';
import type { WebSocketCloseOptions, WebSocketData } from './types.js';
import type { UpgradeHook } from './upgrade-types.js';
import { isObject, isSendable } from './validate.js';

export class WebSocketServerEndpoint implements WebSocketServer {
  readonly #profile: Profile;
  readonly #transport: Transport;
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #listeners: Listeners<ServerSlots>;
  readonly #events: ServerEvents;
  /** The newest last. More than one only where the profile starts a running server again (S12). */
  #runs: ServerRun[] = [];
  /** The connections of the runs; empty without one. */
  #peers = new Peers();
  readonly #topics = new Topics();

  constructor({ profile, transport, platform, settings }: Surroundings) {
    this.#profile = profile;
    this.#transport = transport;
    this.#platform = platform;
    this.#settings = settings;
    this.#listeners = new Listeners(serverEventNames, profile);
    this.#events = new ServerEvents(this.#listeners, profile, this);
  }

  get #run(): ServerRun | undefined {
    return this.#runs.at(-1);
  }

  get #state(): ServerState {
    return this.#run?.state ?? 'idle';
  }

  get port(): number | undefined {
    return this.#run?.port;
  }

  get listening(): readonly WebSocketListenAddress[] {
    return this.#runs.flatMap((run) => run.listening);
  }

  start(config: WebSocketServerConfig | WebSocketListenConfig): Promise<boolean>;
  start(...args: readonly unknown[]): Promise<boolean> {
    const [given] = args;
    const problem = startProblem(args, this.#profile);
    if (problem !== undefined || !isObject(given)) return refuse(parameterError(problem ?? ''));
    const config = readServerConfig(given, this.#profile, this.#platform.hasIpv6);
    const isMalformed =
      config instanceof BusinessError && config.code === errorTable.parameter.code;
    const denied = isMalformed ? undefined : this.#settings.denied();
    if (denied !== undefined) return refuse(denied);
    if (config instanceof BusinessError) return refuse(config);

    const outcome = new Outcome();
    const verdict = this.#maySecond(config) ? 'allowed' : serverCalls[this.#state].start;
    if (verdict !== 'allowed') {
      void this.#rejectAfterFiles(outcome, config, verdict);
    } else {
      const context = {
        profile: this.#profile,
        transport: this.#transport,
        platform: this.#platform,
        events: this.#events,
        topics: this.#topics,
        release: (ended: ServerRun) => {
          this.#runs = this.#runs.filter((run) => run !== ended);
        },
      };
      // A new map for a new run: what the old one's objects named is not here.
      if (this.#runs.length === 0) this.#peers = new Peers();
      const hook = given.onUpgrade as UpgradeHook | undefined;
      const run = new ServerRun(context, config, outcome, this.#peers, hook);
      this.#runs.push(run);
      run.begin();
    }
    return outcome.promise;
  }

  /** netstack starts a running server again on another port; here `stop` stops both (S12). */
  #maySecond(config: ServerConfig): boolean {
    const isOther = portOf(config) !== this.#run?.port;
    return this.#profile.startsAgain && this.#state === 'running' && isOther;
  }

  /**
   * A server that runs already: its own port is occupied, another one is out of the question (S12).
   */
  async #rejectAfterFiles(
    outcome: Outcome,
    config: ServerConfig,
    verdict: ErrorName,
  ): Promise<void> {
    const running = this.#run?.port ?? (this.#run && portOf(this.#run.config));
    const port = portOf(config);
    const name = port !== 0 && port === running ? 'portOccupied' : verdict;
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
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(denied);
    const peer = this.#peers.find(connection);
    if (peer === undefined) return refuse(unknownPeer(connection, 'notConnected'));
    const verdict = peerCalls[peer.state].send;
    if (verdict !== 'allowed') return refuse(closingPeer(peer, verdict));
    const pending = peer.connection.send(data);
    if (pending === undefined) return ACCEPTED;
    if (serverChannels.backPressure.hasSubscribers) void this.#events.heldUp(peer, pending);
    return acceptedAfter(pending);
  }

  close(connection: WebSocketConnection, options?: WebSocketCloseOptions): Promise<boolean>;
  close(...args: readonly unknown[]): Returned {
    const [connection, options] = args;
    const problem = closeProblem(args, this.#profile);
    if (problem !== undefined || !isAddress(connection)) {
      const error = parameterError(problem ?? '');
      return deliver(refuse(error), errorCallback(args, this.#profile));
    }
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(denied);
    const peer = this.#peers.find(connection);
    if (peer === undefined) return refuse(unknownPeer(connection, 'other'));
    const verdict = peerCalls[peer.state].close;
    if (verdict !== 'allowed') return refuse(closingPeer(peer, verdict));

    const { code, reason } = isObject(options) ? options : {};
    const closing = closingOf(code, reason, this.#profile);
    peer.close(closing.code, closing.reason, closing.wireCode);
    return ACCEPTED;
  }

  subscribe(connection: WebSocketConnection, topic: string): Promise<boolean>;
  subscribe(...args: readonly unknown[]): Promise<boolean> {
    const { topicsPerConnection: most = 0 } = this.#limits;
    return this.#changeTopics(args, (peer, topic) =>
      this.#topics.subscribe(peer, topic, most)
        ? undefined
        : stateError('other', `the connection has ${most} topics already`),
    );
  }

  unsubscribe(connection: WebSocketConnection, topic: string): Promise<boolean>;
  unsubscribe(...args: readonly unknown[]): Promise<boolean> {
    return this.#changeTopics(args, (peer, topic) => {
      this.#topics.unsubscribe(peer, topic);
      return undefined;
    });
  }

  #changeTopics(
    args: readonly unknown[],
    change: (peer: ServerPeer, topic: string) => BusinessError | undefined,
  ): Promise<boolean> {
    const [connection, topic] = args;
    const problem = subscribeProblem(args, this.#limits['topicBytes'] ?? 0);
    if (problem !== undefined) return refuse(parameterError(problem));
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(denied);
    const peer = this.#peers.find(connection as WebSocketConnection);
    if (peer === undefined) {
      return refuse(unknownPeer(connection as WebSocketConnection, 'notConnected'));
    }
    const verdict = peerCalls[peer.state].send;
    if (verdict !== 'allowed') return refuse(closingPeer(peer, verdict));
    const error = change(peer, topic as string);
    return error === undefined ? ACCEPTED : refuse(error);
  }

  publish(topic: string, data: WebSocketData, options?: PublishOptions): Promise<boolean>;
  publish(...args: readonly unknown[]): Promise<boolean> {
    const problem = publishProblem(args, this.#limits['topicBytes'] ?? 0, this.#profile);
    if (problem !== undefined) return refuse(parameterError(problem));
    const [name, data, options] = args as [string, WebSocketData, PublishOptions?];
    const { except } = options ?? {};
    return this.#publish(() => this.#topics.find(name), data, except && this.#peers.find(except));
  }

  broadcast(data: WebSocketData): Promise<boolean>;
  broadcast(...args: readonly unknown[]): Promise<boolean> {
    const problem = broadcastProblem(args, this.#profile);
    if (problem !== undefined) return refuse(parameterError(problem));
    const everybody = () => this.#topics.everybody(this.#peers);
    return this.#publish(everybody, args[0] as WebSocketData, undefined);
  }

  #publish(
    find: () => Topic | undefined,
    data: WebSocketData,
    except: ServerPeer | undefined,
  ): Promise<boolean> {
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(denied);
    const verdict = serverCalls[this.#state].publish;
    if (verdict !== 'allowed') return refuse(stateError(verdict, `publish while ${this.#state}`));
    const topic = find();
    if (topic === undefined) return ACCEPTED;
    let pending: Promise<unknown> | undefined;
    for (const publisher of topic.publishers.keys()) {
      const wait = publisher.publish(topic.number, data, except?.connection);
      if (wait !== undefined) pending = pending === undefined ? wait : Promise.all([pending, wait]);
    }
    return pending === undefined ? ACCEPTED : acceptedAfter(pending);
  }

  subscriberCount(topic: string): number {
    return this.#topics.find(topic)?.subscribers ?? 0;
  }

  topics(connection?: WebSocketConnection): string[] {
    if (connection === undefined) return this.#topics.names();
    const peer = isAddress(connection) ? this.#peers.find(connection) : undefined;
    return Array.from(peer?.topics ?? [], ({ name }) => name);
  }

  /** Of the run; without one, those that it would have. */
  get #limits(): Limits {
    return this.#run?.config.limits ?? DEFAULTS;
  }

  bufferedAmount(connection: WebSocketConnection): number;
  bufferedAmount(...args: readonly unknown[]): number {
    const [connection] = args;
    const problem = connectionProblem(args);
    if (problem !== undefined || !isAddress(connection)) throw parameterError(problem ?? '');
    return this.#peers.find(connection)?.connection.queuedBytes() ?? 0;
  }

  pause(connection: WebSocketConnection): Promise<boolean>;
  pause(...args: readonly unknown[]): Promise<boolean> {
    return this.#withPeer('pause', args, connectionProblem(args), (peer) =>
      peer.connection.pause(),
    );
  }

  resume(connection: WebSocketConnection): Promise<boolean>;
  resume(...args: readonly unknown[]): Promise<boolean> {
    return this.#withPeer('pause', args, connectionProblem(args), (peer) =>
      peer.connection.resume(),
    );
  }

  ping(connection: WebSocketConnection, data?: WebSocketData): Promise<boolean>;
  ping(...args: readonly unknown[]): Promise<boolean> {
    const payload = pingPayload(args);
    const problem = typeof payload === 'string' ? payload : undefined;
    return this.#withPeer('send', args, problem, (peer) =>
      peer.connection.ping(payload as Uint8Array),
    );
  }

  terminate(connection: WebSocketConnection): Promise<boolean>;
  terminate(...args: readonly unknown[]): Promise<boolean> {
    return this.#withPeer('terminate', args, connectionProblem(args), (peer) => peer.terminate());
  }

  /** Does something with the connection that the first argument names, if the table allows it. */
  #withPeer(
    call: keyof (typeof peerCalls)['open'],
    [connection]: readonly unknown[],
    problem: string | undefined,
    action: (peer: ServerPeer) => void,
  ): Promise<boolean> {
    if (problem !== undefined || !isAddress(connection))
      return refuse(parameterError(problem ?? ''));
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(denied);
    const peer = this.#peers.find(connection);
    if (peer === undefined) return refuse(unknownPeer(connection, 'other'));
    const verdict = peerCalls[peer.state][call];
    if (verdict !== 'allowed') return refuse(closingPeer(peer, verdict));
    action(peer);
    return ACCEPTED;
  }

  listAllConnections(): Promise<WebSocketConnection[]>;
  listAllConnections(...args: readonly unknown[]): Promise<WebSocketConnection[]> {
    const error = this.#whyNot('list', args);
    return error === undefined
      ? Promise.resolve(this.#peers.sortedAddresses())
      : Promise.reject(error);
  }

  reloadCertificates(certificates?: WebSocketServerCertificates): Promise<boolean>;
  async reloadCertificates(given?: unknown): Promise<boolean> {
    const error = this.#settings.denied() ?? this.#whyNotNow('reload');
    if (error !== undefined) throw error;
    const failure = await this.#run?.reload(given);
    if (failure !== undefined) throw failure;
    return true;
  }

  stop(): Promise<boolean>;
  stop(options: WebSocketStopOptions): Promise<WebSocketStopReport>;
  stop(...args: readonly unknown[]): Promise<boolean | WebSocketStopReport> {
    const options = isStopOptions(args) ? readStopOptions(args[0]) : undefined;
    if (typeof options === 'string') return refuse(parameterError(options));
    const error = this.#whyNot('stop', options === undefined ? args : []);
    if (error !== undefined) return refuse(error);
    const runs = this.#runs;
    const stopped = Promise.all(runs.map((run) => run.stop(options ?? PLAIN_STOP)));
    return stopped.then(() =>
      options === undefined ? true : sumOf(runs.map(({ drained }) => drained)),
    );
  }

  stats(): Promise<WebSocketServerStats> {
    const denied = this.#settings.denied();
    if (denied !== undefined) return refuse(denied);
    const verdict = serverCalls[this.#state].stats;
    if (verdict !== 'allowed') return refuse(stateError(verdict, `stats while ${this.#state}`));
    return (this.#run as ServerRun).stats();
  }

  /** Arguments count as a wrong state here, not as 401 (§3.3). */
  #whyNot(call: 'stop' | 'list', args: readonly unknown[]): BusinessError | undefined {
    const isOmitted = this.#profile.undefinedIsOmitted && args.every((arg) => arg === undefined);
    if (args.length > 0 && !isOmitted) {
      return stateError('other', `expected no arguments, received ${args.length}`);
    }
    const denied = this.#settings.denied();
    if (denied !== undefined) return denied;
    return this.#whyNotNow(call);
  }

  #whyNotNow(call: ServerCall): BusinessError | undefined {
    const verdict = serverCalls[this.#state][call];
    return verdict === 'allowed' ? undefined : stateError(verdict, `${call} while ${this.#state}`);
  }

  on(...args: readonly unknown[]): void {
    this.#listeners.add(args);
    for (const run of this.#runs) run.watchControlFrames();
  }

  off(...args: readonly unknown[]): void {
    this.#listeners.remove(args);
    for (const run of this.#runs) run.watchControlFrames();
  }
}

const DEFAULTS = defaultLimits('server');

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
