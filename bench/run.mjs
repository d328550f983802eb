// The benchmark: servers, and clients, side by side under one load, each message verified. See
// README.md.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildCommit, resolveCommit } from './runner/against.mjs';
import { killChildren } from './runner/children.mjs';
import { choosePinning } from './runner/cores.mjs';
import { commit, machine, versions } from './runner/machine.mjs';
import { parseOptions, USAGE } from './runner/options.mjs';
import { BUILD_DIRECTORY, RESULTS_DIRECTORY } from './runner/paths.mjs';
import { checkOurs, compile, installPeers, makeCertificate } from './runner/prepare.mjs';
import { formatProfiles, profilerProblem } from './runner/profile.mjs';
import { Progress } from './runner/progress.mjs';
import { METRICS, ROWS } from './runner/rows.mjs';
import { takeSample } from './runner/sample.mjs';
import { selfTest } from './runner/self-test.mjs';
import { isInstalled, oursOf, SERVER_NAMES } from './runner/servers.mjs';
import { judge } from './runner/summary.mjs';
import { formatNumber, formatTable, shortName } from './runner/table.mjs';

/** @typedef {import('./runner/options.mjs').Options} Options */
/** @typedef {import('./runner/rows.mjs').Row} Row */
/** @typedef {import('./runner/sample.mjs').Sample} Sample */

/** What `paced` rows offer, of what the server can do. */
const PACE = 0.5;

/**
 * Measures one row: all contestants in turn, as often as it has rounds.
 *
 * @param {Row} row
 * @param {Options} options
 * @param {Progress} progress
 * @param {string[]} failures is added to
 * @returns {Promise<import('./runner/summary.mjs').RowResult>}
 */
async function measureRow(row, options, progress, failures) {
  const rounds = roundsOf(row, options);
  const pinning = choosePinning(row.cores ?? options.cores);
  const samples = new Map(row.contestants.map((name) => [name, /** @type {Sample[]} */ ([])]));
  const { unit, digits, of } = METRICS[row.metric];

  /** @type {number | undefined} */
  let rate;
  if (row.paceOf !== undefined) {
    const pacer = row.contestants.includes(row.paceOf) ? row.paceOf : (row.contestants[0] ?? '');
    const what = `${row.name}, what ${shortName(pacer)} can do`;
    try {
      progress.note(what);
      rate = PACE * (await takeSample(pacer, { ...row, mode: 'echo' }, options, pinning)).rate;
      progress.note(`${what}: twice ${formatNumber(rate, 0)} msg/s`);
    } catch (error) {
      failures.push(`${what}: ${/** @type {Error} */ (error).message}`);
      progress.skip(row.contestants.length * rounds);
      return judge(row, samples, rounds);
    }
  }

  for (let round = 1; round <= rounds; ++round) {
    for (const [name, taken] of samples) {
      const what = `${row.name}, ${shortName(name)}, round ${round} of ${rounds}`;
      if (taken.length < round - 1) {
        progress.skip(1); // it failed in a round before
        continue;
      }
      progress.begin(what);
      try {
        const sample = await takeSample(name, row, options, pinning, rate);
        taken.push(sample);
        progress.end(what, `${formatNumber(of(sample), digits)} ${unit}`);
      } catch (error) {
        const { message } = /** @type {Error} */ (error);
        failures.push(`${what}: ${message}`);
        progress.end(what, `FAILED: ${message.split('\n', 1)[0]}`);
      }
    }
  }
  return judge(row, samples, rounds, rate);
}

/**
 * @param {Row} row
 * @param {Options} options
 * @returns {number}
 */
function roundsOf(row, options) {
  return options.rounds * row.repeats;
}

/**
 * @param {Options} options
 * @returns {Promise<number>} the exit status
 */
async function bench(options) {
  const started = new Date();
  const against = options.quick ? resolveCommit(options.against) : undefined;
  const rows = chooseContestants(options, against);
  /** @type {string[]} */
  const failures = [];
  const results = [];

  const runs = rows.reduce((sum, row) => sum + row.contestants.length * roundsOf(row, options), 0);
  const progress = new Progress(runs);
  for (const row of rows) results.push(await measureRow(row, options, progress, failures));
  progress.clear();

  console.log(formatTable(results));
  if (options.profile)
    console.log(`\nCPU time by place, in percent:\n${formatProfiles(profilesOf(results))}`);
  for (const failure of failures) console.error(`\nFAILED: ${failure}`);

  const { seconds, warmupSeconds, rounds, cores } = options;
  const result = {
    format: 2,
    date: started.toISOString(),
    commit: commit(),
    ...(against && { against }),
    machine: machine(),
    versions: versions(),
    settings: { seconds, warmupSeconds, rounds, cores, pinning: choosePinning(cores) },
    failures,
    rows: results,
  };
  const name = `${result.date.slice(0, 16).replaceAll(':', '')}-${result.commit?.id ?? 'uncommitted'}`;
  const file = options.complete
    ? `${RESULTS_DIRECTORY}/${name}.json`
    : `${BUILD_DIRECTORY}/last/results.json`;
  writeJson(file, result);
  if (options.json !== undefined) writeJson(options.json, result);
  console.log(`\nresults: ${file}`);
  await report(file);
  return failures.length === 0 ? 0 : 1;
}

/**
 * @param {Options} options
 * @param {string | undefined} against a commit
 * @returns {readonly Row[]}
 */
function chooseContestants(options, against) {
  if (against !== undefined) {
    const contestants = ['ours', oursOf(buildCommit(against))];
    return options.rows.map((row) => ({ ...row, contestants, goals: [], repeats: 1 }));
  }
  return options.rows.map((row) => {
    const contestants = row.contestants.filter(isInstalled);
    const goals = row.goals.filter(({ of }) => contestants.includes(of));
    return { ...row, contestants, goals };
  });
}

/**
 * @param {readonly import('./runner/summary.mjs').RowResult[]} results
 * @returns {Parameters<typeof formatProfiles>[0]} the last round's
 */
function profilesOf(results) {
  return results.flatMap(({ name, results: contestants }) =>
    Object.entries(contestants).flatMap(([of, { samples }]) => {
      const places = samples.at(-1)?.places;
      return places === undefined ? [] : [{ row: name, of: shortName(of), places }];
    }),
  );
}

/**
 * @param {string} file
 * @param {unknown} value
 */
function writeJson(file, value) {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 1)}\n`);
}

/**
 * @param {string} file results; the page is put beside them
 */
async function report(file) {
  const { writeReport } = await import('./runner/report.mjs'); // the charts' packages: only here
  const page = writeReport(JSON.parse(readFileSync(file, 'utf8')), path.resolve(file));
  console.log(`report:  ${page}`);
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.list) {
    const rows = ROWS.map(({ name, extra, title }) =>
      `  ${name.padEnd(32)}${extra ? '(extra) ' : ''}${title}`.trimEnd(),
    );
    console.log(`rows:\n${rows.join('\n')}\nservers:\n  ${SERVER_NAMES.join('\n  ')}`);
    return 0;
  }

  const problem = options.profile ? profilerProblem() : undefined;
  if (problem !== undefined) throw new Error(problem);
  installPeers();
  if (options.report !== undefined) {
    await report(options.report);
    return 0;
  }
  compile();
  makeCertificate();
  if (options.selfTest) {
    checkOurs();
    return selfTest();
  }
  const needsOurs = options.rows.some(({ contestants }) => contestants.includes('ours'));
  if (needsOurs || options.quick) checkOurs();
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
