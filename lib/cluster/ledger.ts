/**
 * Who has sent how much in one channel: what makes loss and repetition visible. Every publisher numbers its
 * messages of a channel from 1 without a hole, so a number that is skipped is a message that did not come.
 * Pure: no clock, no I/O.
 *
 * The one question is what number to expect from a publisher that was not heard yet. Whoever was there when we
 * had subscribed may have sent before: its first word counts as the beginning, and until everybody's has come
 * the ledger is not complete. Whoever came later began at 1 under our eyes.
 */

/** Numbers that did not come, both ends included. */
export interface Missing {
  readonly from: number;
  readonly to: number;
}

/** What became of a number: `repeated` is not to be delivered. */
export interface Taken {
  readonly repeated: boolean;
  readonly missing: Missing | undefined;
}

export class Ledger {
  readonly #last = new Map<string, number>();
  /** Publishers that were there before we listened and are not heard yet; `'unknown'` until `settle`. */
  #earlier: Set<string> | 'unknown' = 'unknown';

  get isSettled(): boolean {
    return this.#earlier !== 'unknown';
  }

  /** From here on nothing is lost unseen. */
  get isComplete(): boolean {
    return this.#earlier !== 'unknown' && this.#earlier.size === 0;
  }

  /** We are subscribed, and these publishers were there by then. */
  settle(present: Iterable<string>): void {
    this.#earlier = new Set([...present].filter((publisher) => !this.#last.has(publisher)));
  }

  /** Waits no longer for publishers other than these. */
  expectOnly(alive: ReadonlySet<string>): void {
    if (this.#earlier === 'unknown') return;
    for (const publisher of this.#earlier) {
      if (!alive.has(publisher)) this.#earlier.delete(publisher);
    }
  }

  /** A message came. */
  take(publisher: string, sequence: number): Taken {
    const last = this.#last.get(publisher) ?? this.#before(publisher, sequence - 1);
    if (sequence <= last) return { repeated: true, missing: undefined };
    this.#last.set(publisher, sequence);
    const missing = sequence === last + 1 ? undefined : { from: last + 1, to: sequence - 1 };
    return { repeated: false, missing };
  }

  /** A mark came: this number was used, and no later one before it. */
  mark(publisher: string, sequence: number): Missing | undefined {
    const last = this.#last.get(publisher) ?? this.#before(publisher, sequence);
    this.#last.set(publisher, Math.max(last, sequence));
    return sequence > last ? { from: last + 1, to: sequence } : undefined;
  }

  /** The first word of a publisher: the number before the first one to expect of it. */
  #before(publisher: string, heard: number): number {
    return this.#earlier === 'unknown' || this.#earlier.delete(publisher) ? heard : 0;
  }

  /** Forgets a publisher that will not come back. */
  forget(publisher: string): void {
    this.#last.delete(publisher);
  }

  publishers(): Iterable<string> {
    return this.#last.keys();
  }
}
