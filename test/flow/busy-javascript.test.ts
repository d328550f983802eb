/**
 * Proves what happens when our own JavaScript stands still for seconds while a peer sends as fast as
 * it can: the engine stops reading instead of piling up, so memory stays bounded, and afterwards
 * every message is there, in order. The peer is a process of its own, so that it does not stand
 * still with us, and its memory is not ours.
 */

import { describe, expect, it } from 'vitest';
import { blockJavaScript, Changes, growthBound, VERY_PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { type FloodContent, Flooder } from '../helpers/flooder.js';
import { MixedMessagesReceiver } from '../helpers/mixed-messages.mjs';

/** How long JavaScript stands still: long enough for a reader without brakes to pass the bound. */
const BLOCK_MS = 2000;
const BOUND_BYTES = 120_000_000;

describe.each(['server', 'client'] as const)('our %s with JavaScript that stands still', (role) => {
  describe('while a peer sends 100,000 messages of mixed sizes', VERY_PATIENT, () => {
    it('gets them complete and in order', async () => {
      const count = 100_000;
      const receiver = new MixedMessagesReceiver(11, role);
      const flood = await Flood.open(role, { kind: 'mixed', seed: 11 }, count, (data) => {
        receiver.take(data);
        if (receiver.received === 1 || receiver.received === 50_000) flood.block();
      });

      flood.flooder.go();
      await flood.finished();

      expect(receiver.received).toBe(count);
      expect(flood.growth).toBeLessThan(growthBound(BOUND_BYTES));
    });
  });

  describe.each([100, 60_000, 200_000])(
    'while a peer sends texts of %i bytes without end',
    (size) => {
      describe('for a while', VERY_PATIENT, () => {
        it('holds a bounded part of them, and gets all in order', async () => {
          let received = 0;
          const content = { kind: 'numbered', size } as const;
          const flood = await Flood.open(role, content, 1_000_000_000, (data) => {
            if (data !== Flooder.numbered(received, size)) {
              throw new Error(`message ${received} was ${String(data).slice(0, 40)}`);
            }
            received++;
            if (received !== 500) return;
            flood.block();
            flood.flooder.stop();
          });

          flood.flooder.go();
          const sent = await flood.flooder.sent(120_000);
          await flood.finished();

          expect(received).toBe(sent);
          expect(flood.growth).toBeLessThan(growthBound(BOUND_BYTES));
        });
      });
    },
  );
});

/** An endpoint of ours under a flood. */
class Flood {
  readonly flooder: Flooder;
  /** Most that this process has grown at the end of a block. */
  growth = 0;
  readonly #before = process.memoryUsage.rss();
  readonly #changes = new Changes();
  #ended = false;
  #failure: unknown;

  private constructor(flooder: Flooder) {
    this.flooder = flooder;
  }

  static async open(
    role: 'server' | 'client',
    content: FloodContent,
    count: number,
    onMessage: (data: string | ArrayBuffer) => void,
  ): Promise<Flood> {
    const options = { content, count, framesPerWrite: 16 };
    if (role === 'server') {
      const server = new TestServer({ without: ['messageReceive'] });
      server.server.on('messageReceive', ({ data }) => flood.#take(data, onMessage));
      await server.start();
      const flood = new Flood(new Flooder({ ...options, role: 'client', port: server.port }));
      await flood.flooder.open;
      return flood;
    }
    const flood = new Flood(new Flooder({ ...options, role: 'server' }));
    const client = new TestClient({ without: ['message', 'dataEnd'] });
    client.ws.on('message', (_error, data) => flood.#take(data, onMessage));
    await client.open(`ws://127.0.0.1:${await flood.flooder.port}/`);
    await flood.flooder.open;
    return flood;
  }

  block(): void {
    blockJavaScript(BLOCK_MS);
    this.growth = Math.max(this.growth, process.memoryUsage.rss() - this.#before);
  }

  /** The text `end` has come, which follows the last message. */
  finished(): Promise<true> {
    return this.#changes.until(
      () => {
        if (this.#failure) throw this.#failure;
        return this.#ended ? true : undefined;
      },
      'the end of the flood',
      VERY_PATIENT.timeout - 10_000,
    );
  }

  #take(data: string | ArrayBuffer, onMessage: (data: string | ArrayBuffer) => void): void {
    if (this.#ended || this.#failure) return;
    try {
      if (data === 'end') this.#ended = true;
      else onMessage(data);
    } catch (error) {
      this.#failure = error;
    }
    if (this.#ended || this.#failure) this.#changes.notify();
  }
}
