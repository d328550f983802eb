// `ohos-websocket parity`: how the package behaves against OpenHarmony's netstack. Prints the table of behaviours, plays
// the parity cases against the installed module in both profiles, and lists what differs from netstack on purpose. Ends
// with 1 if a case does not match.
import { behaviours, inDocumented, inNetstack, isDeliberate } from '../../dist/behaviours.js';
import { holdsFor, limiter, loadCases, runCase } from '../../test/parity/runner/index.mjs';
import { ANY, UsageError } from '../arguments.mjs';

export const syntax = {
  name: 'parity',
  summary: 'Plays the recorded cases of OpenHarmony’s netstack in both profiles.',
  options: {
    profile: {
      value: 'NAME',
      help: 'documented or netstack (default: both)',
      only: ['documented', 'netstack'],
    },
    only: { value: 'REGEX', help: 'cases whose id matches' },
    jobs: { value: 'NUMBER', help: 'cases at the same time', default: '2', number: [1, ANY] },
    table: { help: 'print the table of behaviours and play nothing' },
    verbose: { help: 'a line for each case' },
  },
};

/** Names of the profiles here, as the cases call them, and where they are. */
const profiles = {
  documented: { name: 'default', entry: 'ohos-websocket' },
  netstack: { name: 'parity', entry: 'ohos-websocket/parity' },
};

const print = (line = '') => process.stdout.write(`${line}\n`);

export async function run(given) {
  const options = { ...given, only: expression(given.only ?? '') };
  printTable();
  if (options.table) return 0;
  let mismatches = 0;
  const chosen = options.profile === undefined ? Object.keys(profiles) : [options.profile];
  for (const profile of chosen) mismatches += await play(profile, options);
  printDeliberate();
  return mismatches === 0 ? 0 : 1;
}

function expression(text) {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--only: ${error.message}`);
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
