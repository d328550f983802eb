// The benchmark: echo servers side by side under one load, each answer verified. See README.md.

import { mkdirSync, writeFileSync } from 'node:fs';
import { killChildren } from './runner/children.mjs';
import { choosePinning } from './runner/cores.mjs';
import { commit, machine, versions } from './runner/machine.mjs';
import { parseOptions, USAGE } from './runner/options.mjs';
import { RESULTS_DIRECTORY } from './runner/paths.mjs';
import { checkOurs, compile, installPeers } from './runner/prepare.mjs';
import { Progress } from './runner/progress.mjs';
import { ROWS } from './runner/rows.mjs';
import { takeSample } from './runner/sample.mjs';
import { selfTest } from './runner/self-test.mjs';
import { SERVERS } from './runner/servers.mjs';
import { ratio, summarize } from './runner/summary.mjs';
import { formatTable } from './runner/table.mjs';

/** @typedef {import('./runner/options.mjs').Options} Options */
/** @typedef {import('./runner/sample.mjs').Sample} Sample */
/** @typedef {import('./runner/table.mjs').RowResult} RowResult */

/**
 * Measures one row: all servers in turn, as often as there are rounds.
 *
 * @param {import('./runner/rows.mjs').Row} row
 * @param {Options} options
 * @param {import('./runner/cores.mjs').Pinning} pinning
 * @param {Progress} progress
 * @param {string[]} failures is added to
 * @returns {Promise<RowResult>}
 */
async function measureRow(row, options, pinning, progress, failures) {
  const samples = new Map(options.servers.map((server) => [server, /** @type {Sample[]} */ ([])]));
  for (let round = 1; round <= options.rounds; ++round) {
    for (const [server, taken] of samples) {
      const what = `${row.name}, ${server}, round ${round} of ${options.rounds}`;
      progress.begin(what);
      try {
        const sample = await takeSample(server, row, options, pinning);
        taken.push(sample);
        progress.end(what, `${Math.round(sample.rate).toLocaleString('en-US')} msg/s`);
      } catch (error) {
        const { message } = /** @type {Error} */ (error);
        failures.push(`${what}: ${message}`);
        progress.end(what, `FAILED: ${message.split('\n', 1)[0]}`);
      }
    }
  }
  return { ...row, ...compare(samples, options.rounds) };
}

/**
 * A server that failed in any round has no result in this row.
 *
 * @param {Map<string, Sample[]>} samples
 * @param {number} rounds
 * @returns {Pick<RowResult, 'servers' | 'ratios'>}
 */
function compare(samples, rounds) {
  const complete = [...samples].filter(([, { length }]) => length === rounds);
  const servers = Object.fromEntries(complete.map(([name, taken]) => [name, summarize(taken)]));
  const base = [...samples.keys()][0] ?? '';
  const taken = servers[base]?.samples;
  const ratios = taken
    ? complete
        .filter(([name]) => name !== base)
        .map(([name, others]) => [`${base}÷${name}`, ratio(taken, others)])
    : [];
  return { servers, ratios: Object.fromEntries(ratios) };
}

/**
 * @param {Options} options
 * @returns {Promise<number>} the exit status
 */
async function bench(options) {
  const pinning = choosePinning(options.cores);
  const started = new Date();
  /** @type {string[]} */
  const failures = [];
  /** @type {RowResult[]} */
  const rows = [];

  const progress = new Progress(options.rows.length * options.servers.length * options.rounds);
  for (const row of options.rows) {
    rows.push(await measureRow(row, options, pinning, progress, failures));
  }
  progress.clear();

  console.log(formatTable(rows));
  for (const failure of failures) console.error(`\nFAILED: ${failure}`);

  const { seconds, warmupSeconds, rounds, cores } = options;
  const result = {
    format: 1,
    date: started.toISOString(),
    commit: commit(),
    machine: machine(),
    versions: versions(),
    settings: { seconds, warmupSeconds, rounds, cores, pinning },
    failures,
    rows,
  };
  const file = options.json ?? (options.quick ? undefined : defaultFile(started));
  if (file !== undefined) {
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
    console.log(`\nresults: ${file}`);
  }
  return failures.length === 0 ? 0 : 1;
}

/**
 * @param {Date} date
 * @returns {string}
 */
function defaultFile(date) {
  mkdirSync(RESULTS_DIRECTORY, { recursive: true });
  const minute = date.toISOString().slice(0, 16).replaceAll(':', '');
  return `${RESULTS_DIRECTORY}/${minute}-${commit()?.id ?? 'uncommitted'}.json`;
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.list) {
    const name = (/** @type {{ name: string, extra: boolean }} */ { name, extra }) =>
      extra ? `${name} (extra)` : name;
    const servers = Object.entries(SERVERS).map(([key, { extra }]) => name({ name: key, extra }));
    console.log(`rows:\n  ${ROWS.map(name).join('\n  ')}\nservers:\n  ${servers.join('\n  ')}`);
    return 0;
  }

  compile();
  if (options.selfTest) return selfTest();
  if (options.servers.includes('ours')) checkOurs();
  if (options.servers.some((server) => /^u?ws/.test(server))) installPeers();
  return bench(options);
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    killChildren();
    process.exit(130);
  });
}
process.on('exit', killChildren);

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 2;
}
