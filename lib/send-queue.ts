/**
 * What waits to be sent: of one connection, against its mark and by its policy, and of the process.
 * Bytes count from the call of `send` until it is known that they have left, or that they never will.
 * Payload only: frame headers and pings do not count.
 */

import type { BackPressure } from './types.js';
import { mismatch } from './validate.js';

/** Why `send` refused a message; for the API to turn into an error of its own. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/** A change of so many bytes is told to the other threads of the process. */
const TELL_BYTES = 64 * 1024;
/** So many bytes may have left on a thread without its knowing. */
const UNSURE_BYTES = 64 * 1024 * 1024;

/** This thread's part of what waits in the process, and the limit that holds on this thread. */
class ProcessQueue {
  limit: number = Number.POSITIVE_INFINITY;
  /** Adds to what waits in the process, and gives the sum; the engine's. */
  count: (bytes: number) => number = (bytes) => this.#told + bytes;
  /** Each asks every connection of an engine of this thread what has left. */
  readonly askers: (() => void)[] = [];
  #own = 0;
  #told = 0;
  #others = 0;
  #askAbove = 0;

  add(bytes: number): void {
    this.#own += bytes;
    if (Math.abs(this.#own - this.#told) >= TELL_BYTES) this.#tell();
  }

  /** Whether more than the limit would wait with so many bytes more. */
  isOver(bytes: number): boolean {
    if (this.limit === Number.POSITIVE_INFINITY) return false;
    this.#tell();
    return this.#own + this.#others + bytes > this.limit;
  }

  #tell(): void {
    this.#others = this.count(this.#own - this.#told) - this.#own;
    this.#told = this.#own;
    const high = Math.min(UNSURE_BYTES, this.limit / 2);
    if (this.#own <= high) {
      this.#askAbove = high;
    } else if (this.#own > this.#askAbove) {
      this.#askAbove = this.#own + high / 4;
      for (const ask of this.askers) ask();
    }
  }
}

// Not exported where it is declared: compiled, every use would go through `exports`.
const processQueue: ProcessQueue = new ProcessQueue();

/**
 * Beyond OHOS. Sets how many bytes given to `send` may wait in the process, all connections and
 * threads together; the limit holds for what is sent on the calling thread. Above it every connection
 * does what its `backPressure` says. An integer from 0, or Infinity, the default. Throws a TypeError
 * if it is no such number.
 */
export function setQueuedBytesLimit(bytes: number): void {
  const isLimit = bytes === Number.POSITIVE_INFINITY || (Number.isSafeInteger(bytes) && bytes >= 0);
  if (!isLimit) throw new TypeError(mismatch('bytes', 'an integer from 0, or Infinity', bytes));
  processQueue.limit = bytes;
}

export { processQueue };

/** The options that a queue goes by. */
export interface QueueRules {
  readonly limits: Readonly<Record<string, number>>;
  readonly backPressure: BackPressure;
}

export class SendQueue {
  readonly mark: number;
  /** What is above the mark is refused, and the connection closed as well. */
  readonly refuses: boolean;
  readonly closes: boolean;
  #bytes = 0;

  constructor({ limits, backPressure }: QueueRules) {
    this.mark = limits['queuedBytes'] ?? Number.POSITIVE_INFINITY;
    this.refuses = backPressure !== 'wait';
    this.closes = backPressure === 'close';
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many bytes wait then; Infinity, if the process has a limit to look at. */
  add(bytes: number): number {
    this.#bytes += bytes;
    processQueue.add(bytes);
    return processQueue.limit === Number.POSITIVE_INFINITY ? this.#bytes : Number.POSITIVE_INFINITY;
  }

  clear(): void {
    this.add(-this.#bytes);
  }

  /** Whether so much waits that the next message has to wait too. */
  isAbove(): boolean {
    return this.#bytes > this.mark || processQueue.isOver(0);
  }

  /** Why this message is refused. Not where the policy is to wait. */
  refusal(data: string | ArrayBuffer | ArrayBufferView): QueueFull | undefined {
    if (!this.refuses) return undefined;
    const bytes = byteLength(data);
    if (this.#bytes + bytes > this.mark) {
      return new QueueFull(
        `${bytes} bytes more than the ${this.#bytes} that wait are above ${this.mark}`,
      );
    }
    return processQueue.isOver(bytes)
      ? new QueueFull(`${bytes} bytes more are above the process's ${processQueue.limit}`)
      : undefined;
  }
}

/** Bytes of a message on the wire, uncompressed. */
export function byteLength(data: string | ArrayBuffer | ArrayBufferView): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
}

/** Reads the option `backPressure`. A string in `problem` is the reason for a 401. */
export function readBackPressure(given: unknown): BackPressure | { readonly problem: string } {
  if (given === undefined) return 'wait';
  return given === 'wait' || given === 'fail' || given === 'close'
    ? given
    : { problem: mismatch('backPressure', "'wait', 'fail' or 'close'", given) };
}
