/**
 * The engines of this environment behind one transport: the first for every client and server, further ones
 * for servers of several threads.
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

  #at(n: number): Engine {
    this.#engines[n] ??= new Engine();
    return this.#engines[n];
  }
}

/** The transport of this environment; its engines are started when they are first needed. */
export const engines: Transport = new Engines();
