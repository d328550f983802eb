// From samples to medians, spreads and ratios.

/** @typedef {import('./sample.mjs').Sample} Sample */
/** @typedef {{ median: number, min: number, max: number }} Spread */

/**
 * @typedef {object} ServerResult
 * @property {Spread} rate
 * @property {number} cpuUs median
 * @property {number} loadCores median
 * @property {number} otherCores the worst
 * @property {number} peakRssBytes the highest
 * @property {{ p50: number, p99: number, max: number }} latencyUs medians; of max the highest
 * @property {Sample[]} samples
 */

/** @typedef {Spread & { rounds: number[] }} Ratio */

/**
 * @param {number[]} numbers
 * @returns {number}
 */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * @param {number[]} numbers
 * @returns {Spread}
 */
export function spread(numbers) {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * @param {Sample[]} samples of one server and row, one a round
 * @returns {ServerResult}
 */
export function summarize(samples) {
  /** @param {(sample: Sample) => number} pick */
  const all = (pick) => samples.map(pick);
  return {
    rate: spread(all(({ rate }) => rate)),
    cpuUs: median(all(({ cpuUs }) => cpuUs)),
    loadCores: median(all(({ loadCores }) => loadCores)),
    otherCores: Math.max(...all(({ otherCores }) => otherCores)),
    peakRssBytes: Math.max(...all(({ peakRssBytes }) => peakRssBytes)),
    latencyUs: {
      p50: median(all(({ latencyUs }) => latencyUs.p50)),
      p99: median(all(({ latencyUs }) => latencyUs.p99)),
      max: Math.max(...all(({ latencyUs }) => latencyUs.max)),
    },
    samples,
  };
}

/**
 * The ratio of rates, taken within each round, where both ran one after the other.
 *
 * @param {Sample[]} samples
 * @param {Sample[]} others
 * @returns {Ratio}
 */
export function ratio(samples, others) {
  const rounds = samples.map(({ rate }, round) => rate / (others[round]?.rate ?? Number.NaN));
  return { ...spread(rounds), rounds };
}
