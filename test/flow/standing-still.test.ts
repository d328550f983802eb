/**
 * What goes on while JavaScript stands still, on whose thread the engine usually works, or does not come back to its
 * event loop: pings are answered, heartbeats go out, and so does what is sent. JavaScript goes on when the peer, on a
 * thread of its own, has seen that.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { Opcode } from '../helpers/peers.js';

/** Far longer than the engine waits for JavaScript. */
const MOST_MS = 10_000;

function peer(role: 'client' | 'server', awaited: number, port = 0, together = false) {
  const word = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('fixtures/patient-peer.mjs', import.meta.url), {
    workerData: { role, port, word, awaited, together },
  });
  onTestFinished(async () => {
    await worker.terminate();
  });
  /** Stops JavaScript until the peer has seen what it waits for; whether it has. */
  const standStill = () => Atomics.wait(word, 0, 0, MOST_MS) !== 'timed-out';
  /** Works from promise to promise until then, and calls meanwhile; whether the peer has seen it. */
  const workOn = async (call: () => Promise<unknown>) => {
    const from = performance.now();
    while (Atomics.wait(word, 0, 0, 1) === 'timed-out') {
      if (performance.now() - from > MOST_MS) return false;
      await call();
    }
    return true;
  };
  return { worker, standStill, workOn };
}

describe('while JavaScript stands still', PATIENT, () => {
  it('a server answers a ping, and goes on with the messages afterwards', async () => {
    const server = new TestServer({ without: ['messageReceive'] });
    await server.start();
    const messages: unknown[] = [];
    let answered: boolean | undefined;
    const ended = new Promise<void>((resolve) => {
      server.server.on('messageReceive', ({ data }) => {
        messages.push(data);
        if (data === 'stand still') answered = standStill();
        if (data === 'two') resolve();
      });
    });

    const { standStill } = peer('client', Opcode.pong, server.port);
    await ended;

    expect(answered).toBe(true);
    expect(messages).toEqual(['stand still', 'one', 'two']);
  });

  it('a client sends its heartbeat', async () => {
    const { worker, standStill } = peer('server', Opcode.ping);
    const [port] = (await once(worker, 'message')) as [number];
    const client = new TestClient();
    await client.open(`ws://127.0.0.1:${port}/`, { pingInterval: 1, pongTimeout: 1 });

    expect(standStill()).toBe(true);
  });
});

describe(
  'while JavaScript works and sends, and does not come back to its event loop',
  PATIENT,
  () => {
    it.each([
      ['answers a ping', Opcode.pong, false],
      ['sends what it is given meanwhile', Opcode.text, false],
      ['sends what it is given meanwhile, by one of several handlers', Opcode.text, true],
    ])('a server %s', async (_what, awaited, together) => {
      const server = new TestServer({ without: ['messageReceive'] });
      await server.start();
      const seen = new Promise<boolean>((resolve) => {
        server.server.on('messageReceive', ({ data, clientConnection }) => {
          if (data === 'stand still') {
            // What the handler itself sends leaves when it returns.
            queueMicrotask(() =>
              resolve(workOn(() => server.server.send('at work', clientConnection))),
            );
          }
        });
      });

      const { workOn } = peer('client', awaited, server.port, together);

      expect(await seen).toBe(true);
    });

    it('a client sends what was sent before, between its events', async () => {
      const { worker, standStill } = peer('server', Opcode.text);
      const [port] = (await once(worker, 'message')) as [number];
      const client = new TestClient({ without: ['open', 'headerReceive', 'openInfo', 'message'] });
      const seen = new Promise<boolean>((resolve) => {
        client.ws.on('message', (_error, data) => {
          if (data === 'one') void client.ws.send('sent before');
          // The time is over when this event has run; the next one finds that the peer has it.
          if (data === 'two') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
          if (data === 'three') resolve(standStill());
        });
      });

      await client.connect(`ws://127.0.0.1:${port}/`);

      expect(await seen).toBe(true);
    });

    it('a client sends what it is given meanwhile', async () => {
      const { worker, workOn } = peer('server', Opcode.text);
      const [port] = (await once(worker, 'message')) as [number];
      const client = new TestClient({ without: ['open'] });
      const seen = new Promise<boolean>((resolve) => {
        client.ws.on('open', () => resolve(workOn(() => client.ws.send('at work'))));
      });

      await client.connect(`ws://127.0.0.1:${port}/`);

      expect(await seen).toBe(true);
    });
  },
);
