/**
 * One run of a server, from an accepted `start` to the end of `stop`: the listener, its connections
 * and what becomes of both. The object of the application, which outlives it, is in
 * `web-socket-server.ts`.
 */

import { Outcome } from './completion.js';
import {
  type BusinessError,
  businessError,
  failureError,
  fileError,
  parameterError,
  startErrorName,
  stateError,
} from './errors.js';
import { boundAddresses } from './listen.js';
import type { Peers } from './peers.js';
import { firstMissing, type Platform } from './platform.js';
import type { Profile } from './profile.js';
import type { WebSocketListenAddress } from './server-config-types.js';
import type { ServerEvents } from './server-events.js';
import { filesOf } from './server-options.js';
import { PLAIN, ServerPeer, toRequest, UNKNOWN } from './server-peer.js';
import { nowUs, toServerStats, type WebSocketServerStats } from './server-stats.js';
import { PLAIN_STOP, type Stopping } from './server-stop.js';
import { filesOfTls, readReplacement } from './server-tls.js';
import type { ServerState } from './state.js';
import type { Topics } from './topics.js';
import type {
  AcceptedDetails,
  CloseInfo,
  Connection,
  DrainReport,
  EngineFailure,
  Listener,
  Message,
  ServerConfig,
  ServerConnectionHandler,
  ServerHandler,
  TlsConfig,
  Transport,
  UpgradeAnswer,
  UpgradeInfo,
} from './transport.js';
import { HOOK_FAILED, Upgrades } from './upgrade.js';
import type { UpgradeHook } from './upgrade-types.js';

/** What a run needs from the object it belongs to. */
export interface ServerContext {
  readonly profile: Profile;
  readonly transport: Transport;
  readonly platform: Platform;
  readonly events: ServerEvents;
  readonly topics: Topics;
  /** The run is over; the object may start again. */
  release(run: ServerRun): void;
}

export class ServerRun implements ServerHandler {
  state: Exclude<ServerState, 'idle'> = 'starting';
  readonly peers: Peers;
  readonly config: ServerConfig;
  /** The port that it listens on, once it does. */
  port: number | undefined;
  /** As it is now. */
  tls: TlsConfig | undefined;
  /** Where it listens, while it does. */
  listening: readonly WebSocketListenAddress[] = [];
  /** What became of its connections, if it was drained. */
  drained: DrainReport | undefined;
  readonly #context: ServerContext;
  readonly #started: Outcome;
  readonly #upgrades: Upgrades | undefined;
  #stopped: Outcome | undefined;
  #stopping: Stopping = PLAIN_STOP;
  #listener: Listener | undefined;
  #watched = { pings: false, pongs: false };
  #reloading: Promise<unknown> = Promise.resolve();

  /**
   * `outcome` is that of the `start` call; `peers` is where its connections are kept; `hook` decides on
   * requests, if the configuration has it.
   */
  constructor(
    context: ServerContext,
    config: ServerConfig,
    outcome: Outcome,
    peers: Peers,
    hook?: UpgradeHook,
  ) {
    this.#context = context;
    this.peers = peers;
    this.config = config;
    this.tls = config.tls;
    this.#started = outcome;
    this.#upgrades = hook === undefined ? undefined : new Upgrades(hook, this);
  }

  /** Starts. Reaches the engine before it returns, if there are no files to look for. */
  begin(): void {
    if (filesOf(this.config).length === 0) this.#launch();
    else void this.#prepare();
  }

  async #prepare(): Promise<void> {
    const missing = await firstMissing(filesOf(this.config), this.#context.platform);
    if (missing === undefined) this.#launch();
    else this.#refuse(fileError(missing));
  }

