// @ts-check
/**
 * Waiting for a state to be reached: one place for the runner's bounded waits, so that none of them
 * is a sleep where an event exists.
 */

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tells waiting code that something may have changed. */
export class Changes {
  /** @type {Set<() => void>} */
  #waiters = new Set();

  notify() {
    for (const check of [...this.#waiters]) check();
  }

  /**
   * Resolves true as soon as `test` holds (looked at now and after every `notify`), false after
   * `ms`. Rejects with what `test` throws.
   *
   * @param {() => boolean} test
   * @param {number} ms
   * @returns {Promise<boolean>}
   */
  until(test, ms) {
    return new Promise((resolve, reject) => {
      const settle = (/** @type {() => void} */ how) => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        how();
      };
      const check = () => {
        try {
          if (test()) settle(() => resolve(true));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(() => settle(() => resolve(false)), ms);
      this.#waiters.add(check);
      check();
    });
  }
}

/** Named one-way switches by which the app's steps and the peer's scripts wait for each other. */
export class Signals {
  /** @type {Set<string>} */
  #raised = new Set();
  #changes = new Changes();
  #limitMs;

  /** @param {number} limitMs */
  constructor(limitMs) {
    this.#limitMs = limitMs;
  }

  /** @param {string} name */
  raise(name) {
    this.#raised.add(name);
    this.#changes.notify();
  }

  /** @param {string} name */
  async wait(name) {
    if (!(await this.#changes.until(() => this.#raised.has(name), this.#limitMs))) {
      throw new Error(`signal ${name} never came`);
    }
  }
}
