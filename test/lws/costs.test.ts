/** Proves that libwebsockets takes no more for a connection than what it is needed for. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { RawPeer } from '../helpers/peers.js';

const onLinux = process.platform === 'linux';
const isSanitized = Boolean(process.env['OHWS_PRELOAD']);

async function openAll(port: number, count: number): Promise<void> {
  const peers: RawPeer[] = [];
  for (let n = 0; n < count; n += 50) {
    peers.push(...(await Promise.all(Array.from({ length: 50 }, () => RawPeer.open({ port })))));
  }
}

describe.runIf(onLinux && !isSanitized)('memory of a connection at rest', PATIENT, () => {
  it('forget-frames, no-tags: no more than 1.65 KB in the C library', async () => {
    const child = fork(fileURLToPath(new URL('./native-heap.mjs', import.meta.url)));
    onTestFinished(() => void child.kill('SIGKILL'));
    const [port] = (await once(child, 'message')) as [number];
    const heapBytes = async () => {
      child.send('heap');
      const [bytes] = (await once(child, 'message')) as [number];
      return bytes;
    };
    // What is reserved for many is there after the first.
    await openAll(port, 200);
    const before = await heapBytes();
    await openAll(port, 2000);
    expect((await heapBytes()) - before).toBeLessThan(2000 * 1650);
  });
});

describe.runIf(onLinux)('turns of the loop', PATIENT, () => {
  it('adopted-socket: a socket that is accepted wakes nobody', async () => {
    const { server, port } = await TestServer.start();
    const before = (await server.stats()).thread.turns;
    for (let n = 0; n < 50; n += 1) {
      await RawPeer.connect({ port });
      // What is rung for then has its turn.
      await nextTurn();
      await nextTurn();
    }
    const { thread, handshakes } = await server.stats();
    expect(handshakes.pending).toBe(50);
    expect(thread.turns - before).toBeLessThan(75);
  });
});

describe('header tables', PATIENT, () => {
  it('spare-header-tables: one that is used again has nothing of the request before', async () => {
    const { port } = await TestServer.start({ protocol: 'chat' });
    const offer = ['Sec-WebSocket-Protocol: chat'];
    for (const extra of [offer, [], offer, []]) {
      const peer = await RawPeer.connect({ port });
      const answer = await peer.upgrade({ extra });
      expect(answer.all('sec-websocket-protocol')).toEqual(extra.length > 0 ? ['chat'] : []);
    }
  });
});
