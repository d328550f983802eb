/**
 * What was published and has not reached the queues of those who get it: how far JavaScript is ahead of one
 * engine. What waits in those queues the engine counts, connection by connection.
 */

import { processQueue } from './send-queue.js';

/** Further ahead than this `publish` waits; from half of it on the engine is asked. */
const AHEAD_BYTES = 1024 * 1024;

/** No request is under way. */
const NOT_ASKED = -1;

export class PublishQueue {
  readonly #ask: () => void;
  #bytes = 0;
  /** Bytes that the request under way covers. */
  #asked = NOT_ASKED;
  #publishers: (() => void)[] = [];

  /** `ask` asks the engine to say when it has come to this point; it calls `onPublished` then. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** A message of so many bytes more. A promise, if the next one had better wait. */
  add(bytes: number): Promise<void> | undefined {
    this.#count(bytes);
    const isAbove = this.#bytes > AHEAD_BYTES || processQueue.isOver(0);
    if (isAbove || this.#bytes > AHEAD_BYTES / 2) this.askIfUnsure();
    if (!isAbove) return undefined;
    return new Promise((resolve) => {
      this.#publishers.push(resolve);
    });
  }

  askIfUnsure(): void {
    if (this.#bytes === 0 || this.#asked !== NOT_ASKED) return;
    this.#asked = this.#bytes;
    this.#ask();
  }

  onPublished(): void {
    this.#count(-this.#asked);
    this.#asked = NOT_ASKED;
    if (this.#bytes > AHEAD_BYTES / 2) this.askIfUnsure();
    this.#resume();
  }

  /** The engine has stopped. */
  clear(): void {
    this.#count(-this.#bytes);
    this.#asked = NOT_ASKED;
    this.#resume();
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    processQueue.add(bytes);
  }

  #resume(): void {
    if (this.#bytes > AHEAD_BYTES) return;
    const publishers = this.#publishers;
    this.#publishers = [];
    for (const resolve of publishers) resolve();
  }
}
