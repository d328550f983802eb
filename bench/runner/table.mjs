// The table at the end.

import { METRICS } from './rows.mjs';
import { isLoadLimit } from './summary.mjs';

/** @typedef {import('./summary.mjs').RowResult} RowResult */
/** @typedef {import('./summary.mjs').ContestantResult} ContestantResult */
/** @typedef {import('./summary.mjs').JudgedGoal} JudgedGoal */

/** From here on something else on the machine spoils the numbers. */
const DISTURBING_CORES = 0.1;

const HEADINGS = ['row', 'of', 'median', 'min', 'max', 'unit'].concat([
  'CPU µs',
  'cores',
  'p50 µs',
  'p99 µs',
  'peak MiB',
  'load',
  'other',
]);

/** Columns that are text. */
const TEXT_COLUMNS = [0, 1, 5];

/**
 * @param {readonly RowResult[]} rows
 * @returns {string}
 */
export function formatTable(rows) {
  const lines = [HEADINGS];
  for (const { name, metric, results, ratios, goals } of rows) {
    for (const [index, [contestant, result]] of Object.entries(results).entries()) {
      lines.push([index === 0 ? name : '', shortName(contestant), ...cells(metric, result)]);
    }
    for (const { of, against, median, min, max } of ratios) {
      const pair = `${shortName(of)}÷${shortName(against)}`;
      lines.push(['', pair, median.toFixed(2), min.toFixed(2), max.toFixed(2)]);
    }
    const late = Object.entries(results).flatMap(([contestant, { lateUs }]) =>
      lateUs === null ? [] : `${shortName(contestant)} ${formatNumber(lateUs, 0)}`,
    );
    if (late.length > 0)
      lines.push(['', `of it the load itself, µs late (p99): ${late.join(', ')}`]);
    for (const goal of goals) lines.push(['', formatGoal(goal)]);
    lines.push([]);
  }
  return `${align(lines)}
median, min, max: of the rounds; ratios are taken in each round. CPU µs: of the measured process for
each message (delivery, connection); cores: that it used. load: cores that the other side used, *
where it was the limit; other: cores that anything else used, ! where that may spoil the numbers.`;
}

/**
 * @param {JudgedGoal} goal
 * @returns {string}
 */
export function formatGoal({ of, against, metric, atLeast, atMost, reached, byCpu, verdict }) {
  const what = against ? `${of}÷${against}` : of;
  const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  const { unit, digits } = METRICS[metric];
  const isOther = against === undefined;
  const got = reached === null ? '' : `: ${reached.toFixed(isOther ? Math.max(digits, 2) : 2)}`;
  return `${verdict.toUpperCase()}  ${what} ${bound}${isOther ? ` ${unit}` : ''}${got}${byCpu ? ' by CPU time, the load was the limit' : ''}`;
}

/**
 * @param {string} contestant
 * @returns {string} without the path that a name may hold
 */
export function shortName(contestant) {
  const at = contestant.indexOf('@');
  if (at < 0) return contestant;
  const commit = contestant.split('/').pop() ?? '';
  return `${contestant.slice(0, at + 1)}${commit.slice(0, 7)}`;
}

/**
 * @param {import('./rows.mjs').MetricName} metric
 * @param {ContestantResult} result
 * @returns {string[]}
 */
function cells(metric, result) {
  const { value, cpuUs, measuredCores, latencyUs, peakRssBytes, loadCores, otherCores } = result;
  const { unit, digits } = METRICS[metric];
  return [
    formatNumber(value.median, digits),
    formatNumber(value.min, digits),
    formatNumber(value.max, digits),
    unit,
    cpuUs === null ? '–' : cpuUs.toFixed(2),
    measuredCores.toFixed(measuredCores < 0.1 ? 4 : 2),
    latencyUs === null ? '–' : formatNumber(latencyUs.p50, 0),
    latencyUs === null ? '–' : formatNumber(latencyUs.p99, 0),
    formatNumber(peakRssBytes / 1024 ** 2, 0),
    `${loadCores.toFixed(2)}${METRICS[metric].isRate && isLoadLimit(result) ? '*' : ' '}`,
    `${otherCores.toFixed(2)}${otherCores >= DISTURBING_CORES ? '!' : ' '}`,
  ];
}

/**
 * @param {number} number
 * @param {number} digits behind the point
 * @returns {string}
 */
export function formatNumber(number, digits) {
  return number.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/**
 * Text to the left, numbers to the right. A line of two cells is a remark, as wide as it is.
 *
 * @param {readonly (readonly string[])[]} lines
 * @returns {string}
 */
function align(lines) {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...lines.map((line) => (line.length > 2 ? (line[column]?.length ?? 0) : 0))),
  );
  const aligned = lines.map((line) =>
    line
      .map((cell, column) =>
        TEXT_COLUMNS.includes(column)
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return aligned.join('\n');
}
