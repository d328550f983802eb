/**
 * Messages between where they arrive and a `for await` loop that takes them one by one. Bounded, since
 * nothing here can slow a peer down: what does not fit is not taken, and the caller has to act on it.
 */
export class MessageQueue<T> {
  readonly #maxBytes: number;
  readonly #waiting: { readonly message: T; readonly bytes: number }[] = [];
  #bytes = 0;
  /** Set once nothing more comes; the error is thrown behind what waits. */
  #end: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether it fits. */
  push(message: T, bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
    this.#wake();
    return true;
  }

  /** Nothing more comes. The first call counts. */
  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Takes the messages; `onLeft` when the loop is left, whatever the way. */
  async *take(onLeft: () => void): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const first = this.#waiting.shift();
        if (first !== undefined) {
          this.#bytes -= first.bytes;
          yield first.message;
        } else if (this.#end === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else if (this.#end.error === undefined) {
          return;
        } else {
          throw this.#end.error;
        }
      }
    } finally {
      onLeft();
    }
  }
}
