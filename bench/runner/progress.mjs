// Tells how far the benchmark is: one line that changes on a terminal, a line a run elsewhere.

export class Progress {
  #total;
  #done = 0;
  #startedMs = performance.now();
  #onTerminal = process.stderr.isTTY === true;

  /** @param {number} total how many runs there will be */
  constructor(total) {
    this.#total = total;
  }

  /** @param {string} what the run that begins */
  begin(what) {
    if (!this.#onTerminal) return;
    const left = this.#done === 0 ? '' : `, ${this.#left()} left`;
    process.stderr.write(`\r\u001b[K[${this.#done + 1}/${this.#total}${left}] ${what} …`);
  }

  /**
   * @param {string} what the run that ended
   * @param {string} outcome
   */
  end(what, outcome) {
    this.#done += 1;
    if (this.#onTerminal) return;
    process.stderr.write(
      `[${this.#done}/${this.#total}, ${this.#left()} left] ${what}: ${outcome}\n`,
    );
  }

  /** @param {string} what happens between the runs */
  note(what) {
    process.stderr.write(this.#onTerminal ? `\r\u001b[K${what} …` : `${what}\n`);
  }

  /** @param {number} runs that will not be */
  skip(runs) {
    this.#total -= runs;
  }

  /** Takes the line away. */
  clear() {
    if (this.#onTerminal) process.stderr.write('\r\u001b[K');
  }

  #left() {
    const spentMs = performance.now() - this.#startedMs;
    const seconds = ((spentMs / this.#done) * (this.#total - this.#done)) / 1000;
    return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
  }
}
