// @ts-check
/**
 * The surroundings of one case: its ports, its signals and the peer's side of it, a TCP server whose
 * connections are scripted (`side: client`) or scripted TCP clients (`side: server`).
 */

import net from 'node:net';
import { ScriptedConnection } from './connection.mjs';
import { Signals } from './waiting.mjs';

/** @import { CaseOrder, PeerClient } from './format.js' */

const SIGNAL_LIMIT_MS = 7000;

export class Stage {
  side;
  profile;
  ports;
  /** Factor for the runner's own waits. */
  patience;
  signals;
  /** Connections of the peer in the order accepted, or written. @type {ScriptedConnection[]} */
  connections = [];

  #peer;
  /** @type {Promise<void>[]} */
  #scripts = [];
  /** Connections of each entry of `peer.clients`. @type {ScriptedConnection[][]} */
  #clients = [];
  #clientsStarted = false;

  /** @param {CaseOrder} order */
  constructor({ testCase, profile, ports, patience }) {
    this.side = testCase.side;
    this.profile = profile;
    this.ports = ports;
    this.patience = patience;
    this.signals = new Signals(SIGNAL_LIMIT_MS * patience);
    this.#peer = testCase.peer ?? {};
  }

  /** Puts the peer in place: it listens, or its clients are ready to be started. */
  async open() {
    if (this.side === 'client') await this.#listen();
    else this.#clients = (this.#peer.clients ?? []).map((client) => this.#prepare(client));
  }

  startClients() {
    if (this.#clientsStarted) return;
    this.#clientsStarted = true;
    for (const [index, client] of (this.#peer.clients ?? []).entries()) {
      this.#scripts.push(this.#runClient(index, client));
    }
  }

  /** Resolves when every script begun so far has ended. */
  async scriptsEnded() {
    await Promise.all(this.#scripts);
  }

  /**
   * Replaces the text templates of the case format.
   *
   * @param {string} text
   */
  fill = (text) => {
    const { port, port2, closedPort } = this.ports;
    return text
      .replaceAll('{port}', String(port))
      .replaceAll('{port2}', String(port2))
      .replaceAll('{closedPort}', String(closedPort));
  };

  /**
   * The reverse for observed text, as far as the test port goes.
   *
   * @param {string} text
   */
  unport = (text) => text.replace(new RegExp(`\\b${this.ports.port}\\b`, 'g'), '{port}');

  async #listen() {
    const scripts = this.#peer.connections ?? [this.#peer.steps ?? []];
    const listener = net.createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new ScriptedConnection(this, { socket });
      const script = scripts[Math.min(this.connections.length, scripts.length - 1)];
      this.connections.push(connection);
      this.#scripts.push(connection.run(script ?? []));
    });
    const { port } = this.ports;
    await new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, this.#peer.host ?? '127.0.0.1', () => resolve(undefined));
    });
  }

  /** @param {PeerClient} client */
  #prepare({ from, times = 1 }) {
    const connections = Array.from({ length: times }, () => new ScriptedConnection(this, { from }));
    this.connections.push(...connections);
    return connections;
  }

  /**
   * @param {number} index
   * @param {PeerClient} client
   */
  async #runClient(index, { steps }) {
    for (const connection of this.#clients[index] ?? []) await connection.run(steps);
    this.signals.raise(`clients${index}-done`);
  }
}
