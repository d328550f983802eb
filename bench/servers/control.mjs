// What every server process of the benchmark has in common: its command line, and that it says on
// stdout where it listens, answers commands on stdin, and ends with stdin, so that it never
// outlives the benchmark.
//
//   stats    answers with one line of Stats
//   timers   from now on a timer runs, and Stats tell how late it was

import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Stats
 * @property {number} atUs when this was read, on a clock of the process's own
 * @property {number} cpuUserUs of all threads, since the start
 * @property {number} cpuSystemUs
 * @property {number} rssBytes
 * @property {number} maxRssBytes
 * @property {{ count: number, p99: number, max: number }} [timersMs] how late the timer was
 */

/** How a server of the benchmark is wanted. Not every server knows every option. */
export const { values: wanted } = parseArgs({
  options: {
    /** Folder with cert.pem and key.pem; none: without TLS. */
    tls: { type: 'string' },
    /** Each message goes to all clients instead of back to its sender. */
    fanout: { type: 'boolean', default: false },
    /** Each message is published to a topic that all clients subscribe to. */
    publish: { type: 'boolean', default: false },
    /** Each text message becomes a string on its way, as it does in ohos-websocket. */
    strings: { type: 'boolean', default: false },
    /** µWebSockets.js: answers in a task of its own instead of in the message's handler. */
    deferred: { type: 'boolean', default: false },
    /** ohos-websocket: binary messages as views. */
    views: { type: 'boolean', default: false },
    /** ohos-websocket: messages are taken by a `for await` loop for each connection. */
    loop: { type: 'boolean', default: false },
    /** ohos-websocket: engine threads. */
    threads: { type: 'string' },
    /** ohos-websocket: the checkout to load it from; none: this one. */
    root: { type: 'string' },
  },
});

/** What `wanted.tls` holds, by name. */
export const TLS_FILES = wanted.tls && {
  cert: `${wanted.tls}/cert.pem`,
  key: `${wanted.tls}/key.pem`,
};

const TIMER_MS = 5;

/** @type {number[]} */
const latenesses = [];

function runTimer() {
  const due = performance.now() + TIMER_MS;
  setTimeout(() => {
    latenesses.push(performance.now() - due);
    runTimer();
  }, TIMER_MS);
}

/** @param {number[]} numbers, at least one */
function timersMs(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  return {
    count: sorted.length,
    p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN,
    max: sorted[sorted.length - 1] ?? Number.NaN,
  };
}

/** @param {{ port: number } | Stats} value */
function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** @returns {Stats} */
function stats() {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    atUs: Number(process.hrtime.bigint() / 1000n),
    cpuUserUs: userCPUTime,
    cpuSystemUs: systemCPUTime,
    rssBytes: process.memoryUsage.rss(),
    maxRssBytes: maxRSS * 1024,
    ...(latenesses.length > 0 && { timersMs: timersMs(latenesses) }),
  };
}

/**
 * Tells the benchmark that the server listens, and obeys it from here on.
 *
 * @param {number} port
 */
export function listening(port) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line === 'stats') print(stats());
    if (line === 'timers') runTimer();
  });
  lines.on('close', () => process.exit(0));
  print({ port });
}
