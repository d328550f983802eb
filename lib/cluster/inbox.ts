/**
 * Messages of other machines on their way to the connections of this one. While the local side asks to wait,
 * they gather here up to a bound; what comes on top is not taken, since nothing can slow Redis down.
 */

/** Delivers one message; a promise asks to wait with the next one. */
export type Deliver<T> = (message: T) => unknown;

export class Inbox<T> {
  readonly #maxBytes: number;
  readonly #deliver: Deliver<T>;
  #waiting: { readonly message: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #isBusy = false;

  constructor(maxBytes: number, deliver: Deliver<T>) {
    this.#maxBytes = maxBytes;
    this.#deliver = deliver;
  }

  get waitingBytes(): number {
    return this.#bytes;
  }

  /** Whether it was taken. */
  push(message: T, bytes: number): boolean {
    if (!this.#isBusy) {
      const asked = this.#deliver(message);
      if (isPromise(asked)) void this.#work(asked);
      return true;
    }
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** What the local side fails with is its own affair; the next message is not. */
  async #work(first: Promise<unknown>): Promise<void> {
    this.#isBusy = true;
    await settled(first);
    // In batches: taking from the front of a long array one by one is slow.
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const { message, bytes } of batch) {
        this.#bytes -= bytes;
        const asked = this.#deliver(message);
        if (isPromise(asked)) await settled(asked);
      }
    }
    this.#isBusy = false;
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}

function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch(() => undefined);
}
