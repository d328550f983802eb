/**
 * Views of binary messages, for the application to keep: bytes of the up ring in memory of their own, which the
 * views of what lies behind them share. One allocation for many messages. Hot path.
 */
import { RING_HEAD_BYTES, type RingReader } from './ring.js';

/** The memory of views is of at most so many bytes, or of one message. */
const SLAB_BYTES = 64 * 1024;
const NO_SLAB = new ArrayBuffer(0);

export class RingViews {
  readonly #reader: RingReader;
  /** The newest copy, and the place in the ring that it is of. */
  #slab = NO_SLAB;
  #begin = 0;
  #end = 0;

  constructor(reader: RingReader) {
    this.#reader = reader;
  }

  /** Of `size` bytes at `offset` of the ring's memory, in the record that the reader is at. */
  view(offset: number, size: number): Uint8Array {
    if (offset < this.#begin || offset + size > this.#end) this.#copy(offset, size);
    return new Uint8Array(this.#slab, offset - this.#begin, size);
  }

  #copy(offset: number, size: number): void {
    const reader = this.#reader;
    const { ring, position } = reader;
    const before = offset - RING_HEAD_BYTES - (position & ring.mask);
    const readable = ((reader.available() - position) >>> 0) - before;
    this.#begin = offset;
    this.#end = Math.min(
      offset + Math.max(size, Math.min(readable, SLAB_BYTES)),
      RING_HEAD_BYTES + ring.capacity,
    );
    this.#slab = ring.bytes.slice(offset, this.#end).buffer as ArrayBuffer;
  }

  /** The place in the ring may be written anew. */
  drop(): void {
    this.#slab = NO_SLAB;
    this.#begin = 0;
    this.#end = 0;
  }
}
