/**
 * Proves that a crowd gets what is published in large runs, whole and in order: what is sent from memory that
 * the kernel lends (`native/src/wire/lent_memory.h`), with readers of every pace.
 */

import { describe, expect, it } from 'vitest';
import { VERY_PATIENT } from '../helpers/deadline.js';
import { Room } from '../helpers/room.js';

/** More than have to be there for memory to be lent. */
const CROWD = 40;
const MESSAGES = 2000;

/** Of 1 to 9,000 bytes; no two are alike, and no two places in one. */
function numbered(n: number): string {
  const length = 1 + ((n * 7919) % 9000);
  return `${n}:`.repeat(Math.ceil(length / 2)).slice(0, length) + n;
}

async function expectAll(room: Room, slow: readonly number[]): Promise<void> {
  const { server, guests } = room;
  for (const { connection } of guests) await server.subscribe(connection, 'news');
  for (const n of slow) room.peer(n).stopReading();

  for (let n = 0; n < MESSAGES; n++) {
    void server.publish('news', numbered(n));
    // What is sent in between keeps its place.
    if (n % 500 === 250) void server.send(`between ${n}`, room.connection(1));
  }

  const expected = Array.from({ length: MESSAGES }, (_, n) => numbered(n));
  const isSlow = (n: number) => slow.includes(n);
  const fast = guests.filter((_, n) => n !== 1 && !isSlow(n));
  for (const guest of fast) expect(await room.receivedBy(guest)).toEqual(expected);
  const mixed = await room.receivedBy(room.guest(1));
  expect(mixed.filter((text) => !text.startsWith('between '))).toEqual(expected);
  expect(mixed.indexOf('between 250')).toBe(251);
  for (const n of slow) {
    room.peer(n).readOn();
    expect(await room.receivedBy(room.guest(n))).toEqual(expected);
  }
}

describe('a crowd', VERY_PATIENT, () => {
  it('gets every message whole and in order, slow readers too', async () => {
    const limits = { queuedBytes: 64 << 20 };
    await expectAll(await Room.open(CROWD, { limits }), [0, 7]);
  });

  it('may leave in the middle of a run', async () => {
    const room = await Room.open(CROWD);
    for (const { connection } of room.guests) await room.server.subscribe(connection, 'news');
    for (let n = 0; n < 100; n++) void room.server.publish('news', numbered(n));
    room.peer(0).reset();
    expect((await room.receivedBy(room.guest(1))).at(-1)).toBe(numbered(99));
  });
});
