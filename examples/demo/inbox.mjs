/**
 * Messages in the order they came, each taken once; whoever asks too early waits.
 */

export class Inbox {
  #messages = [];
  #readers = [];
  #ended;

  push(message) {
    const reader = this.#readers.shift();
    if (reader) reader.resolve(message);
    else this.#messages.push(message);
  }

  /** Nothing more comes: whoever waits is told why. */
  end(error) {
    this.#ended = error;
    for (const { reject } of this.#readers.splice(0)) reject(error);
  }

  next() {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }
}
