// One run: one server process, one load, one set of numbers.

import { cpus } from 'node:os';
import { Child } from './children.mjs';
import { pinned } from './cores.mjs';
import { BUILD_DIRECTORY } from './paths.mjs';
import { SERVERS } from './servers.mjs';

/**
 * @typedef {object} Sample
 * @property {number} rate messages a second, there and back again
 * @property {number} messages in the measured time
 * @property {number} seconds
 * @property {number} verified messages compared in all, warm-up included
 * @property {number} cpuUs CPU time of the server a message, all its threads
 * @property {number} serverCores CPU time of the server a second
 * @property {number} loadCores CPU time of the load generator a second
 * @property {number} otherCores CPU time of everything else on the machine a second
 * @property {number} idleRssBytes of the server before the first connection
 * @property {number} peakRssBytes of the server
 * @property {{ p50: number, p99: number, max: number }} latencyUs
 * @property {number} connectSeconds until all connections were open
 */

/** How long a server may take to start, or to answer, when the machine is busy. */
const PATIENCE_SECONDS = 15;

/**
 * @param {string} server
 * @param {import('./rows.mjs').Row} row
 * @param {Pick<import('./options.mjs').Options, 'seconds' | 'warmupSeconds'>} times
 * @param {import('./cores.mjs').Pinning} pinning
 * @returns {Promise<Sample>}
 * @throws {Error} if anything was wrong, above all an echo
 */
export async function takeSample(server, row, times, pinning) {
  const { command, args } = /** @type {import('./servers.mjs').ServerSpec} */ (SERVERS[server]);
  const child = new Child(server, pinned(pinning.server, [command, ...args]));
  try {
    const { port } = await child.line(PATIENCE_SECONDS);
    const idle = await stats(child);
    const load = startLoad(port, row, times, pinning);
    try {
      await phase(load, times.warmupSeconds);
      const [begin, machineBegin] = [await stats(child), machineCores()];
      await phase(load, times.seconds);
      const [end, machineEnd] = [await stats(child), machineCores()];
      const result = await load.line(4 * PATIENCE_SECONDS);
      if (result.errors.length > 0) throw new Error(result.errors.join('; '));
      await load.exit(PATIENCE_SECONDS);
      const last = await stats(child);

      const serverCores = cpuUsed(begin, end) / (end.atUs - begin.atUs);
      const loadCores = (result.cpuUserUs + result.cpuSystemUs) / 1e6 / result.seconds;
      const machine =
        (machineEnd.busyMs - machineBegin.busyMs) / (machineEnd.atMs - machineBegin.atMs);
      return {
        rate: result.rate,
        messages: result.messages,
        seconds: result.seconds,
        verified: result.verified,
        cpuUs: (serverCores * 1e6) / result.rate,
        serverCores,
        loadCores,
        otherCores: Math.max(0, machine - serverCores - loadCores),
        idleRssBytes: idle.rssBytes,
        peakRssBytes: last.maxRssBytes,
        latencyUs: result.latencyUs,
        connectSeconds: result.connectSeconds,
      };
    } finally {
      load.kill();
    }
  } catch (error) {
    const said = child.stderr === '' ? '' : `\n${child.stderr}`;
    throw new Error(`${/** @type {Error} */ (error).message}${said}`, { cause: error });
  } finally {
    await child.end();
  }
}

/**
 * @param {number} port
 * @param {import('./rows.mjs').Row} row
 * @param {Pick<import('./options.mjs').Options, 'seconds' | 'warmupSeconds'>} times
 * @param {import('./cores.mjs').Pinning} pinning
 * @returns {Child}
 */
function startLoad(port, row, times, pinning) {
  const options = {
    port,
    kind: row.kind,
    size: row.size,
    connections: row.connections,
    inflight: row.inflight,
    warmup: times.warmupSeconds,
    seconds: times.seconds,
    stall: PATIENCE_SECONDS,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = `${BUILD_DIRECTORY}/load`;
  return new Child('the load generator', pinned(pinning.load, [program, '--phases', ...args]));
}

/**
 * Waits for the load generator's next phase.
 *
 * @param {Child} load
 * @param {number} seconds how long the phase before it lasts
 */
async function phase(load, seconds) {
  const line = await load.line(seconds + 4 * PATIENCE_SECONDS);
  if (line.errors) throw new Error(line.errors.join('; '));
}

/**
 * @param {Child} server
 * @returns {Promise<import('../servers/control.mjs').Stats>}
 */
function stats(server) {
  server.write('stats');
  return server.line(PATIENCE_SECONDS);
}

/**
 * @param {import('../servers/control.mjs').Stats} begin
 * @param {import('../servers/control.mjs').Stats} end
 * @returns {number} microseconds
 */
function cpuUsed(begin, end) {
  return end.cpuUserUs - begin.cpuUserUs + end.cpuSystemUs - begin.cpuSystemUs;
}

/** What all cores together have not been idle so far. */
function machineCores() {
  const all = cpus();
  const idleMs = all.reduce((sum, { times }) => sum + times.idle, 0);
  const atMs = performance.now();
  return { atMs, busyMs: all.length * atMs - idleMs };
}
