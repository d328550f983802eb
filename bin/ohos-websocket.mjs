#!/usr/bin/env node
// The command of the package. `ohos-websocket parity` shows how it behaves against OpenHarmony's netstack:
// prints the table of behaviours, plays the parity cases against the installed module in both profiles, and
// lists what differs from netstack on purpose. Ends with 1 if a case does not match.
import { parseArgs } from 'node:util';
import { behaviours, inDocumented, inNetstack, isDeliberate } from '../dist/behaviours.js';
import { holdsFor, limiter, loadCases, runCase } from '../test/parity/runner/index.mjs';

const USAGE = `usage: ohos-websocket parity [options]
  --profile NAME   documented or netstack (default: both)
  --only REGEX     cases whose id matches
  --jobs N         cases at the same time (default: 2)
  --table          print the table of behaviours and play nothing
  --verbose        a line for each case`;

/** Names of the profiles here, as the cases call them, and where they are. */
const profiles = {
  documented: { name: 'default', entry: 'ohos-websocket' },
  netstack: { name: 'parity', entry: 'ohos-websocket/parity' },
};

const print = (line = '') => process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return 2;
  printTable();
  if (options.table) return 0;
  let mismatches = 0;
  for (const profile of options.profiles) mismatches += await play(profile, options);
  printDeliberate();
  return mismatches === 0 ? 0 : 1;
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        profile: { type: 'string' },
        only: { type: 'string', default: '' },
        jobs: { type: 'string', default: '2' },
        table: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      print(USAGE);
      process.exit(0);
    }
    if (positionals.join(' ') !== 'parity') throw new Error('expected the command `parity`');
    const { profile, only, table, verbose } = values;
    if (profile !== undefined && !Object.hasOwn(profiles, profile)) {
      throw new Error(`unknown profile '${profile}': documented or netstack`);
    }
    const jobs = Number(values.jobs);
    if (!Number.isInteger(jobs) || jobs < 1) throw new Error('--jobs takes a number from 1');
    const chosen = profile === undefined ? Object.keys(profiles) : [profile];
    return { profiles: chosen, only: new RegExp(only), jobs, table, verbose };
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    return undefined;
  }
}

function printTable() {
  print('Behaviours of netstack, and of this package in its two profiles\n');
  for (const behaviour of behaviours) {
    print(`${behaviour.number.padEnd(7)}netstack    ${behaviour.netstack}`);
    print(`       documented  ${inDocumented(behaviour)}`);
    print(`       netstack profile  ${inNetstack(behaviour)}\n`);
  }
}

/** Plays the cases of a profile; how many did not match. */
async function play(profile, { only, jobs, verbose }) {
  const { name, entry } = profiles[profile];
  const cases = loadCases().filter((one) => holdsFor(one, name) && only.test(one.id));
  print(`Playing ${cases.length} cases against ${entry}, the ${profile} profile`);
  const limited = limiter(jobs);
  const playOne = async (testCase) => {
    const verdict = await runCase(testCase, { entry, profile: name, strictOrder: true });
    if (verdict.matched && verbose) print(`ok ${verdict.id}: ${verdict.title}`);
    if (!verdict.matched) {
      print(`MISMATCH ${verdict.id}: ${verdict.title}`);
      for (const line of verdict.differences) print(`    ${line}`);
    }
    return verdict.matched;
  };
  const matched = await Promise.all(cases.map((one) => limited(() => playOne(one))));
  const count = matched.filter(Boolean).length;
  print(`${profile}: ${count} matched, ${cases.length - count} mismatched\n`);
  return cases.length - count;
}

function printDeliberate() {
  print('The netstack profile differs from netstack on purpose:');
  for (const behaviour of behaviours.filter(isDeliberate)) {
    const here = behaviour.kind === 'fixed' ? inDocumented(behaviour) : inNetstack(behaviour);
    print(`${behaviour.number.padEnd(7)}${here} (netstack: ${behaviour.netstack})`);
  }
}
