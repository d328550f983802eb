// What the compared clients have in common: keeps messages going round between them and an echo
// server, compares each one that comes back with what was sent, and talks to the benchmark as the
// load generator does: a line when the measured time begins and ends, then one with the result.

import { createHash, randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';

/** Different messages; which one it is follows from connection and sequence number. */
const VARIANTS = 256;

/**
 * @typedef {object} Message
 * @property {string | ArrayBuffer} data what is sent
 * @property {Buffer} bytes the same, to compare with; of an ArrayBuffer the same memory: a copy of each would
 *   take the place of the client's memory in the processor's cache
 */

/**
 * One connection of the client under test.
 *
 * @typedef {object} Connection
 * @property {(data: any) => void} send
 * @property {() => void} close
 */

/**
 * @typedef {object} Handlers
 * @property {(isRight: (expected: Message) => boolean) => void} onMessage
 * @property {(code: number) => void} onClose
 * @property {(error: unknown) => void} onError
 */

/** @typedef {(url: string, handlers: Handlers) => Promise<Connection>} Connect */

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '' },
    root: { type: 'string', default: '' },
    views: { type: 'boolean', default: false },
    kind: { type: 'string', default: 'text' },
    size: { type: 'string', default: '64' },
    connections: { type: 'string', default: '64' },
    inflight: { type: 'string', default: '16' },
    warmup: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    stall: { type: 'string', default: '10' },
  },
});

/** For `ours`. `root`: of a checkout whose client is meant; empty: of this one. `views`: with that option. */
export const { root, views } = values;

/**
 * @param {'text' | 'binary'} kind
 * @param {number} size
 * @returns {Message[]}
 */
function makeMessages(kind, size) {
  return Array.from({ length: VARIANTS }, (_, index) => {
    const mark = index.toString(16).padStart(2, '0');
    const bytes = Buffer.from((mark + randomBytes(size).toString('base64')).slice(0, size));
    const data = kind === 'text' ? bytes.toString('latin1') : Uint8Array.from(bytes).buffer;
    return { data, bytes: typeof data === 'string' ? bytes : Buffer.from(data) };
  });
}

/**
 * Of all of them: it changes if a client changes what it was given to send.
 *
 * @param {Message[]} messages
 */
function digest(messages) {
  const hash = createHash('sha256');
  for (const { bytes } of messages) hash.update(bytes);
  return hash.digest('hex');
}

/** @param {unknown} value */
function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** @param {unknown} error */
function fail(error) {
  const message = error instanceof Error ? error.message : JSON.stringify(error);
  print({ errors: [message] });
  process.exit(1);
}

/** @param {number} seconds */
function delay(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1e3));
}

/**
 * Runs the whole measurement with one client.
 *
 * @param {Connect} connect
 */
export async function drive(connect) {
  const messages = makeMessages(values.kind === 'text' ? 'text' : 'binary', Number(values.size));
  const digestBefore = digest(messages);
  const count = Number(values.connections);
  const inflight = Number(values.inflight);
  /** @type {Connection[]} */
  const connections = [];
  const [received, sent] = [new Array(count).fill(0), new Array(count).fill(0)];
  let [sending, verified, closed] = [true, 0, 0];
  /** @type {() => void} */
  let onProgress = () => {};

  const message = (/** @type {number} */ index, /** @type {number} */ sequence) =>
    /** @type {Message} */ (messages[(index * 31 + sequence) % VARIANTS]);
  const send = (/** @type {number} */ index) => {
    connections[index]?.send(message(index, sent[index]++).data);
  };

  const started = performance.now();
  for (let index = 0; index < count; ++index) {
    const connection = await connect(`ws://127.0.0.1:${values.port}/`, {
      onMessage(isRight) {
        const sequence = received[index]++;
        if (sequence >= sent[index] || !isRight(message(index, sequence))) {
          fail(new Error(`connection ${index}, message ${sequence}: wrong content`));
        }
        ++verified;
        if (sending) send(index);
        else onProgress();
      },
      onClose(code) {
        if (code !== 1000 || sending) fail(new Error(`connection ${index}: closed with ${code}`));
        ++closed;
        onProgress();
      },
      onError: fail,
    });
    connections.push(connection);
  }
  const connectSeconds = (performance.now() - started) / 1e3;
  watchForHang(() => {
    const index = received.findIndex((number, index) => number < sent[index]);
    const isHome = index < 0;
    return {
      progress: verified + closed,
      waiting: isHome
        ? `${count - closed} connections without a close event`
        : `connection ${index} waits for message ${received[index]}`,
    };
  });

  for (let i = 0; i < inflight; ++i) for (let index = 0; index < count; ++index) send(index);
  await delay(Number(values.warmup));
  const begin = { verified, at: performance.now(), cpu: process.resourceUsage() };
  print({ phase: 'measure' });
  await delay(Number(values.seconds));
  const end = { verified, at: performance.now(), cpu: process.resourceUsage() };
  print({ phase: 'drain' });

  sending = false;
  const isHome = () => received.every((number, index) => number === sent[index]);
  await new Promise((resolve) => {
    onProgress = () => isHome() && resolve(undefined);
    onProgress();
  });
  await new Promise((resolve) => {
    onProgress = () => closed === count && resolve(undefined);
    for (const connection of connections) connection.close();
  });

  if (digest(messages) !== digestBefore)
    fail(new Error('the client has changed what it was given'));

  const seconds = (end.at - begin.at) / 1e3;
  print({
    count: end.verified - begin.verified,
    seconds,
    rate: (end.verified - begin.verified) / seconds,
    verified,
    connectSeconds,
    cpuUserUs: end.cpu.userCPUTime - begin.cpu.userCPUTime,
    cpuSystemUs: end.cpu.systemCPUTime - begin.cpu.systemCPUTime,
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
    errors: [],
  });
  process.exit(0);
}

/**
 * Fails when nothing has come back for so long.
 *
 * @param {() => { progress: number, waiting: string }} look
 */
function watchForHang(look) {
  let last = -1;
  setInterval(() => {
    const { progress, waiting } = look();
    if (progress === last) fail(new Error(`hang: ${waiting}, nothing for ${values.stall} s`));
    last = progress;
  }, Number(values.stall) * 1e3);
}
