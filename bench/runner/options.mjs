// The command line.

import { parseArgs } from 'node:util';
import { ROWS } from './rows.mjs';
import { findClient, findServer } from './servers.mjs';

export const USAGE = `usage: npm run bench -- [options]

  --row REGEX      only the rows whose name matches; also offers the extra rows
  --servers A,B    servers to compare in place of each row's own, the first with each of the others
  --seconds S      measured time of each run (2), after a third of it, at least 0.5 s, to warm up
  --rounds N       runs of each server and row, in turn (3)
  --cores C        both: the server may use two cores; one: the server and the load generator are
                   pinned to a core each (both)
  --quick          only ohos-websocket, as it is here and as it was in another commit, and the few
                   rows that tell most, in less than a minute
  --against COMMIT what --quick compares with (the last tag; without one HEAD, or the commit before
                   it if nothing has changed since)
  --json FILE      write the results there as well
  --report FILE    only make the report page of results that were kept, then end
  --profile        where the CPU time goes, by perf, beside the numbers, which it makes worse
  --list           print the names of all rows and servers
  --self-test      check that the load generator finds every kind of fault, then end
`;

/**
 * @typedef {object} Options
 * @property {readonly import('./rows.mjs').Row[]} rows
 * @property {readonly string[] | undefined} servers
 * @property {number} seconds
 * @property {number} warmupSeconds
 * @property {number} rounds
 * @property {'both' | 'one'} cores
 * @property {boolean} complete all rows, with their own contestants
 * @property {boolean} quick
 * @property {string | undefined} against
 * @property {string | undefined} json
 * @property {string | undefined} report
 * @property {boolean} profile
 * @property {boolean} list
 * @property {boolean} selfTest
 * @property {boolean} help
 */

/** Measured seconds and rounds: by default, and with --quick. */
const DEFAULTS = { seconds: '2', rounds: '3' };
const QUICK_DEFAULTS = { seconds: '0.8', rounds: '3' };

/**
 * @param {string[]} args
 * @returns {Options}
 * @throws {Error} with a sentence for the user
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      row: { type: 'string' },
      servers: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      cores: { type: 'string', default: 'both' },
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      json: { type: 'string' },
      report: { type: 'string' },
      profile: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      'self-test': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { cores, quick, against, json, report } = values;
  if (against !== undefined && !quick) throw new Error('--against belongs to --quick');
  if (values.servers !== undefined && quick) throw new Error('--quick chooses the servers itself');
  if (cores !== 'both' && cores !== 'one') throw new Error('--cores is both or one');

  const servers = values.servers?.split(',');
  const unknown = servers?.find((name) => !findServer(name));
  if (unknown !== undefined) throw new Error(`no server is called '${unknown}'; see --list`);

  const defaults = quick ? QUICK_DEFAULTS : DEFAULTS;
  const seconds = numberOption('--seconds', values.seconds ?? defaults.seconds, 0.1, 3600);
  const rounds = numberOption('--rounds', values.rounds ?? defaults.rounds, 1, 1000);

  return {
    rows: chooseRows(values.row, quick, servers),
    servers,
    seconds,
    warmupSeconds: Math.max(quick ? 0.3 : 0.5, seconds / 3),
    rounds: Math.floor(rounds),
    cores,
    complete: values.row === undefined && servers === undefined && !quick,
    quick,
    against,
    json,
    report,
    profile: values.profile,
    list: values.list,
    selfTest: values['self-test'],
    help: values.help,
  };
}

/**
 * @param {string | undefined} pattern
 * @param {boolean} quick
 * @param {readonly string[] | undefined} servers
 * @returns {import('./rows.mjs').Row[]}
 */
function chooseRows(pattern, quick, servers) {
  const wanted = pattern === undefined ? undefined : new RegExp(pattern);
  const rows = ROWS.filter(({ name, extra, quick: isQuick }) =>
    wanted ? wanted.test(name) : quick ? isQuick : !extra,
  );
  if (rows.length === 0) throw new Error(`no row matches ${pattern}; see --list`);
  if (!servers) return rows;
  const noClient = servers.find((name) => findClient(name) === undefined);
  if (noClient === undefined) return rows.map((row) => ({ ...row, contestants: servers }));
  const serverRows = rows.filter(({ mode }) => mode !== 'client');
  if (serverRows.length === 0) throw new Error(`'${noClient}' is not a client that is compared`);
  return serverRows.map((row) => ({ ...row, contestants: servers }));
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} smallest
 * @param {number} largest
 * @returns {number}
 */
function numberOption(name, text, smallest, largest) {
  const number = Number(text);
  if (!(number >= smallest && number <= largest)) {
    throw new Error(`${name} is a number from ${smallest} to ${largest}`);
  }
  return number;
}
