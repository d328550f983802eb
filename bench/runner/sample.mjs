// One run: one server process, one load, one set of numbers.

import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './children.mjs';
import { pinned } from './cores.mjs';
import { BUILD_DIRECTORY, TLS_DIRECTORY } from './paths.mjs';
import { profile } from './profile.mjs';
import { clientCommand, serverCommand } from './servers.mjs';

/**
 * The measured process is the server; in rows of mode `client` it is the client.
 *
 * @typedef {object} Sample
 * @property {number} rate messages, deliveries or connections a second
 * @property {number} count of them in the measured time
 * @property {number} seconds
 * @property {number} verified of them in all, warm-up included
 * @property {number | null} cpuUs CPU time of the measured process for each, all its threads; null
 *   where nothing happens
 * @property {number} measuredCores CPU time of the measured process a second
 * @property {number} loadCores CPU time of the other side a second
 * @property {number} otherCores CPU time of everything else on the machine a second
 * @property {number} peakRssBytes of the measured process
 * @property {number} [connectionBytes] resident memory of an idle connection
 * @property {Latencies} [latencyUs]
 * @property {number} [lateUs] `paced`: how late the load generator itself was, 99th percentile
 * @property {{ count: number, p99: number, max: number }} [timersMs]
 * @property {import('./profile.mjs').Places} [places] where the measured process spent its CPU time, if asked for
 * @property {number} connectSeconds until all connections were open
 */

/** @typedef {{ p50: number, p90: number, p99: number, p999: number, max: number }} Latencies */
/** @typedef {import('../servers/control.mjs').Stats} Stats */
/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {{ seconds: number, warmupSeconds: number, profile?: boolean }} Times */
/** @typedef {import('./cores.mjs').Pinning} Pinning */

/** How long a process may take to start, or to answer, when the machine is busy. */
const PATIENCE_SECONDS = 15;

/** How long a server with idle connections takes to come to rest: V8 collects some 7 s later. */
const SETTLE_SECONDS = 10;

/**
 * @param {string} contestant
 * @param {Row} row
 * @param {Times} times
 * @param {Pinning} pinning
 * @param {number} [rate] `paced`: messages a second
 * @returns {Promise<Sample>}
 * @throws {Error} if anything was wrong, above all a message
 */
export async function takeSample(contestant, row, times, pinning, rate) {
  const isClient = row.mode === 'client';
  const settle = row.mode === 'idle' ? SETTLE_SECONDS : 0;
  const warmupSeconds = Math.max(times.warmupSeconds, settle);
  const name = isClient ? 'uws' : contestant;
  const server = new Child(name, pinned(pinning.server, serverCommand(name, row)));
  try {
    const { port } = await server.line(PATIENCE_SECONDS);
    if (row.timers) server.write('timers');
    const before = await stats(server);
    const other = startOther(contestant, row, { ...times, warmupSeconds }, pinning, port, rate);
    try {
      const isIdle = row.mode === 'idle';
      await phase(other, warmupSeconds);
      const measured = isClient ? other : server;
      const profiled = times.profile ? profile(measured.pid ?? 0, times.seconds) : undefined;
      const machineBegin = machineCores();
      const { serverCores, end } = isIdle
        ? await watchResting(server, times.seconds)
        : await watchWorking(server, other, times.seconds);
      const machineEnd = machineCores();
      if (isIdle) await phase(other, times.seconds);
      const result = await other.line(4 * PATIENCE_SECONDS);
      if (result.errors.length > 0) throw new Error(result.errors.join('; '));
      await other.exit(PATIENCE_SECONDS);
      const last = await stats(server);

      const otherSideCores = (result.cpuUserUs + result.cpuSystemUs) / 1e6 / result.seconds;
      const measuredCores = isClient ? otherSideCores : serverCores;
      const machine =
        (machineEnd.busyMs - machineBegin.busyMs) / (machineEnd.atMs - machineBegin.atMs);
      const sample = {
        rate: result.rate,
        count: result.count,
        seconds: result.seconds,
        verified: result.verified,
        cpuUs: result.rate > 0 ? (measuredCores * 1e6) / result.rate : null,
        measuredCores,
        loadCores: isClient ? serverCores : otherSideCores,
        otherCores: Math.max(0, machine - serverCores - otherSideCores),
        peakRssBytes: isClient ? result.maxRssBytes : last.maxRssBytes,
        connectSeconds: result.connectSeconds,
      };
      return {
        ...sample,
        ...(result.latencyUs && !isIdle && { latencyUs: result.latencyUs }),
        ...(row.mode === 'paced' && { lateUs: result.lateUs }),
        ...(isIdle && {
          connectionBytes: (end.rssBytes - before.rssBytes) / row.connections,
        }),
        ...(profiled && { places: await profiled }),
        ...(row.timers && end.timersMs && { timersMs: end.timersMs }),
      };
    } finally {
      other.kill();
    }
  } catch (error) {
    const said = server.stderr === '' ? '' : `\n${server.stderr}`;
    throw new Error(`${/** @type {Error} */ (error).message}${said}`, { cause: error });
  } finally {
    await server.end();
  }
}

