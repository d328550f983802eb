/**
 * JavaScript's ends of the two rings: the memory, the reading side of the up ring's positions, the
 * writing side of the down ring. `native/src/wire/ring.h` has the layout and the invariants by
 * number. Hot path: numbers and typed arrays only.
 */
import { copyTo, lengthOf } from './bytes.js';
import { type FastBuffer, HEADER_BYTES, PAD, recordBytes } from './records.js';

export const RING_HEAD_BYTES = 256;

const WRITE = 0 >> 2;
const BASE = 4 >> 2;
const READ = 64 >> 2;
const LENT_READ = 68 >> 2;
const CONSUMER = 128 >> 2;
const PRODUCER = 192 >> 2;
/** A ring that is empty after so many bytes is written from its beginning (invariant 5). */
const REWIND_BYTES = 64 * 1024;
const AWAKE = 0;
const ASLEEP = 1;

export class Ring {
  readonly memory: ArrayBuffer;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly buffer: FastBuffer;
  readonly capacity: number;
  readonly mask: number;

  /** `capacity`: a power of two, in bytes. */
  constructor(capacity: number) {
    this.memory = new ArrayBuffer(RING_HEAD_BYTES + capacity);
    this.words = new Int32Array(this.memory);
    this.bytes = new Uint8Array(this.memory);
    this.buffer = Buffer.from(this.memory) as FastBuffer;
    this.capacity = capacity;
    this.mask = capacity - 1;
  }
}

export class RingReader {
  readonly ring: Ring;
  /** Where the next record is; who has read it moves it. */
  position = 0;
  /** The write position as it was seen last. */
  #end = 0;
  #base = 0;
  #released = 0;
  #lentRead = 0;

  constructor(ring: Ring) {
    this.ring = ring;
  }

  /** The write position now: everything before it can be read. */
  available(): number {
    const { words } = this.ring;
    this.#end = Atomics.load(words, WRITE) >>> 0;
    this.#base = Atomics.load(words, BASE);
    return this.#end;
  }

  /** The same, but looks at the ring only when all that was seen last is read. */
  end(): number {
    return this.#end === this.position ? this.available() : this.#end;
  }

  /** Where in the ring's memory a position is that can be read, by what `available` has seen last. */
  offsetOf(position: number): number {
    return RING_HEAD_BYTES + ((position - this.#base) & this.ring.mask);
  }

  /** So many bytes, which the next record has lent, are dealt with when its room is given back. */
  countLent(bytes: number): void {
    this.#lentRead = (this.#lentRead + bytes) | 0;
  }

  /** Gives back the room of what lies before `position`. True if the engine waits for it. */
  release(): boolean {
    if (this.position === this.#released) return false;
    this.#released = this.position;
    const { words } = this.ring;
    Atomics.store(words, LENT_READ, this.#lentRead);
    Atomics.store(words, READ, this.position | 0);
    return takeDoorbell(words, PRODUCER);
  }

  /** Invariant 3: false if there is something to read after all. */
  trySleep(): boolean {
    const { words } = this.ring;
    Atomics.store(words, CONSUMER, ASLEEP);
    if (this.available() === this.position) return true;
    Atomics.store(words, CONSUMER, AWAKE);
    return false;
  }
}

export class RingWriter {
  readonly ring: Ring;
  #base = 0;
  #position = 0;
  #published = 0;
  #readSeen = 0;

  constructor(ring: Ring) {
    this.ring = ring;
  }

  /**
   * Room for a payload of up to `maxSize` bytes: its offset in the ring's memory, or -1 if the ring
   * is full now. `commit` follows at once.
   */
  #reserve(maxSize: number): number {
    const { capacity, mask, words } = this.ring;
    if (this.#position === this.#published && (this.#position - this.#base) >>> 0 >= REWIND_BYTES) {
      this.#rewindIfEmpty();
    }
    const need = recordBytes(maxSize);
    const offset = (this.#position - this.#base) & mask;
    const toEnd = capacity - offset;
    const total = need <= toEnd ? need : toEnd + need;
    if (capacity - ((this.#position - this.#readSeen) >>> 0) < total) {
      this.#readSeen = Atomics.load(words, READ) >>> 0;
      if (capacity - ((this.#position - this.#readSeen) >>> 0) < total) return -1;
    }
    if (need <= toEnd) return RING_HEAD_BYTES + offset + HEADER_BYTES;
    const at = (RING_HEAD_BYTES + offset) >> 2;
    words[at] = PAD;
    words[at + 1] = 0;
    words[at + 2] = toEnd - HEADER_BYTES;
    words[at + 3] = 0;
    this.#position = (this.#position + toEnd) >>> 0;
    return RING_HEAD_BYTES + HEADER_BYTES;
  }

  /** Invariant 5. */
  #rewindIfEmpty(): void {
    const { words } = this.ring;
    if (Atomics.load(words, READ) >>> 0 !== this.#position) return;
    this.#base = this.#position;
    Atomics.store(words, BASE, this.#base | 0);
  }

  #commit(offset: number, kind: number, aux: number, id: number, size: number, arg: number): void {
    const { words } = this.ring;
    const at = (offset - HEADER_BYTES) >> 2;
    words[at] = kind | (aux << 16);
    words[at + 1] = id;
    words[at + 2] = size;
    words[at + 3] = arg;
    this.#position = (this.#position + recordBytes(size)) >>> 0;
  }

  /** False if the ring is full now. */
  writeBytes(kind: number, id: number, payload: Uint8Array, aux = 0, arg = 0): boolean {
    const size = lengthOf(payload);
    const offset = this.#reserve(size);
    if (offset < 0) return false;
    copyTo(this.ring.bytes, payload, offset);
    this.#commit(offset, kind, aux, id, size, arg);
    return true;
  }

  /** The number of UTF-8 bytes, or -1 if the ring is full now. */
  writeText(kind: number, id: number, text: string, arg = 0): number {
    const maxSize = text.length * 3;
    const offset = this.#reserve(maxSize);
    if (offset < 0) return -1;
    const size = this.ring.buffer.utf8Write(text, offset, maxSize);
    this.#commit(offset, kind, 0, id, size, arg);
    return size;
  }

  get hasUnshown(): boolean {
    return this.#position !== this.#published;
  }

  /** Shows the engine what was written. True if it sleeps and must be woken. */
  publish(): boolean {
    if (this.#position === this.#published) return false;
    this.#published = this.#position;
    const { words } = this.ring;
    Atomics.store(words, WRITE, this.#position | 0);
    return takeDoorbell(words, CONSUMER);
  }

  /** Invariant 4: the engine rings when it has made room. Look once more after this. */
  waitForRoom(): void {
    Atomics.store(this.ring.words, PRODUCER, ASLEEP);
  }
}

function takeDoorbell(words: Int32Array, state: number): boolean {
  return Atomics.load(words, state) === ASLEEP && Atomics.exchange(words, state, AWAKE) === ASLEEP;
}
