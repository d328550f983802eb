#!/usr/bin/env node
// @ts-check
/**
 * The runner on the command line: plays the cases a profile selects against any module with the two
 * functions of the API and prints a line a case, the differences below it. Exits 1 on a mismatch.
 */

import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES, holdsFor, loadCases } from './corpus.mjs';
import { limiter, runCase } from './run.mjs';

/** @import { Case, Profile, Verdict } from './format.js' */

const USAGE = `usage: node cli.mjs [options]
  --entry MODULE      file, folder or installed package (default: this package)
  --profile NAME      default or parity (default: default)
  --cases FOLDER      case files (default: the ones of this project)
  --only REGEX        cases whose id matches
  --loose-order       demand only the order of events that the platform guarantees
  --jobs N            cases at the same time (default: 2)
  --limit-scale F     stretch the time limits, for slow builds
  --json              print the verdicts as JSON`;

process.exitCode = await main();

async function main() {
  const options = readOptions();
  if (!options) return 2;
  const { folder, only, profile, entry, strictOrder, jobs, limitScale, json } = options;
  const cases = loadCases(folder).filter((one) => holdsFor(one, profile) && only.test(one.id));
  const limited = limiter(jobs);
  const play = async (/** @type {Case} */ testCase) => {
    const verdict = await runCase(testCase, { entry, profile, strictOrder, limitScale });
    if (!json) print(verdict);
    return verdict;
  };
  const verdicts = await Promise.all(cases.map((testCase) => limited(() => play(testCase))));
  const mismatched = verdicts.filter(({ matched }) => !matched).length;
  if (json) console.log(JSON.stringify({ profile, verdicts }, undefined, 2));
  else console.log(`${verdicts.length - mismatched} matched, ${mismatched} mismatched`);
  return mismatched === 0 ? 0 : 1;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        entry: { type: 'string', default: 'ohos-websocket' },
        profile: { type: 'string', default: 'default' },
        cases: { type: 'string' },
        only: { type: 'string', default: '' },
        'loose-order': { type: 'boolean', default: false },
        jobs: { type: 'string', default: '2' },
        'limit-scale': { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
      },
    });
    return {
      entry: resolveEntry(values.entry),
      profile: readProfile(values.profile),
      folder: values.cases === undefined ? CASES : pathToFileURL(join(resolve(values.cases), '/')),
      only: new RegExp(values.only),
      strictOrder: !values['loose-order'],
      jobs: Math.max(1, Number(values.jobs)),
      limitScale: Number(values['limit-scale']),
      json: values.json,
    };
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    return undefined;
  }
}

/**
 * @param {string} name
 * @returns {Profile}
 */
function readProfile(name) {
  if (name !== 'default' && name !== 'parity') throw new Error(`unknown profile ${name}`);
  return name;
}

/**
 * Paths and packages as seen from the current folder; this package's own name as seen from here.
 *
 * @param {string} entry
 */
function resolveEntry(entry) {
  if (entry === 'ohos-websocket') return entry;
  const path = createRequire(join(process.cwd(), 'from-here.js')).resolve(entry);
  return pathToFileURL(path).href;
}

/** @param {Verdict} verdict */
function print({ id, title, matched, differences }) {
  console.log(`${matched ? 'ok' : 'MISMATCH'} ${id} ${title}`);
  for (const line of differences) console.log(`    ${line}`);
}
