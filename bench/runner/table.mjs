// The table at the end.

/** @typedef {import('./summary.mjs').ServerResult} ServerResult */
/** @typedef {import('./summary.mjs').Ratio} Ratio */

/**
 * @typedef {object} RowResult
 * @property {string} name
 * @property {number} size
 * @property {Record<string, ServerResult>} servers
 * @property {Record<string, Ratio>} ratios
 */

/** From here on the load generator itself may be what limits the rate. */
const BUSY_LOAD_CORES = 0.95;

/** From here on something else on the machine spoils the numbers. */
const DISTURBING_CORES = 0.1;

const HEADINGS = ['row', 'server', 'msg/s', 'min', 'max', 'MiB/s'].concat([
  'CPU µs/msg',
  'p50 µs',
  'p99 µs',
  'peak MiB',
  'load',
  'other',
]);

/**
 * @param {readonly RowResult[]} rows
 * @returns {string}
 */
export function formatTable(rows) {
  const lines = [HEADINGS];
  for (const { name, size, servers, ratios } of rows) {
    for (const [index, [server, result]] of Object.entries(servers).entries()) {
      lines.push([index === 0 ? name : '', server, ...cells(size, result)]);
    }
    for (const [pair, { median, min, max }] of Object.entries(ratios)) {
      lines.push(['', pair, median.toFixed(2), min.toFixed(2), max.toFixed(2)]);
    }
    lines.push([]);
  }
  return `${align(lines)}
rates: median of the rounds; ratios: of each round, then the median. load: cores that the load
generator used, * where it may be the limit; other: cores that anything else used, ! where that may
spoil the numbers.`;
}

/**
 * @param {number} size
 * @param {ServerResult} result
 * @returns {string[]}
 */
function cells(size, { rate, cpuUs, latencyUs, peakRssBytes, loadCores, otherCores }) {
  return [
    whole(rate.median),
    whole(rate.min),
    whole(rate.max),
    whole((rate.median * size) / 1024 ** 2),
    cpuUs.toFixed(2),
    whole(latencyUs.p50),
    whole(latencyUs.p99),
    whole(peakRssBytes / 1024 ** 2),
    `${loadCores.toFixed(2)}${loadCores >= BUSY_LOAD_CORES ? '*' : ' '}`,
    `${otherCores.toFixed(2)}${otherCores >= DISTURBING_CORES ? '!' : ' '}`,
  ];
}

/** @param {number} number */
function whole(number) {
  return Math.round(number).toLocaleString('en-US');
}

/**
 * Names to the left, numbers to the right.
 *
 * @param {readonly (readonly string[])[]} lines
 * @returns {string}
 */
function align(lines) {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const aligned = lines.map((line) =>
    line
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return aligned.join('\n');
}
