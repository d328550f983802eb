/**
 * Proves what becomes of a subscriber that does not read: it is closed with 1008 as soon as more than
 * `queuedBytes` wait for it, whatever `backPressure` says; nobody else notices, and nobody misses a message
 * unseen.
 */

import { describe, expect, it } from 'vitest';
import { VERY_PATIENT, within } from '../helpers/deadline.js';
import { Opcode } from '../helpers/peers.js';
import { type Guest, Room } from '../helpers/room.js';

const MARK = 1_000_000;
const MESSAGE = 100_000;
/** Far more than the kernels take of one connection. */
const MOST_MESSAGES = 1000;

function numbered(n: number): Buffer {
  const message = Buffer.alloc(MESSAGE);
  message.writeUInt32BE(n);
  return message;
}

/** The numbers of the messages that come to a guest, until there are so many or a close frame comes. */
async function numbersOf(
  { peer }: Guest,
  count: number,
): Promise<{ numbers: number[]; code?: number }> {
  const numbers: number[] = [];
  while (numbers.length < count) {
    const { opcode, payload } = await peer.readFrame();
    if (opcode === Opcode.close) return { numbers, code: payload.readUInt16BE(0) };
    expect(payload).toHaveLength(MESSAGE);
    numbers.push(payload.readUInt32BE(0));
  }
  return { numbers };
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('a subscriber that does not read', VERY_PATIENT, () => {
  it.each(['wait', 'fail', 'close'] as const)('is closed with 1008 (%s)', async (backPressure) => {
    const room = await Room.open(2, { limits: { queuedBytes: MARK }, backPressure });
    const [reader, other] = [room.guest(0), room.guest(1)];
    for (const { connection } of room.guests) await room.server.subscribe(connection, 'news');
    other.peer.stopReading();

    const closed = room.test.nextClose();
    let published = 0;
    while (room.server.subscriberCount('news') === 2 && published < MOST_MESSAGES) {
      await room.server.publish('news', numbered(published));
      published += 1;
      // The reader has it: so the loop goes at its pace, and never at that of the other.
      expect((await numbersOf(reader, 1)).numbers).toEqual([published - 1]);
    }

    expect(published).toBeLessThan(MOST_MESSAGES);
    expect(published * MESSAGE).toBeGreaterThan(MARK);
    expect(await room.test.log.value('error')).toMatchObject({
      code: 200,
      cause: { detail: 'too much waits to be sent' },
    });
    expect((await closed).connection).toEqual(other.connection);
    // What it had not been given is missing at the end only, and the end says so.
    other.peer.readOn();
    const { numbers, code } = await numbersOf(other, MOST_MESSAGES);
    expect(code).toBe(1008);
    expect(numbers).toEqual(upTo(numbers.length));
    expect(numbers.length).toBeLessThan(published);
  });

  it('is not kept for small messages either, each of which is little more than a name of it', async () => {
    const room = await Room.open(2, { limits: { queuedBytes: 100_000 } });
    const { server } = room;
    for (const { connection } of room.guests) await server.subscribe(connection, 'news');
    room.peer(1).stopReading();
    // More than the kernels take, which `send` allows to who does not wait for it: now everything waits here.
    for (let n = 0; n < 6; n++) void server.send(Buffer.alloc(5_000_000), room.connection(1));
    await room.receivedBy(room.guest(0));

    // 3000 bytes of frames.
    for (let n = 0; n < 1000; n++) {
      void server.publish('news', '.');
      void server.send('each by itself', room.connection(0));
    }

    const { connection } = await room.test.nextClose();
    expect(connection).toEqual(room.connection(1));
    expect(await room.receivedBy(room.guest(0))).toHaveLength(2000);
  });
});

describe('a subscriber that reads', VERY_PATIENT, () => {
  it('may be given more than the mark at once', async () => {
    const room = await Room.open(2, { limits: { queuedBytes: 0 } });
    for (const { connection } of room.guests) await room.server.subscribe(connection, 'news');
    const message = Buffer.alloc(5_000_000, 'x');

    for (let n = 0; n < 5; n++) {
      await room.server.publish('news', message);
      for (const { peer } of room.guests) {
        expect((await peer.expectFrame(Opcode.binary)).payload.equals(message)).toBe(true);
      }
      // What has left is known when the other side's next message has been read.
      await room.received();
    }
    expect(room.test.log.names).not.toContain('error');
  });

  it('is not counted for what `send` has queued', async () => {
    const room = await Room.open(1, { limits: { queuedBytes: MARK } });
    const { peer, connection } = room.guest(0);
    await room.server.subscribe(connection, 'news');
    peer.stopReading();
    // 30 MB wait, which `send` allows to who does not wait for it.
    for (let n = 0; n < 6; n++) void room.server.send(Buffer.alloc(5_000_000), connection);
    await room.server.publish('news', 'still comes');
    peer.readOn();

    for (let n = 0; n < 6; n++) await peer.expectFrame(Opcode.binary);
    expect(await peer.expectText()).toBe('still comes');
  });
});

describe('a publisher', VERY_PATIENT, () => {
  it('waits for the engine where it is far ahead, and for no subscriber', async () => {
    const room = await Room.open(2, { limits: { queuedBytes: Infinity } });
    for (const { connection } of room.guests) await room.server.subscribe(connection, 'news');
    room.peer(1).stopReading();
    const settled: number[] = [];
    const published = upTo(100).map((n) =>
      room.server.publish('news', numbered(n)).then(() => settled.push(n)),
    );
    await Promise.resolve();
    await Promise.resolve();
    // One MiB is ten of them.
    expect(settled.length).toBeLessThan(20);

    await within(Promise.all(published), 'all that was published');
    expect((await numbersOf(room.guest(0), 100)).numbers).toEqual(upTo(100));
    room.peer(1).readOn();
    expect((await numbersOf(room.guest(1), 100)).numbers).toEqual(upTo(100));
  });
});
