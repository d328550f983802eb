// Which cores the server and the load generator may use. All servers are treated the same, each as
// a whole process with all its threads.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Pinning
 * @property {readonly number[] | null} server null where it is not pinned
 * @property {readonly number[] | null} load
 */

/**
 * @param {'both' | 'one'} cores
 * @returns {Pinning}
 */
export function choosePinning(cores) {
  const [first, second, third] = allowedCores();
  const canPin = second !== undefined && spawnSync('taskset', ['--version']).status === 0;
  if (first === undefined || !canPin) return { server: null, load: null };
  if (cores === 'one') return { server: [first], load: [second] };
  if (third !== undefined) return { server: [first, second], load: [third] };
  return { server: null, load: null };
}

/**
 * @param {readonly number[] | null} cores
 * @param {readonly string[]} commandLine
 * @returns {readonly string[]}
 */
export function pinned(cores, commandLine) {
  return cores === null ? commandLine : ['taskset', '-c', cores.join(','), ...commandLine];
}

/** @returns {number[]} */
function allowedCores() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
