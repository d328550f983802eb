/**
 * A server of several threads: its listeners, one in each of its engines, on the same ports (`SO_REUSEPORT`),
 * which are one listener for whoever asked for it.
 */

import { randomUUID } from 'node:crypto';
import { type EngineStats, sumOfStats } from './server-stats.js';
import { sumOf } from './server-stop.js';
import type {
  DrainReport,
  EngineFailure,
  HoldingListener,
  ListenAddress,
  Listener,
  ServerConfig,
  ServerConnectionHandler,
  ServerHandler,
  TlsConfig,
  UpgradeAnswer,
} from './transport.js';

/** What it needs of an engine. */
export interface ListeningEngine {
  listen(config: ServerConfig, handler: ServerHandler): HoldingListener;
}

export class ThreadedListener implements Listener {
  readonly #config: ServerConfig;
  readonly #handler: ServerHandler;
  readonly #threads: number;
  /** By thread; those that could not listen are gone. */
  readonly #listeners: HoldingListener[] = [];
  #failed = 0;
  /** Listeners that have to answer before the next step. */
  #awaited = 1;
  #ports: readonly number[] = [];
  #failure: EngineFailure | undefined;
  #watched: readonly [pings: boolean, pongs: boolean] = [false, false];
  readonly #reports: DrainReport[] = [];

  constructor(engines: readonly ListeningEngine[], config: ServerConfig, handler: ServerHandler) {
    this.#config = sharedAmong(config);
    this.#handler = handler;
    this.#threads = engines.length;
    const [first, ...others] = engines as [ListeningEngine, ...ListeningEngine[]];
    this.#listenIn(first, this.#config, (ports) => {
      this.#ports = ports;
      this.#awaited = others.length;
      const listen = onPorts(this.#config.listen, ports);
      for (const engine of others) {
        this.#listenIn(engine, { ...this.#config, listen }, () => this.#oneStarted());
      }
    });
  }

  #listenIn(
    engine: ListeningEngine,
    config: ServerConfig,
    onStarted: (ports: readonly number[]) => void,
  ): void {
    const handler = this.#handler;
    const thread = this.#listeners.length;
    // Each thread numbers its requests from one.
    const ours = (id: number) => id * this.#threads + thread;
    const listener = engine.listen(config, {
      onStarted: (ports, failure) => {
        if (failure === undefined) {
          onStarted(ports);
        } else {
          this.#failed += 1;
          this.#failure = failure;
          this.#oneStarted();
        }
      },
      onUpgrade: (request) => handler.onUpgrade({ ...request, id: ours(request.id) }),
      onUpgradeEnded: (id) => handler.onUpgradeEnded(ours(id)),
      onAccepted: (connection, ip, port, details, certificate): ServerConnectionHandler => {
        const { upgradeId } = details ?? {};
        const told =
          details === undefined || upgradeId === undefined
            ? details
            : { ...details, upgradeId: ours(upgradeId) };
        return handler.onAccepted(connection, ip, port, told, certificate);
      },
      onRefused: (ip, httpStatus, detail) => handler.onRefused(ip, httpStatus, detail),
      onStopped: (report) => this.#oneStopped(report),
    });
    listener.watch(...this.#watched);
    this.#listeners.push(listener);
  }

  /** Whatever became of it. With one that failed, all have. */
  #oneStarted(): void {
    this.#awaited -= 1;
    if (this.#awaited > 0) return;
    if (this.#failure === undefined) {
      for (const listener of this.#listeners) listener.accept();
      this.#handler.onStarted(this.#ports, undefined);
    } else if (this.#failed === this.#listeners.length) this.#handler.onStarted([], this.#failure);
    else this.stop(1001, '');
  }

  #oneStopped(report: DrainReport | undefined): void {
    if (report !== undefined) this.#reports.push(report);
    this.#awaited -= 1;
    if (this.#awaited > 0) return;
    if (this.#failure !== undefined) this.#handler.onStarted([], this.#failure);
    else this.#handler.onStopped(this.#reports.length === 0 ? undefined : sumOf(this.#reports));
  }

  stop(code: number, reason: string, drainMs?: number): void {
    this.#awaited = this.#listeners.length - this.#failed;
    for (const listener of this.#listeners) listener.stop(code, reason, drainMs);
  }

  /** All or none: files may change, or memory run out, between two of them. */
  async prepareReload(tls: TlsConfig): Promise<EngineFailure | 'gone' | undefined> {
    const prepared: Listener[] = [];
    for (const listener of this.#listeners) {
      const problem = await listener.prepareReload(tls);
      if (problem !== undefined) {
        await Promise.all(prepared.map((each) => each.endReload(false)));
        return problem;
      }
      prepared.push(listener);
    }
    return undefined;
  }

  async endReload(take: boolean): Promise<EngineFailure | 'gone' | undefined> {
    const ended = await Promise.all(this.#listeners.map((each) => each.endReload(take)));
    return ended.find((problem) => problem !== undefined);
  }

  async stats(): Promise<EngineStats | undefined> {
    const stats = await Promise.all(this.#listeners.map((listener) => listener.stats()));
    const known = stats.filter((each) => each !== undefined);
    return known.length < stats.length ? undefined : sumOfStats(known);
  }

  answerUpgrade(id: number, answer: UpgradeAnswer): void {
    this.#listeners[id % this.#threads]?.answerUpgrade(Math.floor(id / this.#threads), answer);
  }

  watch(pings: boolean, pongs: boolean): void {
    this.#watched = [pings, pongs];
    for (const listener of this.#listeners) listener.watch(pings, pongs);
  }
}

/** What each of so many listeners is told. */
function sharedAmong(config: ServerConfig): ServerConfig {
  return {
    ...config,
    listen: config.listen.map((address) =>
      'path' in address ? address : { ...address, reusePort: true },
    ),
    // Limits of connections hold for all together, by this name.
    admissionName: randomUUID(),
    // Nobody is let in before all of them listen.
    holds: true,
  };
}

/** The ports that the first one got. A path cannot be listened on twice. */
function onPorts(
  listen: readonly ListenAddress[],
  ports: readonly number[],
): readonly ListenAddress[] {
  return listen.flatMap((address, n) =>
    'path' in address ? [] : [{ ...address, port: ports[n] ?? address.port }],
  );
}
