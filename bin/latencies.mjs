// Counts latencies in buckets whose width is a thirty-second of their power of two, so that every percentile is known to
// about three percent, in a fixed amount of memory.
const PER_OCTAVE = 32;

export class Latencies {
  #buckets = new Float64Array(64 * PER_OCTAVE);
  #count = 0;
  #least = Number.POSITIVE_INFINITY;
  #greatest = 0;

  get count() {
    return this.#count;
  }

  get greatest() {
    return this.#greatest;
  }

  /** `nanoseconds` is 0 or more. */
  add(nanoseconds) {
    this.#buckets[indexOf(nanoseconds)] += 1;
    this.#count += 1;
    this.#least = Math.min(this.#least, nanoseconds);
    this.#greatest = Math.max(this.#greatest, nanoseconds);
  }

  /** The latency that this part (0 to 1) of all do not exceed; 0 of none. */
  percentile(part) {
    let left = Math.ceil(part * this.#count);
    for (let index = 0; index < this.#buckets.length && this.#count > 0; index++) {
      left -= this.#buckets[index];
      if (left <= 0) return Math.min(upperEndOf(index), this.#greatest);
    }
    return 0;
  }

  /** `[upper end, how many]` of `rows` ranges between the least and the greatest, each longer by the same factor. */
  ranges(rows) {
    if (this.#count === 0) return [];
    const first = Math.max(1, this.#least);
    const factor = (Math.max(this.#greatest, first * 1.01) / first) ** (1 / rows);
    const found = Array.from({ length: rows }, (_, row) => [first * factor ** (row + 1), 0]);
    for (let index = 0; index < this.#buckets.length; index++) {
      if (this.#buckets[index] === 0) continue;
      const middle = Math.max(first, upperEndOf(index) * (1 - 0.5 / PER_OCTAVE));
      const row = Math.floor(Math.log(middle / first) / Math.log(factor));
      found[Math.min(row, rows - 1)][1] += this.#buckets[index];
    }
    return found;
  }
}

function indexOf(nanoseconds) {
  const value = Math.max(1, nanoseconds);
  const octave = Math.floor(Math.log2(value));
  return (
    octave * PER_OCTAVE +
    Math.min(PER_OCTAVE - 1, Math.floor((value / 2 ** octave - 1) * PER_OCTAVE))
  );
}

function upperEndOf(index) {
  const octave = Math.floor(index / PER_OCTAVE);
  return 2 ** octave * (1 + ((index % PER_OCTAVE) + 1) / PER_OCTAVE);
}
