/**
 * Views of binary messages, for the application to keep: small ones of bytes of the up ring in memory of their own,
 * which the views of what lies behind them share, so one allocation for many messages; larger ones of the memory that
 * they were received in, which the engine has lent. Hot path.
 *
 * Invariants:
 *  1. What was copied is known by where it stood in all that has come through the ring, never by its place in
 *     the ring's memory. A turn may read more than the ring holds, and then meets other bytes in the same place.
 *  2. What is lent is of the block that came last: `native/src/wire/receive_memory.h`.
 */
import { HEADER_BYTES } from './records.js';
import type { RingReader } from './ring.js';

/** The memory of copies is of at most so many bytes, or of one message. */
const SLAB_BYTES = 64 * 1024;
const NO_MEMORY = new ArrayBuffer(0);

export class MessageViews {
  readonly #reader: RingReader;
  /** The newest copy, how many bytes it has, and the position of the first. */
  #slab = NO_MEMORY;
  #size = 0;
  #position = 0;
  /** What the engine lends from. */
  #block = NO_MEMORY;

  constructor(reader: RingReader) {
    this.#reader = reader;
  }

  /** Of the payload of `size` bytes of the record that the reader is at. */
  ofRing(size: number): Uint8Array {
    const position = (this.#reader.position + HEADER_BYTES) >>> 0;
    const offset = (position - this.#position) >>> 0;
    // An application may have transferred it, with the views that it has.
    if (offset + size <= this.#size && this.#slab.byteLength !== 0) {
      return new Uint8Array(this.#slab, offset, size);
    }
    this.#copy(position, size);
    return new Uint8Array(this.#slab, 0, size);
  }

  #copy(position: number, size: number): void {
    const reader = this.#reader;
    const { bytes } = reader.ring;
    const readable = (reader.available() - position) >>> 0;
    const begin = reader.offsetOf(position);
    const end = Math.min(begin + Math.max(size, Math.min(readable, SLAB_BYTES)), bytes.length);
    this.#slab = bytes.slice(begin, end).buffer as ArrayBuffer;
    this.#size = end - begin;
    this.#position = position;
  }

  /** The next block; undefined: there is none, and messages of it are errors. */
  lendFrom(block: ArrayBuffer | undefined): void {
    this.#block = block ?? NO_MEMORY;
  }

  /** Of the block. */
  lent(offset: number, size: number): Uint8Array {
    return new Uint8Array(this.#block, offset, size);
  }

  /** When there is nothing more to read for now: the newest copy is not kept for nobody. */
  drop(): void {
    this.#slab = NO_MEMORY;
    this.#size = 0;
  }
}
