/**
 * What JavaScript tells a running engine: the records of the down ring, those that wait for room in it, and
 * payloads that go beside it. Hot path: `write` runs once a message.
 *
 * Invariants:
 *  1. Records reach the engine in the order in which they were written; nothing overtakes one that waits for room.
 *  2. Data are the application's, for it to change as soon as a call returns: what has to wait is copied.
 *  3. What is written is shown as soon as what runs now gives way to the next microtask. But handlers of what comes
 *     together write together, and so do the promises that they lead to: that is shown when all have run, or when one of
 *     them writes, or has run, `GATHER_MS` after the first.
 *  4. The engine is woken only if it sleeps.
 */

import { binding } from './binding.js';
import { bytesOf, forNative, lengthOf } from './bytes.js';
import { nextTick, now, setImmediate, soon } from './later.js';
import { Down, JS_OWNED_ID } from './records.js';
import { type Ring, RingWriter } from './ring.js';

/** Payloads of this size and more go beside the ring (`UpWriter::kLargeMessageBytes`). */
const LARGE_BYTES = 64 * 1024;
/**
 * A text of this length and more that is sent again, to whatever connection, is encoded and framed once: from its second
 * time on the engine keeps it, and the ring carries nothing but who gets it.
 */
const REPEATED_CHARS = 1024;
/**
 * Binary messages of this size and more are sent at once, from where they lie. Smaller ones are copied: it is worth
 * more that those of a turn leave together.
 */
const SEND_NOW_BYTES = 256 * 1024;

/** Milliseconds. */
const GATHER_MS = 1;

const EMPTY = new Uint8Array(0);

/** Who shows the engine what is written next. */
const Shown = {
  /** Nobody yet. */
  byNobody: 0,
  /** Nobody yet, but promises that several handlers have led to may be about to write together. */
  byNobodyOfSeveral: 1,
  byMicrotask: 2,
  /** A tick, which, asked for by a microtask, runs behind all of them. */
  byTick: 3,
  /** Whoever reads what the engine tells, which is under way … */
  byReader: 4,
  /** … or goes on in a task to come. */
  byReaderLater: 5,
  /** Whoever writes it. */
  atOnce: 6,
} as const;
type Shown = (typeof Shown)[keyof typeof Shown];

/** A record that found the ring full; false if it still does. */
type Waiting = () => boolean;

export class EngineWriter {
  readonly #native: number;
  readonly #ring: RingWriter;
  readonly #sendsNow: boolean;
  /** In their order, before everything that is written later. */
  #waiting: Waiting[] = [];
  /** The last text of at least `REPEATED_CHARS` in this turn of the event loop, its size, and whether the engine keeps it. */
  readonly #lastText = { text: '', bytes: 0, kept: false };
  #shown: Shown = Shown.byNobody;
  /** Since when something gathers; 0 if nothing was seen to. */
  #since = 0;

  /** `native` names the engine at the border; `ring` is its down ring; `ownThread`: it does not run on this thread. */
  constructor(native: number, ring: Ring, ownThread: boolean) {
    this.#native = native;
    this.#ring = new RingWriter(ring);
    this.#sendsNow = !ownThread;
  }

  /** Writes a record, now or when there is room, after everything that waits. */
  post(kind: number, id: number, payload: Uint8Array = EMPTY, aux = 0, arg = 0): void {
    if (this.#waiting.length > 0 || !this.#ring.writeBytes(kind, id, payload, aux, arg)) {
      this.#wait(kind, id, payload, aux, arg);
    } else {
      this.#written();
    }
  }

  /** Writes one message to a connection; the number of its payload bytes. */
  write(id: number, data: string | ArrayBuffer | ArrayBufferView): number {
    if (typeof data === 'string') return this.#writeText(id, data);
    const bytes = bytesOf(data);
    const size = lengthOf(bytes);
    if (size >= LARGE_BYTES) this.#writeLarge(id, bytes, size);
    else this.#writeBytes(Down.binary, id, bytes, 0);
    return size;
  }

