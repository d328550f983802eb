/**
 * The engines of this environment behind one transport: one for every client and server, which works on this
 * thread where that is possible, and others with threads of their own, for servers that ask for them.
 */

import { Engine } from './engine.js';
import { ThreadedListener } from './threaded-listener.js';
import type {
  ClientConfig,
  ClientHandler,
  Connection,
  Listener,
  ServerConfig,
  ServerHandler,
  Transport,
} from './transport.js';

/** Runtimes that have no event loop of libuv. */
const lacksLibuv = process.versions.bun !== undefined || 'Deno' in globalThis;

class Engines implements Transport {
  readonly #common = new Engine(lacksLibuv);
  readonly #threads: Engine[] = [];

  connect(config: ClientConfig, handler: ClientHandler): Connection {
    return this.#common.connect(config, handler);
  }

  listen(config: ServerConfig, handler: ServerHandler): Listener {
    if (config.threads === 0) return this.#common.listen(config, handler);
    const engines = Array.from({ length: config.threads }, (_, n) => this.#thread(n));
    const [only, ...others] = engines;
    if (only !== undefined && others.length === 0) return only.listen(config, handler);
    return new ThreadedListener(engines, config, handler);
  }

  #thread(n: number): Engine {
    this.#threads[n] ??= new Engine(true);
    return this.#threads[n];
  }
}

/** The transport of this environment; its engines are started when they are first needed. */
export const engines: Transport = new Engines();
