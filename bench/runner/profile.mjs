// Where a process spends its CPU time, as Linux's perf samples it: by place, and inside which system calls.

import { spawn, spawnSync } from 'node:child_process';
import { BUILD_DIRECTORY } from './paths.mjs';

/**
 * Shares of the samples, in percent. The system calls are parts of the kernel.
 *
 * @typedef {Readonly<Record<string, number>>} Places
 */

const FILE = `${BUILD_DIRECTORY}/profile.data`;
const SAMPLES_A_SECOND = 1999;

/** Where an address lies, by the name that perf has for it; the first that matches. */
const PLACES = /** @type {const} */ ([
  ['kernel', /^\[kernel/],
  ['compiled JavaScript', /^\[JIT\]|^perf-\d+\.map|^\[?anon/],
  ['addon', /\.node$/],
  ['Node.js and V8', /^(node|bun)$/],
  ['C library', /^(libc|ld-linux|ld-musl)/],
  ['other', /./],
]);

/** The kernel's functions behind system calls. */
const CALLS = /** @type {const} */ ([
  ['send', /__sys_(sendto|sendmsg)$|__x64_sys_sendfile64|ksys_write$|do_writev$/],
  ['receive', /__sys_recvfrom$|ksys_read$|do_readv$/],
  ['wait', /do_epoll_wait$|do_sys_poll$/],
  ['epoll_ctl', /__x64_sys_epoll_ctl$|do_epoll_ctl$/],
  ['accept', /__sys_accept4$/],
  ['page faults', /asm_exc_page_fault$/],
]);

/** @returns {string | undefined} what is missing */
export function profilerProblem() {
  const { status } = spawnSync('perf', ['--version'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'perf is missing (Debian: apt-get install linux-perf)';
}

/**
 * Watches a process for so long.
 *
 * @param {number} pid
 * @param {number} seconds
 * @returns {Promise<Places>}
 */
export function profile(pid, seconds) {
  const what = [
    'record',
    '-q',
    '-e',
    'cpu-clock',
    '-F',
    `${SAMPLES_A_SECOND}`,
    '-g',
    '-p',
    `${pid}`,
  ];
  const perf = spawn('perf', [...what, '-o', FILE, '--', 'sleep', `${seconds}`], {
    stdio: 'ignore',
  });
  return new Promise((resolve, reject) => {
    perf.on('error', reject);
    perf.on('close', () => resolve(read()));
  });
}

/** @returns {Places} */
function read() {
  const places = sum(report('--no-children', 'dso'), PLACES);
  return { ...places, ...largest(report('--children', 'sym')) };
}

/**
 * @param {string} children
 * @param {string} sort
 * @returns {readonly (readonly [name: string, percent: number])[]}
 */
function report(children, sort) {
  const options = ['report', '-i', FILE, children, '-g', 'none', '--sort', sort, '--stdio'];
  const { stdout } = spawnSync('perf', options, { encoding: 'utf8', maxBuffer: 1 << 28 });
  return stdout.split('\n').flatMap((line) => {
    const [, percent, name] = /^\s*(?:[\d.]+%\s+)?([\d.]+)%\s+(?:\[.\]\s+)?(.*\S)/.exec(line) ?? [];
    const total = /^\s*([\d.]+)%/.exec(line)?.[1];
    if (name === undefined || percent === undefined || total === undefined) return [];
    return [[name, Number(total)]];
  });
}

/**
 * @param {ReturnType<typeof report>} lines
 * @param {readonly (readonly [name: string, pattern: RegExp])[]} names
 * @returns {Record<string, number>}
 */
function sum(lines, names) {
  /** @type {Record<string, number>} */
  const sums = {};
  for (const [what, percent] of lines) {
    const name = names.find(([, pattern]) => pattern.test(what))?.[0] ?? 'other';
    sums[name] = (sums[name] ?? 0) + percent;
  }
  return sums;
}

/**
 * The functions of one system call call one another: the outermost counts.
 *
 * @param {ReturnType<typeof report>} lines
 * @returns {Record<string, number>}
 */
function largest(lines) {
  const shares = CALLS.map(([name, pattern]) => {
    const own = lines.filter(([what]) => pattern.test(what)).map(([, percent]) => percent);
    return /** @type {const} */ ([name, own.length === 0 ? 0 : Math.max(...own)]);
  });
  return Object.fromEntries(shares);
}

/**
 * @param {readonly { row: string, of: string, places: Places }[]} profiles
 * @returns {string} a table
 */
export function formatProfiles(profiles) {
  const columns = [...PLACES, ...CALLS].map(([name]) => name);
  const head = ['row', 'of', ...columns];
  const lines = profiles.map(({ row, of, places }) => [
    row,
    of,
    ...columns.map((name) => (places[name] ?? 0).toFixed(1)),
  ]);
  const rule = head.map((_, n) => (n < 2 ? '---' : '--:'));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