  /** Writes one message to a topic, for all but one connection (0: for all); the number of its payload bytes. */
  publish(topic: number, data: string | ArrayBuffer | ArrayBufferView, but: number): number {
    if (typeof data === 'string') {
      if (data.length < LARGE_BYTES) return this.#encode(Down.publishText, topic, data, but);
      const token = binding.putText(this.#native, data);
      this.post(Down.publishLargeText, topic, encodeId(but), 0, token);
      return Buffer.byteLength(data);
    }
    const bytes = bytesOf(data);
    const size = lengthOf(bytes);
    if (size >= LARGE_BYTES) {
      this.post(Down.publishLargeBinary, topic, encodeId(but), 0, this.#put(forNative(bytes)));
    } else {
      this.#writeBytes(Down.publishBinary, topic, bytes, but);
    }
    return size;
  }

  /** Shows the engine what is written, and wakes it if it sleeps. */
  flush(): void {
    this.#since = 0;
    let written = 0;
    while (written < this.#waiting.length) {
      if (!this.#waiting[written]?.()) {
        // The engine may have made room between the look and the wish to be told of it.
        this.#ring.waitForRoom();
        if (!this.#waiting[written]?.()) break;
      }
      written += 1;
    }
    if (written > 0) this.#waiting.splice(0, written);
    if (this.#ring.publish()) binding.wake(this.#native);
  }

  #writeText(id: number, text: string): number {
    if (text.length >= LARGE_BYTES) {
      this.post(Down.largeText, id, EMPTY, 0, binding.putText(this.#native, text));
      return Buffer.byteLength(text);
    }
    if (text.length < REPEATED_CHARS || id >= JS_OWNED_ID) {
      return this.#encode(Down.text, id, text, 0);
    }
    const last = this.#lastText;
    if (last.text !== text) {
      if (last.text === '') setImmediate(this.#forgetText).unref();
      last.text = text;
      last.kept = false;
      last.bytes = this.#encode(Down.text, id, text, 0);
    } else if (last.kept) {
      this.post(Down.sameText, id);
    } else {
      last.kept = true;
      this.#encode(Down.text, id, text, 1);
    }
    return last.bytes;
  }

  /** A text may be a piece of a larger one, which it keeps alive. */
  readonly #forgetText = (): void => {
    this.#lastText.text = '';
  };

  #writeLarge(id: number, given: Uint8Array, size: number): void {
    const bytes = forNative(given);
    const isWorthTrying = this.#sendsNow && size >= SEND_NOW_BYTES && id < JS_OWNED_ID;
    if (isWorthTrying && this.#waiting.length === 0) {
      const owesDoorbell = this.#ring.publish();
      if (binding.sendBytes(this.#native, id, bytes.buffer, bytes.byteOffset, size)) return;
      if (owesDoorbell) binding.wake(this.#native);
    }
    this.post(Down.largeBinary, id, EMPTY, 0, this.#put(bytes));
  }

  /** The token of a copy beside the ring. */
  #put(bytes: Uint8Array<ArrayBuffer>): number {
    return binding.putBytes(this.#native, bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A record whose payload is the application's, for it to change: if it has to wait, it is copied. */
  #writeBytes(kind: number, id: number, bytes: Uint8Array, arg: number): void {
    if (this.#waiting.length > 0 || !this.#ring.writeBytes(kind, id, bytes, 0, arg)) {
      this.#wait(kind, id, new Uint8Array(bytes), 0, arg);
    } else {
      this.#written();
    }
  }

  /** A record whose payload is a text; how many bytes that is. */
  #encode(kind: number, id: number, text: string, arg: number): number {
    if (this.#waiting.length === 0) {
      const size = this.#ring.writeText(kind, id, text, arg);
      if (size >= 0) {
        this.#written();
        return size;
      }
    }
    const bytes = Buffer.from(text, 'utf8');
    this.#wait(kind, id, bytes, 0, arg);
    return bytes.length;
  }

  #wait(kind: number, id: number, payload: Uint8Array, aux: number, arg: number): void {
    this.#waiting.push(() => this.#ring.writeBytes(kind, id, payload, aux, arg));
    this.#written();
  }

  /** Handlers run from now on. */
  beginReading(): void {
    this.#shown = Shown.byReader;
  }

  /** They have run for now; more follow behind the tasks that they have led to. */
  pauseReading(): void {
    this.#shown = Shown.byReaderLater;
    if (this.#ring.hasUnshown) this.#showInTime();
  }

  /** They have run; `several`: their promises may have more to write together. */
  endReading(several: boolean): void {
    this.#shown = several ? Shown.byNobodyOfSeveral : Shown.byNobody;
    this.flush();
  }

  /** There is nobody any more to show something to. */
  end(): void {
    this.#shown = Shown.byReader;
  }

  /** No task to come will run any more. */
  showAtOnce(): void {
    this.#shown = Shown.atOnce;
    this.#showAll();
  }

  /** Invariant 3. */
  #written(): void {
    switch (this.#shown) {
      case Shown.byNobody:
        this.#shown = Shown.byMicrotask;
        soon(this.#onMicrotask);
        return;
      case Shown.byNobodyOfSeveral:
        this.#shown = Shown.byTick;
        this.#since = now();
        nextTick(this.#onTick);
        return;
      case Shown.byMicrotask:
      case Shown.byReader:
        return;
      case Shown.byTick:
      case Shown.byReaderLater:
        this.#showInTime();
        return;
      case Shown.atOnce:
        this.#showAll();
        return;
    }
  }

  #showInTime(): void {
    const at = now();
    if (this.#since === 0) this.#since = at;
    else if (at - this.#since >= GATHER_MS) this.flush();
  }

  /** What waits for room too: the engine makes some while it is woken, as long as the sockets take it. */
  #showAll(): void {
    this.flush();
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting.length;
      this.flush();
      if (this.#waiting.length === waiting) return;
    }
  }

  readonly #onMicrotask = (): void => {
    if (this.#shown === Shown.byMicrotask) this.#showNow();
  };

  readonly #onTick = (): void => {
    if (this.#shown === Shown.byTick) this.#showNow();
  };

  #showNow(): void {
    this.#shown = Shown.byNobody;
    this.flush();
  }
}

function encodeId(id: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(id).buffer);
}
