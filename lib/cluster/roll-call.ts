/** Which publishers have been silent for so long that they are forgotten: a cluster may live longer than they. */

/** After this long without a sign of life; by far longer than anybody keeps its `id` without Redis. */
const FORGET_AFTER_MS = 120 * 60_000;

export class RollCall {
  /** Since when publishers have given no sign of life. */
  readonly #silentSince = new Map<string, number>();

  /** Of those that are known, the ones to forget. `now` in milliseconds. */
  call(known: Iterable<string>, alive: ReadonlySet<string>, now: number): string[] {
    return [...new Set(known)].filter((publisher) => {
      if (alive.has(publisher)) {
        this.#silentSince.delete(publisher);
        return false;
      }
      const since = this.#silentSince.get(publisher) ?? now;
      this.#silentSince.set(publisher, since);
      if (now - since < FORGET_AFTER_MS) return false;
      this.#silentSince.delete(publisher);
      return true;
    });
  }
}
