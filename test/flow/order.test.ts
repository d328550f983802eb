/**
 * Proves that messages of all kinds and sizes arrive complete and in order, 100,000 of them in each
 * direction at the same time, over one connection and over 200, and that memory stays bounded while
 * the senders do nothing but await each `send`.
 */

import { describe, expect, it } from 'vitest';
import { Changes, growthBound, VERY_PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { MixedMessages, MixedMessagesReceiver } from '../helpers/mixed-messages.mjs';

const MESSAGES = 100_000;
/** About 250 MB travel in each direction; what is held at a time must be far less. */
const GROWTH_BYTES = 300_000_000;

const clientSeed = (connection: number) => 1000 + connection;
const serverSeed = (connection: number) => 5000 + connection;

describe.each([1, 200])('100,000 messages each way through %i connections', (connections) => {
  describe('at once', VERY_PATIENT, () => {
    it('arrive complete and in order', async () => {
      const perConnection = MESSAGES / connections;
      const traffic = new Traffic(2 * connections, perConnection);
      const server = new TestServer({ without: ['connect', 'messageReceive'] });
      const atServer = new Map<string, MixedMessagesReceiver>();
      const sending: Promise<void>[] = [];
      server.server.on('messageReceive', ({ data, clientConnection }) => {
        const key = `${clientConnection.clientIP}:${clientConnection.clientPort}`;
        const receiver = atServer.get(key);
        if (receiver) {
          traffic.take(receiver, data);
          return;
        }
        // The first message tells which client it is.
        const number = Number(data);
        atServer.set(
          key,
          new MixedMessagesReceiver(clientSeed(number), `server, client ${number}`),
        );
        const send = (message: string | Buffer) => server.server.send(message, clientConnection);
        sending.push(pump(send, serverSeed(number), perConnection));
      });
      // The kernels have room for all of it: a ping comes last, however long that takes.
      await server.start({ heartbeat: false });
      const clients: TestClient[] = [];
      for (let number = 0; number < connections; number++) {
        const client = new TestClient({ without: ['message', 'dataEnd'] });
        const receiver = new MixedMessagesReceiver(serverSeed(number), `client ${number}`);
        client.ws.on('message', (_error, data) => traffic.take(receiver, data));
        await client.open(server.url(), { pingInterval: 0 });
        clients.push(client);
      }
      const before = process.memoryUsage.rss();
      const watch = traffic.watchMemory();

      for (const [number, { ws }] of clients.entries()) {
        await ws.send(String(number));
        sending.push(pump((data) => ws.send(data), clientSeed(number), perConnection));
      }
      await traffic.finished();
      await Promise.all(sending);
      watch.stop();

      expect(traffic.received).toBe(2 * MESSAGES);
      expect(watch.peak - before).toBeLessThan(growthBound(GROWTH_BYTES));
      for (const { log } of clients)
        expect(log.names).toEqual(['headerReceive', 'open', 'openInfo']);
      expect(server.log.names).toEqual([]);
    });
  });
});

/** Sends a series, each message when the one before is accepted. */
async function pump(
  send: (message: string | Buffer) => Promise<boolean>,
  seed: number,
  count: number,
): Promise<void> {
  const messages = new MixedMessages(seed);
  for (let i = 0; i < count; i++) await send(messages.next());
}

/** What all receivers have got. */
class Traffic {
  received = 0;
  readonly #changes = new Changes();
  readonly #perReceiver: number;
  #unfinished: number;
  #failure: unknown;

  constructor(receivers: number, perReceiver: number) {
    this.#unfinished = receivers;
    this.#perReceiver = perReceiver;
  }

  take(receiver: MixedMessagesReceiver, data: string | ArrayBuffer): void {
    try {
      receiver.take(data);
      this.received++;
      if (receiver.received === this.#perReceiver) this.#unfinished--;
    } catch (error) {
      this.#failure ??= error;
    }
    if (this.#unfinished === 0 || this.#failure) this.#changes.notify();
  }

  finished(): Promise<true> {
    return this.#changes.until(
      () => {
        if (this.#failure) throw this.#failure;
        return this.#unfinished === 0 ? true : undefined;
      },
      'all messages',
      VERY_PATIENT.timeout - 10_000,
    );
  }

  watchMemory(): { peak: number; stop(): void } {
    const watch = { peak: 0, stop: () => clearInterval(timer) };
    const timer = setInterval(() => {
      watch.peak = Math.max(watch.peak, process.memoryUsage.rss());
    }, 20);
    return watch;
  }
}
