/** JavaScript's ends of a ring, one writing what the other reads. The native ends: `test/native/ring_test.cpp`. */

import { describe, expect, it } from 'vitest';
import { HEADER_BYTES, recordBytes } from '../../lib/records.js';
import { RING_HEAD_BYTES, Ring, RingReader, RingWriter } from '../../lib/ring.js';

const KIND = 7;
const CAPACITY = 256 * 1024;
/** Two of them are enough for a ring to be written from its beginning. */
const HALF = 32 * 1024 - HEADER_BYTES;

function bothEnds() {
  const ring = new Ring(CAPACITY);
  const writer = new RingWriter(ring);
  const reader = new RingReader(ring);
  return {
    ring,
    write: (size: number, fill: string) => writer.writeBytes(KIND, 1, Buffer.alloc(size, fill)),
    publish: () => writer.publish(),
    /** The payloads of all that was published, and where they lie. */
    read() {
      const end = reader.end();
      const payloads: { text: string; offset: number }[] = [];
      while (reader.position !== end) {
        const offset = reader.offsetOf(reader.position);
        const size = ring.words[(offset >> 2) + 2] as number;
        const at = offset + HEADER_BYTES;
        payloads.push({ text: ring.buffer.toString('latin1', at, at + size), offset });
        reader.position = (reader.position + recordBytes(size)) >>> 0;
      }
      return payloads;
    },
    release: () => reader.release(),
  };
}

describe('a ring that is empty', () => {
  it('is written from its beginning, once enough was written (invariant 5)', () => {
    const { write, publish, read, release } = bothEnds();
    write(HALF, 'a');
    publish();
    expect(read().map(({ offset }) => offset)).toEqual([RING_HEAD_BYTES]);
    release();
    write(HALF, 'b');
    publish();
    expect(read().map(({ offset }) => offset)).toEqual([RING_HEAD_BYTES + 32 * 1024]);
    release();
    write(3, 'c');
    write(4, 'd');
    publish();
    expect(read()).toEqual([
      { text: 'ccc', offset: RING_HEAD_BYTES },
      { text: 'dddd', offset: RING_HEAD_BYTES + recordBytes(3) },
    ]);
  });

  it('is not empty before its room was given back', () => {
    const { write, publish, read, release } = bothEnds();
    write(HALF, 'a');
    write(HALF, 'b');
    publish();
    read();
    write(1, 'c');
    publish();
    expect(read()).toEqual([{ text: 'c', offset: RING_HEAD_BYTES + 64 * 1024 }]);
    release();
    write(1, 'd');
    publish();
    expect(read()).toEqual([{ text: 'd', offset: RING_HEAD_BYTES }]);
  });

  it('takes as much as before, over many laps', () => {
    const { write, publish, read, release } = bothEnds();
    for (let lap = 0; lap < 50; lap += 1) {
      const written: string[] = [];
      for (let n = 0; write(10_000 + 1000 * (lap % 7), String.fromCharCode(97 + n)); n += 1) {
        written.push(String.fromCharCode(97 + n));
      }
      expect(written.length * recordBytes(10_000 + 1000 * (lap % 7))).toBeGreaterThan(
        CAPACITY - 17_000,
      );
      publish();
      expect(read().map(({ text }) => text[0])).toEqual(written);
      release();
    }
  });
});
