// The command line.

import { parseArgs } from 'node:util';
import { ROWS } from './rows.mjs';
import { SERVERS } from './servers.mjs';

export const USAGE = `usage: npm run bench -- [options]

  --row REGEX      only the rows whose name matches; also offers the extra rows
  --servers A,B    servers to compare, the first with each of the others (ours,uws,ws)
  --seconds S      measured time of each run (3), after a third of it, at least 0.5 s, to warm up
  --rounds N       runs of each server and row, in turn (3)
  --cores C        both: the server may use two cores; one: the server and the load generator are
                   pinned to a core each (both)
  --quick          one round of 1 s; nothing is kept
  --json FILE      write the results there, not to bench/results
  --list           print the names of all rows and servers
  --self-test      check that the load generator finds every kind of fault, then end
`;

/**
 * @typedef {object} Options
 * @property {readonly import('./rows.mjs').Row[]} rows
 * @property {readonly string[]} servers
 * @property {number} seconds
 * @property {number} warmupSeconds
 * @property {number} rounds
 * @property {'both' | 'one'} cores
 * @property {boolean} quick
 * @property {string | undefined} json
 * @property {boolean} list
 * @property {boolean} selfTest
 * @property {boolean} help
 */

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
      servers: { type: 'string', default: 'ours,uws,ws' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      cores: { type: 'string', default: 'both' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      'self-test': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });

  const wanted = values.row === undefined ? undefined : new RegExp(values.row);
  const rows = ROWS.filter(({ name, extra }) => (wanted ? wanted.test(name) : !extra));
  if (rows.length === 0) throw new Error(`no row matches ${values.row}; see --list`);

  const servers = values.servers.split(',');
  const unknown = servers.find((name) => !Object.hasOwn(SERVERS, name));
  if (unknown !== undefined) throw new Error(`no server is called '${unknown}'; see --list`);

  const { cores, quick } = values;
  if (cores !== 'both' && cores !== 'one') throw new Error('--cores is both or one');
  const seconds = numberOption('--seconds', values.seconds ?? (quick ? '1' : '3'), 0.1, 3600);
  const rounds = numberOption('--rounds', values.rounds ?? (quick ? '1' : '3'), 1, 1000);

  return {
    rows,
    servers,
    seconds,
    warmupSeconds: Math.max(0.5, seconds / 3),
    rounds: Math.floor(rounds),
    cores,
    quick,
    json: values.json,
    list: values.list,
    selfTest: values['self-test'],
    help: values.help,
  };
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
