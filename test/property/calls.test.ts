/**
 * Calls in any order, of a live server and its clients: every promise settles, with `true` or a code of the
 * documentation, and the events of each side keep their order.
 */

import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { webSocket } from 'ohos-websocket';
import { expect, it } from 'vitest';
import { errorTable } from '../../lib/errors.js';
import { within } from '../helpers/deadline.js';
import { runs } from './runs.js';

const CLIENTS = 3;
const CODES = new Set<unknown>(Object.values(errorTable).map(({ code }) => code));

/** One call, or a pause. */
const step = fc.oneof(
  fc.record({
    call: fc.constantFrom(
      'start',
      'stop',
      'list',
      'serverClose',
      'listen',
      'unlisten',
      'turn',
      'settle',
    ),
  }),
  fc.record({
    call: fc.constantFrom(
      'connect',
      'connect',
      'connectNowhere',
      'close',
      'closeWith',
      'on',
      'off',
    ),
    client: fc.nat(CLIENTS - 1),
  }),
  fc.record({
    call: fc.constantFrom('send', 'serverSend'),
    client: fc.nat(CLIENTS - 1),
    size: fc.constantFrom(0, 1, 125, 70_000),
    text: fc.boolean(),
  }),
);
type Step = {
  readonly call: string;
  readonly client?: number;
  readonly size?: number;
  readonly text?: boolean;
};

/** What one side said, held against the grammar: (open message* close?)* with errors anywhere. */
class Conversations {
  readonly #open = new Set<string>();

  begins(key: string): void {
    expect(this.#open, 'a second beginning').not.toContain(key);
    this.#open.add(key);
  }
  goesOn(key: string): void {
    expect(this.#open, 'a message of nobody').toContain(key);
  }
  /** False if there was nothing to end. */
  ends(key: string): boolean {
    return this.#open.delete(key);
  }
  get size(): number {
    return this.#open.size;
  }
}

class World {
  readonly #server = webSocket.createWebSocketServer();
  readonly #clients = Array.from({ length: CLIENTS }, () => webSocket.createWebSocket());
  readonly #accepted = new Conversations();
  readonly #opened = new Conversations();
  /** Those that JavaScript knows of, in order. */
  readonly #peers: webSocket.WebSocketConnection[] = [];
  readonly #calls: Promise<void>[] = [];
  readonly #wrong: unknown[] = [];
  readonly #extra = (): void => {};
  /** Clients whose accepted connect has no outcome yet. */
  readonly #connecting = new Set<string>();

  constructor() {
    this.#server.on('connect', (peer) =>
      this.#judge(() => {
        this.#accepted.begins(keyOf(peer));
        this.#peers.push(peer);
      }),
    );
    this.#server.on('messageReceive', ({ clientConnection }) =>
      this.#judge(() => this.#accepted.goesOn(keyOf(clientConnection))),
    );
    this.#server.on('close', (peer) =>
      this.#judge(() => {
        expect(this.#accepted.ends(keyOf(peer)), 'an end of nobody').toBe(true);
      }),
    );
    this.#server.on('error', () => {});
    for (const [index, client] of this.#clients.entries()) {
      const key = String(index);
      client.on('open', () =>
        this.#judge(() => {
          this.#connecting.delete(key);
          this.#opened.begins(key);
        }),
      );
      client.on('message', () => this.#judge(() => this.#opened.goesOn(key)));
      client.on('close', () => {
        this.#opened.ends(key);
        this.#connecting.delete(key);
      });
      client.on('error', () => this.#connecting.delete(key));
    }
  }

  async make({ call, client = 0, size = 0, text = false }: Step): Promise<void> {
    const ws = this.#clients[client] as webSocket.WebSocket;
    const server = this.#server;
    const peer = this.#peers.at(-1 - client) ?? { clientIP: '127.0.0.1', clientPort: 1 };
    const data = text ? 'x'.repeat(size) : new ArrayBuffer(size);
    const calls: Record<string, () => unknown> = {
      start: () => this.#expect(server.start({ serverIP: '127.0.0.1', serverPort: 0 })),
      stop: () => this.#expect(server.stop()),
      list: () => this.#expect(server.listAllConnections().then((all) => Array.isArray(all))),
      connect: () => this.#connect(client, `ws://127.0.0.1:${server.port ?? 1}/`),
      connectNowhere: () => this.#connect(client, 'ws://127.0.0.1:1/'),
      close: () => this.#expect(ws.close()),
      closeWith: () => this.#expect(ws.close({ code: 3000, reason: 'enough' })),
      send: () => this.#expect(ws.send(data)),
      serverSend: () => this.#expect(server.send(data, peer)),
      serverClose: () => this.#expect(server.close(peer)),
      on: () => ws.on('message', this.#extra),
      off: () => ws.off('message', this.#extra),
      listen: () => server.on('messageReceive', this.#extra),
      unlisten: () => server.off('messageReceive', this.#extra),
      turn: () => turn(),
      settle: () => this.settled(),
    };
    await calls[call]?.();
  }

  /** Every call so far has an outcome, and every connect its event. */
  async settled(): Promise<void> {
    await within(Promise.all(this.#calls), 'every call to settle');
    await within(
      this.#until(() => this.#connecting.size === 0),
      'every connect to end',
    );
    expect(this.#wrong).toEqual([]);
  }

  /** Closes what is open, and waits for the end of it all. */
  async end(): Promise<void> {
    await this.settled();
    await this.#server.stop().catch(() => {});
    await Promise.all(this.#clients.map((client) => client.close().catch(() => {})));
    await within(
      this.#until(() => this.#opened.size + this.#accepted.size === 0),
      'every connection to end',
    );
    await this.settled();
    expect(this.#accepted.size).toBe(0);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await turn();
  }

  #connect(client: number, url: string): void {
    const ws = this.#clients[client] as webSocket.WebSocket;
    const created = ws.connect(url).then((value) => {
      this.#connecting.add(String(client));
      return value;
    });
    this.#expect(created);
  }

  #expect(call: Promise<boolean>): void {
    const judged = call.then(
      (value) => this.#judge(() => expect(value).toBe(true)),
      (error: { code?: unknown }) => this.#judge(() => expect(CODES).toContain(error.code)),
    );
    this.#calls.push(judged);
  }

  /** What does not hold in a handler fails the property, not the process. */
  #judge(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#wrong.push(error);
    }
  }
}

function keyOf({ clientIP, clientPort }: webSocket.WebSocketConnection): string {
  return `${clientIP}:${clientPort}`;
}

it('calls in any order', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 50 }), async (steps) => {
      const world = new World();
      // Most sequences would never meet a server.
      for (const each of [{ call: 'start' }, { call: 'settle' }, ...steps]) await world.make(each);
      await world.end();
    }),
    runs(80),
  );
});
