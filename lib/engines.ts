/**
 * The engines of this environment behind one transport: the first for every client and server, further ones
 * for servers of several threads. Such a server listens once in each, on the same ports (`SO_REUSEPORT`), and
 * is one server for whoever asked for it.
 */

import { randomUUID } from 'node:crypto';
import { Engine } from './engine.js';
import { type EngineStats, sumOfStats } from './server-stats.js';
import { sumOf } from './server-stop.js';
import type {
  ClientConfig,
  ClientHandler,
  Connection,
  DrainReport,
  EngineFailure,
  ListenAddress,
  Listener,
  ServerConfig,
  ServerConnectionHandler,
  ServerHandler,
  TlsConfig,
  Transport,
  UpgradeAnswer,
} from './transport.js';

class Engines implements Transport {
  readonly #engines: Engine[] = [new Engine()];

  connect(config: ClientConfig, handler: ClientHandler): Connection {
    return this.#at(0).connect(config, handler);
  }

  listen(config: ServerConfig, handler: ServerHandler): Listener {
    if (config.threads === 1) return this.#at(0).listen(config, handler);
    const engines = Array.from({ length: config.threads }, (_, n) => this.#at(n));
    return new ThreadedListener(engines, config, handler);
  }

  publish(...args: Parameters<Transport['publish']>): Promise<void> | undefined {
    const pending = this.#engines.flatMap((engine) => engine.publish(...args) ?? []);
    return pending.length <= 1 ? pending[0] : Promise.all(pending).then(() => undefined);
  }

  #at(n: number): Engine {
    this.#engines[n] ??= new Engine();
    return this.#engines[n];
  }
}

/** The listeners of one server, one in each of its engines. */
class ThreadedListener implements Listener {
  readonly #config: ServerConfig;
  readonly #handler: ServerHandler;
  readonly #threads: number;
  /** By thread; those that could not listen are gone. */
  readonly #listeners: Listener[] = [];
  #failed = 0;
  /** Listeners that have to answer before the next step. */
  #awaited = 1;
  #ports: readonly number[] = [];
  #failure: EngineFailure | undefined;
  #watched: readonly [pings: boolean, pongs: boolean] = [false, false];
  readonly #reports: DrainReport[] = [];

  constructor(engines: readonly Engine[], config: ServerConfig, handler: ServerHandler) {
    this.#config = sharedAmong(engines.length, config);
    this.#handler = handler;
    this.#threads = engines.length;
    const [first, ...others] = engines as [Engine, ...Engine[]];
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
    engine: Engine,
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
    if (this.#failure === undefined) this.#handler.onStarted(this.#ports, undefined);
    else if (this.#failed === this.#listeners.length) this.#handler.onStarted([], this.#failure);
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

  /** One after the other, since what the first cannot use none of them can. */
  async reload(tls: TlsConfig): Promise<EngineFailure | 'gone' | undefined> {
    for (const listener of this.#listeners) {
      const problem = await listener.reload(tls);
      if (problem !== undefined) return problem;
    }
    return undefined;
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
function sharedAmong(threads: number, config: ServerConfig): ServerConfig {
  const handshakes = config.limits['handshakes'];
  return {
    ...config,
    listen: config.listen.map((address) =>
      'path' in address ? address : { ...address, reusePort: true },
    ),
    // Limits of connections hold for all together, by this name; those in handshake are shared out.
    admissionName: randomUUID(),
    limits:
      handshakes === undefined
        ? config.limits
        : { ...config.limits, handshakes: Math.ceil(handshakes / threads) },
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

/** The transport of this environment; its engines are started when they are first needed. */
export const engines: Transport = new Engines();
