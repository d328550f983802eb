// From samples to medians, spreads and ratios, and what they mean for a row's goals.

import { METRICS } from './rows.mjs';

/** @typedef {import('./sample.mjs').Sample} Sample */
/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {import('./rows.mjs').Goal} Goal */
/** @typedef {import('./rows.mjs').MetricName} MetricName */
/** @typedef {{ median: number, min: number, max: number }} Spread */

/**
 * @typedef {object} ContestantResult
 * @property {Spread} value of the row's metric
 * @property {number | null} cpuUs median
 * @property {number} measuredCores median
 * @property {number} loadCores median
 * @property {number} otherCores the worst
 * @property {number} peakRssBytes the highest
 * @property {import('./sample.mjs').Latencies | null} latencyUs medians; of max the highest
 * @property {number | null} lateUs of the load itself; median
 * @property {Sample[]} samples
 */

/** @typedef {Spread & { of: string, against: string, rounds: number[] }} Ratio */

/**
 * @typedef {Goal & {
 *   reached: number | null,
 *   byCpu: boolean,
 *   verdict: 'pass' | 'fail' | 'at ceiling' | 'not measured',
 * }} JudgedGoal
 * `byCpu`: the ratio is of rates a second of CPU time, since the load was the limit. `at ceiling`: the
 * goal is missed, but the row's ceiling is not ahead by more than 5 % in the same run
 */

/**
 * Whether the other side, one thread, worked more than the measured process: then it is what limits
 * the rate.
 *
 * @param {Pick<ContestantResult, 'loadCores' | 'measuredCores'>} result
 * @returns {boolean}
 */
export function isLoadLimit({ loadCores, measuredCores }) {
  return loadCores > measuredCores;
}

/**
 * @typedef {Omit<Row, 'goals'> & {
 *   contestants: readonly string[],
 *   rate?: number,
 *   results: Record<string, ContestantResult>,
 *   ratios: Ratio[],
 *   goals: JudgedGoal[],
 * }} RowResult
 */

/**
 * @param {number[]} numbers
 * @returns {number}
 */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * @param {number[]} numbers
 * @returns {Spread}
 */
function spread(numbers) {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * @param {Sample[]} samples of one contestant and row, one a round
 * @param {MetricName} metric
 * @returns {ContestantResult}
 */
function summarize(samples, metric) {
  /** @param {(sample: Sample) => number} pick */
  const all = (pick) => samples.map(pick);
  const latencies = samples.flatMap(({ latencyUs }) => latencyUs ?? []);
  /** @param {'p50' | 'p90' | 'p99' | 'p999'} name */
  const quantile = (name) => median(latencies.map((latency) => latency[name]));
  return {
    value: spread(all(METRICS[metric].of)),
    cpuUs: samples.some(({ cpuUs }) => cpuUs === null)
      ? null
      : median(all(({ cpuUs }) => cpuUs ?? Number.NaN)),
    measuredCores: median(all(({ measuredCores }) => measuredCores)),
    loadCores: median(all(({ loadCores }) => loadCores)),
    otherCores: Math.max(...all(({ otherCores }) => otherCores)),
    peakRssBytes: Math.max(...all(({ peakRssBytes }) => peakRssBytes)),
    latencyUs:
      latencies.length === 0
        ? null
        : {
            p50: quantile('p50'),
            p90: quantile('p90'),
            p99: quantile('p99'),
            p999: quantile('p999'),
            max: Math.max(...latencies.map(({ max }) => max)),
          },
    lateUs: samples.some(({ lateUs }) => lateUs === undefined)
      ? null
      : median(all(({ lateUs }) => lateUs ?? Number.NaN)),
    samples,
  };
}

/**
 * A ratio, taken within each round, where both ran one after the other.
 *
 * @param {Record<string, ContestantResult>} results
 * @param {string} of
 * @param {string} against
 * @param {(sample: Sample) => number} value
 * @returns {Ratio | undefined}
 */
function ratio(results, of, against, value) {
  const [own, others] = [results[of]?.samples, results[against]?.samples];
  if (!own || !others) return undefined;
  const rounds = own.map((sample, round) => {
    const other = others[round];
    return other ? value(sample) / value(other) : Number.NaN;
  });
  return { of, against, ...spread(rounds), rounds };
}

/**
 * A contestant that failed in any round has no result.
 *
 * @param {Row} row
 * @param {ReadonlyMap<string, Sample[]>} samples by contestant
 * @param {number} rounds
 * @param {number} [rate] `paced`: the rate
 * @returns {RowResult}
 */
export function judge(row, samples, rounds, rate) {
  const complete = [...samples].filter(([, { length }]) => length === rounds);
  const results = Object.fromEntries(
    complete.map(([name, taken]) => [name, summarize(taken, row.metric)]),
  );
  const contestants = [...samples.keys()];
  const [first = '', ...others] = contestants;
  const pairs = new Map(others.map((other) => [`${first} ${other}`, [first, other]]));
  for (const { of, against } of row.goals) {
    if (against !== undefined) pairs.set(`${of} ${against}`, [of, against]);
  }
  const ratios = [...pairs.values()].flatMap(
    ([of = '', against = '']) => ratio(results, of, against, METRICS[row.metric].of) ?? [],
  );
  const goals = row.goals.map((goal) => judgeGoal(row, goal, results));
  return { ...row, contestants, ...(rate && { rate }), results, ratios, goals };
}

/**
 * What two contestants are compared by. The rate of one that waits for the load is less than it could be, and to be
 * measured against it would be too easy. Then what counts is how many the CPU time that it took is good for.
 *
 * @param {MetricName} metric
 * @param {ContestantResult | undefined} other the one that is compared with
 * @returns {{ byCpu: boolean, value: (sample: Sample) => number }}
 */
function measureAgainst(metric, other) {
  const byCpu = other !== undefined && METRICS[metric].isRate && isLoadLimit(other);
  return { byCpu, value: byCpu ? ({ cpuUs }) => 1e6 / (cpuUs ?? Number.NaN) : METRICS[metric].of };
}

/**
 * @param {Row} row
 * @param {Goal} goal
 * @param {Record<string, ContestantResult>} results
 * @returns {JudgedGoal}
 */
function judgeGoal({ ceiling }, goal, results) {
  const { of, against, metric } = goal;
  const { byCpu, value } = measureAgainst(metric, results[against ?? '']);
  const reached =
    against === undefined
      ? median(results[of]?.samples.map(value) ?? [])
      : (ratio(results, of, against, value)?.median ?? Number.NaN);
  if (Number.isNaN(reached)) return { ...goal, reached: null, byCpu, verdict: 'not measured' };
  const isReached = reached >= (goal.atLeast ?? -Infinity) && reached <= (goal.atMost ?? Infinity);
  if (isReached) return { ...goal, reached, byCpu, verdict: 'pass' };
  const { value: ceilingValue } = measureAgainst(metric, results[ceiling]);
  const ofCeiling = ratio(results, of, ceiling, ceilingValue)?.median ?? Number.NaN;
  const isAtCeiling = METRICS[metric].lowerIsBetter ? ofCeiling <= 1.05 : ofCeiling >= 0.95;
  return { ...goal, reached, byCpu, verdict: isAtCeiling ? 'at ceiling' : 'fail' };
}