  #launch(): void {
    try {
      this.#listener = this.#context.transport.listen(this.config, this);
      this.watchControlFrames();
    } catch (error) {
      // The engine could not even be loaded. No call throws, so this is a rejection like any other.
      this.#refuse(businessError('other', { phase: 'listen', errno: '', detail: String(error) }));
    }
  }

  /** Tells the engine which control frames the listeners of the application want. */
  watchControlFrames(): void {
    const { pings, pongs } = this.#context.events.watched;
    if (pings === this.#watched.pings && pongs === this.#watched.pongs) return;
    this.#watched = { pings, pongs };
    this.#listener?.watch(pings, pongs);
  }

  #refuse(error: BusinessError): void {
    this.#context.release(this);
    this.#started.reject(error);
    this.#stopped?.reject(stateError('other', 'the server did not start'));
  }

  /** Stops, as soon as it has started. */
  stop(stopping: Stopping): Promise<boolean> {
    const isRunning = this.state === 'running';
    this.state = 'stopping';
    this.#stopping = stopping;
    this.#stopped = new Outcome();
    if (isRunning) this.#stopListening();
    return this.#stopped.promise;
  }

  /** Takes other certificates. Gives the error if it cannot. */
  reload(given: unknown): Promise<BusinessError | undefined> {
    // One after the other: each begins with what the one before has left.
    const reloaded = this.#reloading.then(() => this.#reload(given));
    this.#reloading = reloaded;
    return reloaded;
  }

  async #reload(given: unknown): Promise<BusinessError | undefined> {
    const { tls: now } = this;
    if (now === undefined) return stateError('other', 'the server does not serve TLS');
    const tls = readReplacement(given, now);
    if (typeof tls === 'string') return parameterError(tls);
    const missing = await firstMissing(filesOfTls(tls), this.#context.platform);
    if (missing !== undefined) return fileError(missing);
    const outcome =
      (await this.#listener?.prepareReload(tls)) ?? (await this.#listener?.endReload(true));
    if (outcome === 'gone') return stateError('other', 'the server has stopped');
    if (outcome !== undefined) {
      return failureError(startErrorName(outcome, this.#context.profile), outcome);
    }
    this.tls = tls;
    return undefined;
  }

  #stopListening(): void {
    for (const peer of this.peers) peer.state = 'closing';
    const { code, reason, drainMs } = this.#stopping;
    this.#listener?.stop(code, reason, drainMs);
  }

  /** Rejects with 2302999 if the run is over before the engine could tell. */
  async stats(): Promise<WebSocketServerStats> {
    const askedUs = nowUs();
    const flat = await this.#listener?.stats();
    if (flat === undefined) throw stateError('other', 'the server has stopped');
    return toServerStats(flat, askedUs, nowUs());
  }

  onStarted(ports: readonly number[], failure: EngineFailure | undefined): void {
    if (failure !== undefined) {
      this.#refuse(failureError(startErrorName(failure, this.#context.profile), failure));
      return;
    }
    this.listening = boundAddresses(this.config.listen, ports);
    this.port = ports.find((port) => port !== 0);
    this.#started.accept();
    if (this.#stopped === undefined) this.state = 'running';
    else this.#stopListening();
  }

  onUpgrade(request: UpgradeInfo): void {
    this.#upgrades?.ask(request);
  }

  onUpgradeEnded(id: number): void {
    this.#upgrades?.ended(id);
  }

  /** The hook has failed; for `Upgrades`. */
  failed(request: UpgradeInfo, error: unknown): void {
    const why = `onUpgrade failed: ${error instanceof Error ? error.message : String(error)}`;
    this.#context.events.refused(request.remoteAddress, HOOK_FAILED, why);
  }

  /** For `Upgrades`. */
  answer(id: number, answer: UpgradeAnswer): void {
    this.#listener?.answerUpgrade(id, answer);
  }

  onAccepted(
    connection: Connection,
    ip: string,
    port: number,
    details: AcceptedDetails | undefined,
    certificate?: Uint8Array,
  ): ServerConnectionHandler {
    const state = this.state === 'stopping' ? 'closing' : 'open';
    const usual = this.#context.profile.hasGateway ? PLAIN : UNKNOWN;
    const request = details === undefined ? usual : toRequest(details);
    const peer = new ServerPeer(connection, { ip, port, state, request }, this);
    this.peers.add(peer);
    const upgradeId = details?.upgradeId;
    if (upgradeId !== undefined) peer.data = this.#upgrades?.take(upgradeId);
    if (certificate !== undefined) peer.showCertificate(certificate);
    this.#context.topics.joined(peer);
    this.#context.events.connected(peer);
    return peer;
  }

  onPeerMessage(peer: ServerPeer, data: Message): void {
    this.#context.events.message(data, peer.address);
  }

  onPeerClosed(peer: ServerPeer, close: CloseInfo): void {
    this.peers.delete(peer);
    this.#context.topics.left(peer);
    this.#context.events.closed(peer, close);
  }

  onPeerDrained(peer: ServerPeer): void {
    this.#context.events.drained(peer.address);
  }

  onPeerPing(peer: ServerPeer, data: ArrayBuffer): void {
    this.#context.events.ping(peer.address, data);
  }

  onPeerPong(peer: ServerPeer, data: ArrayBuffer): void {
    this.#context.events.pong(peer.address, data);
  }

  onRefused(ip: string, httpStatus: number, detail: string): void {
    this.#context.events.refused(ip, httpStatus, detail);
  }

  onStopped(report?: DrainReport): void {
    this.#upgrades?.end();
    this.port = undefined;
    this.listening = [];
    this.drained = report;
    this.#context.release(this);
    this.#stopped?.accept();
  }
}
