// `ohos-websocket bench`: load on an echo server of this machine, in rounds of messages that each wait for their echo.
// Without a URL it starts a server of its own in a worker. It measures this client together with the server; for
// comparisons between servers see bench/ of the repository.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Worker } from 'node:worker_threads';
import { UsageError } from '../arguments.mjs';
import { clientOptions, connectOptions, described } from '../client-options.mjs';
import { Latencies } from '../latencies.mjs';
import { bars, bytes, count, duration, StatusLine } from '../terminal.mjs';

export const syntax = {
  name: 'bench',
  operand: { value: 'URL', required: false },
  summary: `Measures the rate and the latency of an echo server on this machine; without a URL, of its own.`,
  options: {
    connections: {
      short: 'c',
      value: 'NUMBER',
      help: 'connections at the same time',
      default: '10',
      number: [1, 10000],
    },
    size: {
      short: 's',
      value: 'BYTES',
      help: 'bytes of a message',
      default: '64',
      number: [0, 5242864],
    },
    'in-flight': {
      short: 'n',
      value: 'NUMBER',
      help: 'messages on their way, per connection',
      default: '1',
      number: [1, 10000],
    },
    duration: { short: 'd', value: 'SECONDS', help: 'how long', default: '5', number: [0.1, 3600] },
    binary: { help: 'binary messages instead of text' },
    ...clientOptions,
    json: { help: 'the result as one line of JSON' },
  },
};

const PROGRESS_MS = 200;
const CHART_ROWS = 12;

export async function run(given) {
  const options = { ...connectOptions(given), proxy: 'no-proxy' };
  if (given.operand !== undefined) await insistOnLoopback(given.operand);
  const { webSocket } = await import('../../dist/index.js');
  const own = given.operand === undefined ? await startServer() : undefined;
  const url = given.operand ?? `ws://127.0.0.1:${own.port}/`;
  try {
    const result = await measure(webSocket, url, options, given);
    process.stdout.write(
      given.json ? `${JSON.stringify(summary(result))}\n` : report(result, url, given),
    );
    return 0;
  } catch (error) {
    process.stderr.write(`${described(error)}\n`);
    return 1;
  } finally {
    await own?.worker.terminate();
  }
}

/** Load on the machines of others is not what this is for. */
async function insistOnLoopback(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^wss?:$/.test(url.protocol))
    throw new UsageError(`'${text}' is no ws or wss URL`);
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  const addresses = isIP(host)
    ? [{ address: host }]
    : await lookup(host, { all: true }).catch(() => []);
  const isLoopback = ({ address }) => address === '::1' || address.startsWith('127.');
  if (addresses.length === 0 || !addresses.every(isLoopback)) {
    throw new UsageError(`'${host}' is not this machine: bench loads loopback addresses only`);
  }
}

async function startServer() {
  const worker = new Worker(new URL('../echo-worker.mjs', import.meta.url));
  const port = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, port };
}

async function measure(webSocket, url, options, given) {
  const clients = Array.from({ length: given.connections }, () => webSocket.createWebSocket());
  try {
    await Promise.all(clients.map((client) => open(client, url, options)));
    return await load(clients, given);
  } finally {
    await Promise.allSettled(clients.map((client) => client.close()));
  }
}

async function load(clients, given) {
  const latencies = new Latencies();
  const data = given.binary ? new Uint8Array(given.size).fill(0x2a).buffer : '*'.repeat(given.size);
  const from = performance.now();
  const until = from + given.duration * 1000;
  const status = new StatusLine(process.stderr);
  const timer = setInterval(() => {
    const done = Math.min(1, (performance.now() - from) / (until - from));
    const bar = '█'.repeat(Math.round(done * 30)).padEnd(30, '░');
    status.show(`${bar} ${Math.round(done * 100)} %  ${count(latencies.count)} messages`);
  }, PROGRESS_MS);
  try {
    await Promise.all(clients.map((client) => exchange(client, data, given, until, latencies)));
  } finally {
    clearInterval(timer);
    status.clear();
  }
  return { latencies, seconds: (performance.now() - from) / 1000, size: given.size };
}

function open(client, url, options) {
  return new Promise((resolve, reject) => {
    client.on('open', resolve);
    client.on('error', reject);
    client.connect(url, options).catch(reject);
  });
}

/** Keeps so many messages on their way until the time is over and all have come back. */
function exchange(client, data, { inFlight, size }, until, latencies) {
  return new Promise((resolve, reject) => {
    const sentAt = [];
    let onTheWay = 0;
    const send = () => {
      onTheWay += 1;
      sentAt.push(process.hrtime.bigint());
      client.send(data).catch(reject);
    };
    client.on('message', (_error, echo) => {
      const length = typeof echo === 'string' ? echo.length : echo.byteLength;
      if (length !== size)
        return reject(new Error(`an echo of ${length} bytes instead of ${size}: no echo server?`));
      latencies.add(Number(process.hrtime.bigint() - sentAt.shift()));
      onTheWay -= 1;
      if (performance.now() < until) send();
      else if (onTheWay === 0) resolve();
    });
    client.on('close', (_error, { code, reason }) =>
      reject(new Error(`the server closed: ${code} ${reason}`)),
    );
    client.on('error', reject);
    for (let i = 0; i < inFlight; i++) send();
  });
}

const percentiles = { p50: 0.5, p90: 0.9, p99: 0.99, 'p99.9': 0.999 };

function summary({ latencies, seconds, size }) {
  const found = Object.entries(percentiles).map(([name, part]) => [
    name,
    latencies.percentile(part),
  ]);
  return {
    messages: latencies.count,
    seconds,
    messagesPerSecond: latencies.count / seconds,
    bytesPerSecond: (latencies.count * size) / seconds,
    latencyNanoseconds: { ...Object.fromEntries(found), max: latencies.greatest },
  };
}

function report(result, url, { connections, inFlight, binary, size }) {
  const { messages, seconds, messagesPerSecond, bytesPerSecond, latencyNanoseconds } =
    summary(result);
  const rows = result.latencies
    .ranges(CHART_ROWS)
    .map(([upper, number]) => [`≤ ${duration(upper)}`, number]);
  const figures = Object.entries(latencyNanoseconds).map(
    ([name, value]) => `${name} ${duration(value)}`,
  );
  return `${url}: ${connections} connections, ${inFlight} in flight, ${size} bytes ${binary ? 'binary' : 'text'}
${count(messages)} echoes in ${seconds.toFixed(2)} s: ${count(messagesPerSecond)}/s, ${bytes(Math.round(bytesPerSecond))}/s each way
latency: ${figures.join(', ')}

${bars(rows)}
`;
}
