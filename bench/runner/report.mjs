// The report page: Markdown, with charts as SVG beside it, made of results that were kept.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { barChart, latencyChart, ratioChart } from './charts.mjs';
import { METRICS } from './rows.mjs';
import { formatGoal, formatNumber, shortName } from './table.mjs';

/** @typedef {import('./summary.mjs').RowResult} RowResult */
/** @typedef {import('./summary.mjs').ContestantResult} ContestantResult */
/** @typedef {import('./summary.mjs').JudgedGoal} JudgedGoal */

/** A goal holds when it is reached in so many runs in a row. */
const RUNS_IN_A_ROW = 3;

const MARKS = { pass: '✔', 'at ceiling': '≈', fail: '✘', 'not measured': '–' };

/**
 * @param {any} result as run.mjs keeps it
 * @param {string} file where it is kept; the page and its charts are put beside it
 * @returns {string} the page's file
 */
export function writeReport(result, file) {
  if (result.format !== 2) throw new Error(`${file} is of another version of the benchmark`);
  /** @type {readonly RowResult[]} */
  const rows = result.rows;
  const directory = path.dirname(file);
  const charts = path.join(directory, 'charts');
  mkdirSync(charts, { recursive: true });
  const images = drawCharts(rows).map(([name, title, svg]) => {
    writeFileSync(path.join(charts, `${name}.svg`), svg);
    return `## ${title}\n\n![${title}](charts/${name}.svg)\n`;
  });
  const page = path.join(directory, 'report.md');
  const parts = [
    head(result, path.basename(file)),
    goalTable(rows),
    runsInARow([...earlierRuns(file, result.date), result]),
    ...images,
    numbers(rows),
    faults(result),
  ];
  writeFileSync(page, parts.join('\n'));
  return page;
}

/**
 * @param {readonly RowResult[]} rows
 * @returns {[string, string, string][]} name, title, SVG
 */
function drawCharts(rows) {
  const rated = rows.filter(({ metric }) => !METRICS[metric].lowerIsBetter);
  const latency = rows.find(
    ({ metric, results }) => metric === 'latency' && Object.keys(results).length > 0,
  );
  const hasRatios = rows.some(({ goals }) =>
    goals.some(({ against, reached }) => against && reached !== null),
  );
  const hasBase = rows.some(({ results }) => 'uws' in results);
  return [
    ...(hasRatios
      ? [/** @type {[string, string, string]} */ (['ratios', 'Ratios and goals', ratioChart(rows)])]
      : []),
    ...(hasBase
      ? [
          /** @type {[string, string, string]} */ ([
            'rates',
            'Rates',
            barChart(rated, 'rate', ({ value }) => value.median),
          ]),
          /** @type {[string, string, string]} */ ([
            'cpu',
            'CPU time of the server (less is better)',
            barChart(rated, 'CPU time a message', ({ cpuUs }) => cpuUs),
          ]),
        ]
      : []),
    ...(latency
      ? [
          /** @type {[string, string, string]} */ ([
            'latency',
            `Latency at ${formatNumber(latency.rate ?? 0, 0)} messages a second (less is better)`,
            latencyChart(latency),
          ]),
        ]
      : []),
  ];
}

/**
 * @param {any} result
 * @param {string} kept
 */
function head({ date, commit, machine, versions, settings }, kept) {
  const changed = commit?.changed ? ' with changes' : '';
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Benchmark of ${date.slice(0, 10)}

Made by \`npm run bench\`; [what is measured and how](../README.md). Commit
${commit ? `${commit.id}${changed}` : 'unknown'}, all numbers in [${kept}](${kept}).

- machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Linux ${machine.kernel}
- versions: ${packages.join(', ')}
- ${settings.rounds} rounds of ${settings.seconds} s in turn, of a row that varies much a multiple of that, ${settings.warmupSeconds.toFixed(2)} s to warm up
`;
}

