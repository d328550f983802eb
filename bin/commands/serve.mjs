// `ohos-websocket serve`: a server for trying clients. Echoes, or sends every message to everybody.
import { ANY, UsageError } from '../arguments.mjs';
import { described } from '../client-options.mjs';
import { bytes, count, harmless, StatusLine } from '../terminal.mjs';

export const syntax = {
  name: 'serve',
  summary: 'Runs a server that echoes every message, until it is interrupted.',
  options: {
    host: { value: 'ADDRESS', help: 'IP address to listen on', default: '127.0.0.1' },
    port: {
      short: 'p',
      value: 'NUMBER',
      help: 'port; 0 takes a free one',
      default: '8080',
      number: [0, 65535],
    },
    broadcast: { short: 'b', help: 'send every message to all connections instead' },
    cert: { value: 'FILE', help: 'certificate: serves wss' },
    key: { value: 'FILE', help: 'its key' },
    passphrase: { value: 'TEXT', help: 'password of the key' },
    protocol: { value: 'LIST', help: 'subprotocols, separated by commas' },
    origin: {
      value: 'ORIGIN',
      help: 'an origin to allow; may be repeated; without it all are',
      many: true,
    },
    deflate: { help: 'accept compression (permessage-deflate)' },
    'max-clients': {
      value: 'NUMBER',
      help: 'addresses at a time',
      default: '10000',
      number: [0, 4294967295],
    },
    'max-per-client': {
      value: 'NUMBER',
      help: 'connections of an address',
      default: '10000',
      number: [0, 4294967295],
    },
    'max-connections': { value: 'NUMBER', help: 'connections of all together', number: [0, ANY] },
    'max-message': { value: 'BYTES', help: 'bytes of a message', number: [1, 536870888] },
    'max-waiting': {
      value: 'BYTES',
      help: 'bytes that may wait for a connection before it is closed',
      default: '67108864',
      number: [1, ANY],
    },
    verbose: { help: 'a line for every connection and message' },
    interval: {
      value: 'SECONDS',
      help: 'time between two lines of counters where there is no terminal',
      number: [0.1, 86400],
    },
  },
};

const REFRESH_MS = 1000;

export async function run(given) {
  if ((given.cert === undefined) !== (given.key === undefined)) {
    throw new UsageError('--cert and --key go together');
  }
  const { webSocket } = await import('../../dist/index.js');
  const server = webSocket.createWebSocketServer();
  const counters = {
    connections: 0,
    accepted: 0,
    errors: 0,
    messagesIn: 0,
    bytesIn: 0,
    messagesOut: 0,
    bytesOut: 0,
  };
  /** Connections, and how many bytes wait for each. */
  const waiting = new Map();
  const status = new StatusLine(process.stderr);
  const log = (text) => {
    status.clear();
    process.stdout.write(`${text}\n`);
  };
  const name = ({ clientIP, clientPort }) => `${clientIP}:${clientPort}`;

  server.on('connect', (connection) => {
    waiting.set(connection, 0);
    counters.accepted += 1;
    if (given.verbose) log(`+ ${name(connection)}`);
  });
  server.on('close', (connection, { code, reason }) => {
    waiting.delete(connection);
    if (given.verbose) log(`- ${name(connection)} ${code} ${harmless(reason)}`);
  });
  server.on('error', (error) => {
    counters.errors += 1;
    if (given.verbose) log(`! ${described(error)}`);
  });
  server.on('messageReceive', ({ data, clientConnection }) => {
    const size = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    counters.messagesIn += 1;
    counters.bytesIn += size;
    if (given.verbose) log(`> ${name(clientConnection)} ${preview(data)}`);
    for (const connection of given.broadcast ? [...waiting.keys()] : [clientConnection]) {
      pass(data, size, connection);
    }
  });

  /** Sends, and gives up on a peer that does not read. */
  function pass(data, size, connection) {
    const before = waiting.get(connection);
    if (before === undefined) return;
    if (before + size > given.maxWaiting) {
      waiting.delete(connection);
      server.close(connection, { code: 1008, reason: 'too slow' }).catch(() => {});
      return;
    }
    waiting.set(connection, before + size);
    server.send(data, connection).then(
      () => {
        counters.messagesOut += 1;
        counters.bytesOut += size;
        settle(size, connection);
      },
      // It has ended; its `close` event follows or has been.
      () => settle(size, connection),
    );
  }

  function settle(size, connection) {
    const now = waiting.get(connection);
    if (now !== undefined) waiting.set(connection, now - size);
  }

  try {
    await server.start(configuration(given));
  } catch (error) {
    process.stderr.write(`cannot serve: ${described(error)}\n`);
    return 1;
  }
  const scheme = given.cert === undefined ? 'ws' : 'wss';
  const host = given.host.includes(':') ? `[${given.host}]` : given.host;
  log(`${given.broadcast ? 'broadcasting' : 'echoing'} on ${scheme}://${host}:${server.port}/`);

  let last = { ...counters, at: performance.now() };
  const line = () => {
    const now = { ...counters, at: performance.now() };
    const rate = (field) => (now[field] - last[field]) / ((now.at - last.at) / 1000);
    const text =
      `${count(waiting.size)} connections, in ${count(rate('messagesIn'))}/s ${bytes(Math.round(rate('bytesIn')))}/s, ` +
      `out ${count(rate('messagesOut'))}/s ${bytes(Math.round(rate('bytesOut')))}/s, ` +
      `${count(now.accepted)} accepted, ${count(now.errors)} errors`;
    last = now;
    return text;
  };
  const timer = process.stderr.isTTY
    ? setInterval(() => status.show(line()), REFRESH_MS)
    : given.interval && setInterval(() => log(line()), given.interval * 1000);

  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  clearInterval(timer);
  await server.stop();
  log(
    `${count(counters.accepted)} connections, ${count(counters.errors)} errors, ` +
      `in ${count(counters.messagesIn)} messages ${bytes(counters.bytesIn)}, ` +
      `out ${count(counters.messagesOut)} messages ${bytes(counters.bytesOut)}`,
  );
  return 0;
}

function configuration(given) {
  const limits = {};
  if (given.maxConnections !== undefined) limits.connections = given.maxConnections;
  if (given.maxMessage !== undefined) limits.messageBytes = given.maxMessage;
  return {
    serverIP: given.host,
    serverPort: given.port,
    maxConcurrentClientsNumber: given.maxClients,
    maxConnectionsForOneClient: given.maxPerClient,
    permessageDeflate: given.deflate,
    limits,
    ...(given.protocol === undefined ? {} : { protocol: given.protocol }),
    ...(given.origin.length === 0 ? {} : { allowedOrigins: given.origin }),
    ...(given.cert === undefined
      ? {}
      : {
          serverCert: {
            certPath: given.cert,
            keyPath: given.key,
            keyPassword: given.passphrase ?? '',
          },
        }),
  };
}

function preview(data) {
  if (typeof data !== 'string') return `${bytes(data.byteLength)} binary`;
  const start = harmless(data.slice(0, 200));
  return data.length > 200 ? `${start}… (${count(data.length)} characters)` : start;
}
