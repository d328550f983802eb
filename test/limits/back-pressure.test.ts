/**
 * Proves `queuedBytes` and `backPressure` in both roles. A queue of exactly the mark is taken; one byte more
 * waits, fails or closes, as chosen; what was accepted arrives, and control frames come through meanwhile.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT, within } from '../helpers/deadline.js';
import { rejection, TestClient } from '../helpers/endpoints.js';
import { Opcode, RawListener } from '../helpers/peers.js';
import { FLOOD, FLOOD_BYTES, openPair, ROLES, settle } from './pair.js';

const limits = { queuedBytes: FLOOD_BYTES };
const FULL = { code: 2302999, message: 'Websocket Unknown Other Error' };

describe.each(ROLES)('queuedBytes of our %s', PATIENT, (role) => {
  it('makes send wait above the mark, until the peer reads', async () => {
    const pair = await openPair(role, { limits });
    pair.peer.stopReading();
    const settled: string[] = [];
    const sent = FLOOD.map((bytes) => pair.send(bytes));
    // The mark is reached, not passed, so this one is still taken at once.
    sent.push(pair.send('at the mark'));
    const above = pair.send('above').then(() => settled.push('above'));
    await within(Promise.all(sent), 'what is not above the mark');
    await settle(pair);
    expect(settled).toEqual([]);

    // Control frames get through: the ping is answered behind the frame that has begun to leave.
    pair.peer.send({ opcode: Opcode.ping, payload: 'p' });
    pair.peer.readOn();
    const kinds: number[] = [];
    while (kinds.at(-1) !== Opcode.text) kinds.push((await pair.peer.readFrame()).opcode);
    expect(kinds.indexOf(Opcode.pong)).toBeLessThan(kinds.lastIndexOf(Opcode.binary));
    expect(kinds.filter((kind) => kind === Opcode.binary)).toHaveLength(FLOOD.length);
    expect(await pair.peer.expectText()).toBe('above');
    await within(above, 'the send that waited');
  });

  it('lets every send through at once with Infinity', async () => {
    const pair = await openPair(role, { limits: { queuedBytes: Infinity } });
    pair.peer.stopReading();

    const sent = [...FLOOD, ...FLOOD].map((bytes) => pair.send(bytes));

    await within(Promise.all(sent), 'every send');
  });

  it("makes send fail with 'fail', and loses nothing that was accepted", async () => {
    const pair = await openPair(role, { limits, backPressure: 'fail' });
    pair.peer.stopReading();
    const sent = FLOOD.map((bytes) => pair.send(bytes));
    const refused = pair.send('x');

    expect(await rejection(refused)).toMatchObject({
      ...FULL,
      cause: {
        phase: 'state',
        detail: `1 bytes more than the ${FLOOD_BYTES} that wait are above ${FLOOD_BYTES}`,
      },
    });
    await within(Promise.all(sent), 'what was accepted');
    await settle(pair);
    // What the kernels took has left: some room, but not for all of it again.
    await expect(Promise.all(FLOOD.map((bytes) => pair.send(bytes)))).rejects.toMatchObject(FULL);
    expect(pair.names).not.toContain('error');

    pair.peer.readOn();
    for (const _ of FLOOD)
      expect((await pair.peer.expectFrame(Opcode.binary)).payload).toHaveLength(5e6);
  });

  it("takes messages again with 'fail' when the queue has left", async () => {
    const pair = await openPair(role, { limits: { queuedBytes: 100_000 }, backPressure: 'fail' });

    for (let n = 0; n < 50; n++) {
      await pair.send(Buffer.alloc(100_000, n));
      expect(await rejection(pair.send('x'))).toMatchObject(FULL);
      expect((await pair.peer.expectFrame(Opcode.binary)).payload[99_999]).toBe(n);
      await settle(pair);
    }
  });

  it("does not refuse with 'fail' where the queue moves on, and is never empty", async () => {
    // More waits than the kernels take, at any time, and in all four times the mark goes through.
    const queuedBytes = FLOOD_BYTES + (2 * FLOOD_BYTES) / FLOOD.length;
    const pair = await openPair(role, { limits: { queuedBytes }, backPressure: 'fail' });
    const [message] = FLOOD as [Buffer];
    pair.peer.stopReading();
    await Promise.all(FLOOD.map((bytes) => pair.send(bytes)));

    for (let n = 0; n < 4 * FLOOD.length; n++) {
      pair.peer.readOn();
      await pair.peer.expectFrame(Opcode.binary);
      pair.peer.stopReading();
      // What has left is known in a later turn of the event loop, and this is one.
      await settle(pair);
      await pair.send(message);
    }

    expect(pair.names).not.toContain('error');
  });

  it("refuses with 'fail' what is larger than the mark on its own, in bytes of UTF-8", async () => {
    const pair = await openPair(role, { limits: { queuedBytes: 10 }, backPressure: 'fail' });

    expect(await rejection(pair.send('äöüäöx'))).toMatchObject(FULL);
    await pair.send('äöüäö');
    expect(await pair.peer.expectText()).toBe('äöüäö');
    await settle(pair);
    await pair.send('');
    expect(await pair.peer.expectText()).toBe('');
  });

  it("closes with 'close'", async () => {
    const pair = await openPair(role, { limits, backPressure: 'close' });
    pair.peer.stopReading();
    const sent = FLOOD.map((bytes) => pair.send(bytes));
    await within(Promise.all(sent), 'what was accepted');
    await settle(pair);
    const before = pair.names.length;
    // The kernels have taken some; now twice as much is surely above.
    const outcomes = await Promise.allSettled(
      [...FLOOD, ...FLOOD].map((bytes) => pair.send(bytes)),
    );

    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(outcomes.at(-1)).toMatchObject({ reason: FULL });
    expect(await pair.nextErrorDetail()).toBe('too much waits to be sent');
    expect(await pair.nextClose()).toMatchObject({ code: 0, reason: 'The link is down' });
    expect(pair.names.slice(before)).toEqual(['error', 'close']);

    // The peer gets what had begun to leave, and the close frame.
    pair.peer.readOn();
    const { frames } = await pair.peer.readToEnd();
    expect(frames.length).toBeLessThan(FLOOD.length);
    const last = frames.pop();
    expect(frames.every(({ payload }) => payload.length === 5e6)).toBe(true);
    expect(last?.payload.readUInt16BE()).toBe(1008);
  });

  it("does not close with 'close' at exactly the mark", async () => {
    const pair = await openPair(role, { limits, backPressure: 'close' });

    await Promise.all(FLOOD.map((bytes) => pair.send(bytes)));

    for (const _ of FLOOD) await pair.peer.expectFrame(Opcode.binary);
    await settle(pair);
    expect(pair.names).not.toContain('error');
  });
});

describe('queuedBytes before the connection is made', PATIENT, () => {
  const early = { limits: { queuedBytes: 10 } };

  it('makes send wait above the mark', async () => {
    const { client, peer } = await connecting(early, async ({ ws }) => {
      expect(await ws.send('1234567890')).toBe(true);
      expect(await ws.send('x')).toBe(true);
    });
    const waiting = client.ws.send('waits');

    await (await peer()).acceptUpgrade();
    expect(await within(waiting, 'the send that waits')).toBe(true);
  });

  it("makes send fail with 'fail', and sends what was accepted", async () => {
    const { peer } = await connecting({ ...early, backPressure: 'fail' }, async ({ ws }) => {
      expect(await ws.send('1234567890')).toBe(true);
      expect(await rejection(ws.send('x'))).toMatchObject(FULL);
    });
    const server = await peer();
    await server.acceptUpgrade();
    expect(await server.expectText()).toBe('1234567890');
    server.sendText('the queue is empty');
  });

  it("ends the attempt with 'close'", async () => {
    const { client } = await connecting({ ...early, backPressure: 'close' }, async ({ ws }) => {
      expect(await ws.send('1234567890')).toBe(true);
      expect(await rejection(ws.send('x'))).toMatchObject(FULL);
    });

    expect(await client.nextClose()).toEqual({ code: 1008, reason: 'too much waits to be sent' });
  });
});

it.each([['drop'], [null], [1], [['wait']]])('backPressure %j gives 401', async (backPressure) => {
  const client = new TestClient();
  const options = { backPressure: backPressure as 'wait' };

  const error = await rejection(client.ws.connect('ws://127.0.0.1:9/', options));

  expect(error).toMatchObject({
    code: 401,
    cause: { detail: expect.stringContaining('backPressure') },
  });
});

/** A client that looks up a name, and so has nobody to hand messages to, when `send` is called. */
async function connecting(
  options: Parameters<TestClient['connect']>[1],
  send: (client: TestClient) => Promise<void>,
): Promise<{ client: TestClient; peer: () => ReturnType<RawListener['accept']> }> {
  const listener = await RawListener.listen();
  const client = new TestClient();
  const connected = client.ws.connect(`ws://localhost:${listener.port}/`, options);
  await send(client);
  await within(connected, 'connect to settle');
  return { client, peer: () => listener.accept() };
}
