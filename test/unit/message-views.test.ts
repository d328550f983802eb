/** Views of what comes through the ring: their bytes, what they share, and that a lap of the ring does not mix them up. */

import { describe, expect, it } from 'vitest';
import { MessageViews } from '../../lib/message-views.js';
import { HEADER_BYTES, recordBytes } from '../../lib/records.js';
import { RING_HEAD_BYTES, Ring, RingReader } from '../../lib/ring.js';

const CAPACITY = 1024;

/** A ring whose records are written one behind the other by the test, which knows how much room there is. */
function ringOf() {
  const reader = new RingReader(new Ring(CAPACITY));
  const views = new MessageViews(reader);
  let written = 0;
  return {
    views,
    write(...payloads: Buffer[]) {
      for (const payload of payloads) {
        payload.copy(reader.ring.bytes, RING_HEAD_BYTES + (written % CAPACITY) + HEADER_BYTES);
        written += recordBytes(payload.length);
      }
      Atomics.store(reader.ring.words, 0, written);
    },
    next(size: number): Uint8Array {
      const view = views.ofRing(size);
      this.skip(size);
      return view;
    },
    skip(size: number) {
      reader.position += recordBytes(size);
    },
  };
}

function payload(size: number, fill: string): Buffer {
  return Buffer.alloc(size, fill);
}

describe('views of the ring', () => {
  it('have the bytes of their message, and share memory with those that were there already', () => {
    const ring = ringOf();
    ring.write(payload(64, 'a'), payload(0, ''), payload(48, 'b'));
    const [first, empty, second] = [ring.next(64), ring.next(0), ring.next(48)];
    expect(Buffer.from(first).toString()).toBe('a'.repeat(64));
    expect(empty).toHaveLength(0);
    expect(Buffer.from(second).toString()).toBe('b'.repeat(48));
    expect(second.buffer).toBe(first.buffer);
  });

  it('stay as they are when the ring is written anew', () => {
    const ring = ringOf();
    ring.write(payload(240, 'a'));
    const view = ring.next(240);
    for (const fill of ['b', 'c', 'd', 'e']) {
      ring.write(payload(240, fill));
      ring.skip(240);
    }
    expect(Buffer.from(view).toString()).toBe('a'.repeat(240));
  });

  it('are copied anew when an application has handed on the memory of those before', () => {
    const ring = ringOf();
    ring.write(payload(64, 'a'), payload(64, 'b'));
    const first = ring.next(64);
    structuredClone(first, { transfer: [first.buffer as ArrayBuffer] });
    expect(first).toHaveLength(0);
    expect(Buffer.from(ring.next(64)).toString()).toBe('b'.repeat(64));
  });

  it.each([240, 112])('have their own bytes in the place of a lap before, of %i bytes', (size) => {
    const ring = ringOf();
    const perLap = CAPACITY / recordBytes(size);
    // In one turn: nothing is dropped.
    for (let n = 0; n < 5 * perLap; n++) {
      const fill = String.fromCharCode(97 + (n % 26));
      ring.write(payload(size, fill));
      // Of each lap but the first, the place of its first view is read before any other.
      if (n % (perLap + 1) === 0) {
        expect(Buffer.from(ring.next(size)).toString()).toBe(fill.repeat(size));
      } else {
        ring.skip(size);
      }
    }
    ring.views.drop();
    ring.write(payload(size, 'z'));
    expect(Buffer.from(ring.next(size)).toString()).toBe('z'.repeat(size));
  });

  it('have their own bytes in the very place of a view of a lap before', () => {
    const ring = ringOf();
    for (const fill of ['a', 'b', 'c']) {
      ring.write(payload(240, fill), payload(240, 'x'), payload(240, 'x'), payload(240, 'x'));
      expect(Buffer.from(ring.next(240)).toString()).toBe(fill.repeat(240));
      for (let n = 0; n < 3; n++) ring.skip(240);
    }
  });
});

describe('views of a block that the engine lends', () => {
  it('are of the block that came last, and errors without one', () => {
    const views = new MessageViews(new RingReader(new Ring(CAPACITY)));
    const [one, other] = [new ArrayBuffer(100), new ArrayBuffer(100)];
    views.lendFrom(one);
    expect(views.lent(10, 20)).toMatchObject({ buffer: one, byteOffset: 10, byteLength: 20 });
    views.lendFrom(other);
    expect(views.lent(10, 20).buffer).toBe(other);
    views.lendFrom(undefined);
    expect(() => views.lent(10, 20)).toThrow(RangeError);
  });
});
