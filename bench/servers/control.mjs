// What every server process of the benchmark has in common: it says on stdout where it listens,
// answers 'stats' on stdin, and ends with stdin, so that it never outlives the benchmark.

import { createInterface } from 'node:readline';

/**
 * @typedef {object} Stats
 * @property {number} atUs when this was read, on a clock of the process's own
 * @property {number} cpuUserUs of all threads, since the start
 * @property {number} cpuSystemUs
 * @property {number} rssBytes
 * @property {number} maxRssBytes
 */

/** @param {{ port: number } | Stats} value */
function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** @returns {Stats} */
function stats() {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    atUs: Number(process.hrtime.bigint() / 1000n),
    cpuUserUs: userCPUTime,
    cpuSystemUs: systemCPUTime,
    rssBytes: process.memoryUsage.rss(),
    maxRssBytes: maxRSS * 1024,
  };
}

/**
 * Tells the benchmark that the server listens, and obeys it from here on.
 *
 * @param {number} port
 */
export function listening(port) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line === 'stats') print(stats());
  });
  lines.on('close', () => process.exit(0));
  print({ port });
}