/**
 * Starts the other side of the server: the load generator, or the client that is compared. Both
 * tell on stdout when their measured time begins and ends, and then what they saw.
 *
 * @param {string} contestant
 * @param {Row} row
 * @param {Times} times
 * @param {Pinning} pinning
 * @param {number} port
 * @param {number} [rate]
 * @returns {Child}
 */
function startOther(contestant, row, times, pinning, port, rate) {
  const { kind, size, connections, inflight } = row;
  const { warmupSeconds: warmup, seconds } = times;
  const options = { port, kind, size, connections, inflight, warmup, seconds };
  if (row.mode === 'client') {
    const name = `the client ${contestant}`;
    return new Child(name, pinned(pinning.load, clientCommand(contestant, options)));
  }
  const more = {
    // To the load generator it is the same.
    mode: row.mode === 'publish' ? 'fanout' : row.mode,
    stall: PATIENCE_SECONDS,
    ...(row.tls && { ca: `${TLS_DIRECTORY}/cert.pem` }),
    ...(rate !== undefined && { rate }),
  };
  const args = Object.entries({ ...options, ...more }).flatMap(([key, value]) => [
    `--${key}`,
    String(value),
  ]);
  const command = [`${BUILD_DIRECTORY}/load`, '--phases', ...args];
  return new Child('the load generator', pinned(pinning.load, command));
}

/**
 * Waits for the other side's next phase.
 *
 * @param {Child} other
 * @param {number} seconds how long the phase before it lasts
 */
async function phase(other, seconds) {
  const line = await other.line(seconds + 4 * PATIENCE_SECONDS);
  if (line.errors) throw new Error(line.errors.join('; '));
}

/**
 * @param {Child} server
 * @returns {Promise<Stats>}
 */
function stats(server) {
  server.write('stats');
  return server.line(PATIENCE_SECONDS);
}

/**
 * @param {Child} server
 * @param {Child} other tells when the measured time is over
 * @param {number} seconds
 * @returns {Promise<{ serverCores: number, end: Stats }>}
 */
async function watchWorking(server, other, seconds) {
  const begin = await stats(server);
  await phase(other, seconds);
  const end = await stats(server);
  const cpuUs = end.cpuUserUs - begin.cpuUserUs + end.cpuSystemUs - begin.cpuSystemUs;
  return { serverCores: cpuUs / (end.atUs - begin.atUs), end };
}

/**
 * To answer is work as well: that a server rests can only be seen from outside, and it is asked
 * before the measured time is over, since then there are messages again.
 *
 * @param {Child} server
 * @param {number} seconds
 * @returns {Promise<{ serverCores: number, end: Stats }>}
 */
async function watchResting(server, seconds) {
  const [beginMs, beginCpuMs] = [performance.now(), cpuMs(server)];
  await delay(seconds * 800);
  const [endMs, endCpuMs] = [performance.now(), cpuMs(server)];
  return { serverCores: (endCpuMs - beginCpuMs) / (endMs - beginMs), end: await stats(server) };
}

/**
 * CPU time of a process so far, as the kernel's scheduler counts it for each thread.
 *
 * @param {Child} process
 * @returns {number} milliseconds
 */
function cpuMs({ pid }) {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce((sum, task) => {
    const [runNs] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
    return sum + Number(runNs) / 1e6;
  }, 0);
}

/** What all cores together have not been idle so far. */
function machineCores() {
  const all = cpus();
  const idleMs = all.reduce((sum, { times }) => sum + times.idle, 0);
  const atMs = performance.now();
  return { atMs, busyMs: all.length * atMs - idleMs };
}
