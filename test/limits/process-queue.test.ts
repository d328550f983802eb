/**
 * Proves `setQueuedBytesLimit`: what waits on all connections of the process counts together, those of
 * worker threads too; exactly the limit is taken, one byte more fails or waits; and what has left, or ended,
 * counts no more.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { setQueuedBytesLimit } from 'ohos-websocket';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { PATIENT, within } from '../helpers/deadline.js';
import { rejection } from '../helpers/endpoints.js';
import { Opcode, RawListener } from '../helpers/peers.js';
import { FLOOD, FLOOD_BYTES, openPair, ROLES, settle } from './pair.js';

const FULL = { code: 2302999, cause: { phase: 'state' } };
const LIMIT = 1_000_000;

afterEach(() => setQueuedBytesLimit(Infinity));

describe.each(ROLES)('setQueuedBytesLimit and our %s', PATIENT, (role) => {
  it('counts all connections together', async () => {
    setQueuedBytesLimit(LIMIT);
    const a = await openPair(role, { backPressure: 'fail' });
    const b = await openPair(role, { backPressure: 'fail' });

    for (let n = 0; n < 3; n++) {
      const sent = [a.send(Buffer.alloc(600_000)), b.send(Buffer.alloc(400_000))];
      const refused = [a.send('x'), b.send('x')];
      for (const call of refused) expect(await rejection(call)).toMatchObject(FULL);
      await Promise.all(sent);
      await a.peer.expectFrame(Opcode.binary);
      await b.peer.expectFrame(Opcode.binary);
      await settle(a);
      await settle(b);
    }
  });

  it('makes every send wait, as the policy says', async () => {
    setQueuedBytesLimit(FLOOD_BYTES);
    const limits = { queuedBytes: Infinity };
    const a = await openPair(role, { limits });
    const b = await openPair(role, { limits });
    a.peer.stopReading();
    b.peer.stopReading();
    const sent = FLOOD.map((bytes) => a.send(bytes));
    sent.push(b.send('at the limit'));
    const settled: string[] = [];
    const above = a.send('above').then(() => settled.push('above'));
    await within(Promise.all(sent), 'what is not above the limit');
    await settle(a);
    expect(settled).toEqual([]);

    a.peer.readOn();
    await within(above, 'the send that waited');
  });

  it('forgets what has ended', async () => {
    setQueuedBytesLimit(LIMIT);
    const a = await openPair(role, { backPressure: 'fail' });
    a.peer.stopReading();
    const b = await openPair(role, { backPressure: 'fail' });
    void a.send(Buffer.alloc(LIMIT));
    expect(await rejection(b.send('x'))).toMatchObject(FULL);

    a.peer.reset();
    await a.nextClose();

    await b.send(Buffer.alloc(LIMIT));
  });

  it('asks what has left where nobody else would', async () => {
    // Below its own mark a connection that waits does not ask; all of this has left long ago.
    setQueuedBytesLimit(LIMIT);
    const pairs = [];
    for (let n = 0; n < 20; n++) pairs.push(await openPair(role));
    for (const pair of pairs) {
      await pair.send(Buffer.alloc(100_000));
      await pair.peer.expectFrame(Opcode.binary);
      await settle(pair);
    }
    const last = await openPair(role, { backPressure: 'fail' });

    await last.send('there is room');
  });
});

describe('setQueuedBytesLimit and workers', PATIENT, () => {
  it('counts what a worker has queued, until it ends', async () => {
    const listener = await RawListener.listen();
    const worker = new Worker(new URL('./fixtures/queueing-worker.mjs', import.meta.url), {
      workerData: { url: listener.url(), bytes: 600_000 },
    });
    onTestFinished(() => worker.terminate().then(() => undefined));
    await listener.acceptOpen();
    await within(once(worker, 'message'), 'the worker to have sent');
    setQueuedBytesLimit(LIMIT);
    const pair = await openPair('client', { backPressure: 'fail' });

    const sent = pair.send(Buffer.alloc(400_000));
    expect(await rejection(pair.send('x'))).toMatchObject(FULL);
    await sent;

    await worker.terminate();
    await pair.peer.expectFrame(Opcode.binary);
    await settle(pair);
    await pair.send(Buffer.alloc(LIMIT));
  });
});

it.each([-1, 1.5, Number.NaN, '5', undefined, null])('%j is no limit', (limit) => {
  expect(() => setQueuedBytesLimit(limit as number)).toThrow(TypeError);
});
