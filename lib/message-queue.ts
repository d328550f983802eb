/**
 * Messages between where they arrive and a `for await` loop that takes them one by one. Bounded by holding
 * up where they come from: above the mark it is paused, and below half of the mark it goes on.
 */

import type { Flow } from './flow.js';

export class MessageQueue<T> {
  readonly #markBytes: number;
  readonly #flow: Flow;
  readonly #waiting: { readonly message: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #isPaused = false;
  /** Set once nothing more comes; the error is thrown behind what waits. */
  #end: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(markBytes: number, flow: Flow) {
    this.#markBytes = markBytes;
    this.#flow = flow;
  }

  push(message: T, bytes: number): void {
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
    if (this.#bytes > this.#markBytes && !this.#isPaused) {
      this.#isPaused = true;
      this.#flow.pause();
    }
    this.#wake();
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
          if (this.#bytes <= this.#markBytes / 2) this.#resume();
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
      this.#resume();
    }
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#flow.resume();
  }
}