/** @param {readonly RowResult[]} rows */
function goalTable(rows) {
  const lines = rows.flatMap((row) =>
    row.goals.map((goal) => {
      const { of, against, byCpu, verdict } = goal;
      const ratio = byCpu
        ? undefined
        : row.ratios.find((pair) => pair.of === of && pair.against === against);
      const range = ratio ? ` (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})` : '';
      const [, rest = ''] = formatGoal(goal).split('  ');
      return `| \`${row.name}\` | ${row.title} | ${rest}${range} | ${MARKS[verdict]} ${verdict} |`;
    }),
  );
  if (lines.length === 0) return '';
  return `## Goals

\`a÷b\` is the ratio within a round: its median, and the range of the rounds. For latency and memory
less is better. Where the load generator was the limit of the one that is compared with, a ratio is of
messages for each second of CPU time instead.

| row | what | goal, reached | |
|---|---|---|---|
${lines.join('\n')}
`;
}

/**
 * Those kept beside a file that came before it, the newest last.
 *
 * @param {string} file
 * @param {string} date
 * @returns {any[]}
 */
function earlierRuns(file, date) {
  const directory = path.dirname(file);
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json') && name !== path.basename(file))
    .map((name) => JSON.parse(readFileSync(path.join(directory, name), 'utf8')))
    .filter((result) => result?.format === 2 && result.date < date)
    .sort((one, other) => one.date.localeCompare(other.date))
    .slice(1 - RUNS_IN_A_ROW);
}

/** @param {readonly any[]} runs */
function runsInARow(runs) {
  if (runs.length < 2) return '';
  const reached = runs.map(({ rows }) => new Map(goalsOf(rows)));
  const lines = [...(reached.at(-1)?.keys() ?? [])].map((name) => {
    const cells = reached.map((goals) => {
      const goal = goals.get(name);
      if (goal === undefined || goal.reached === null) return '–';
      return `${goal.reached.toFixed(2)}${goal.byCpu ? ' by CPU' : ''} ${MARKS[goal.verdict]}`;
    });
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  const heads = runs.map(
    ({ date, commit }) => `${date.slice(0, 16)}, ${commit?.id.slice(0, 7) ?? 'uncommitted'}`,
  );
  return `## Runs in a row

✔ reached, ≈ at ceiling, ✘ missed.

| goal | ${heads.join(' | ')} |
|---|${'--:|'.repeat(runs.length)}
${lines.join('\n')}
`;
}

/**
 * @param {readonly RowResult[]} rows
 * @returns {[string, JudgedGoal][]} by what they ask for
 */
function goalsOf(rows) {
  return rows.flatMap(({ name, goals }) =>
    goals.map((goal) => {
      const [, wanted = ''] = formatGoal({ ...goal, reached: null, byCpu: false }).split('  ');
      return /** @type {[string, JudgedGoal]} */ ([`\`${name}\` ${wanted}`, goal]);
    }),
  );
}

/** @param {readonly RowResult[]} rows */
function numbers(rows) {
  const lines = rows.flatMap(({ name, metric, results }) =>
    Object.entries(results).map(([contestant, result]) => {
      const { value, cpuUs, latencyUs, peakRssBytes } = result;
      const { unit, digits } = METRICS[metric];
      const cells = [
        `\`${name}\``,
        shortName(contestant),
        `${formatNumber(value.median, digits)} ${unit}`,
        `${formatNumber(value.min, digits)}–${formatNumber(value.max, digits)}`,
        cpuUs === null ? '–' : cpuUs.toFixed(2),
        latencyUs === null ? '–' : formatNumber(latencyUs.p50, 0),
        latencyUs === null ? '–' : formatNumber(latencyUs.p99, 0),
        formatNumber(peakRssBytes / 1024 ** 2, 0),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  return `## Numbers

Median and range of the rounds; CPU time of the measured process for each message (delivery,
connection); latencies at saturation, except in the rows \`latency\` and \`timers\`; highest resident
memory of the process.

| row | of | median | range | CPU µs | p50 µs | p99 µs | peak MiB |
|---|---|--:|--:|--:|--:|--:|--:|
${lines.join('\n')}
`;
}

/** @param {{ failures: readonly string[] }} result */
function faults({ failures }) {
  if (failures.length === 0) return '';
  const lines = failures.map((failure) => `- ${failure.split('\n').join('; ')}`);
  return `## Failed runs\n\n${lines.join('\n')}\n`;
}
