/**
 * What this package does, in one run: a server and twenty-two clients in one process talk through the
 * OpenHarmony API, and every message is checked. `node examples/demo.mjs [port]`; without a port, or
 * with 0, the server takes a free one.
 *
 * The process ends by itself because everything is closed; its exit code is 0 only if every message
 * arrived intact.
 */

import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { webSocket } from 'ohos-websocket';
import { OhosClient, RawClient, WsClient } from './demo/peers.mjs';
import { Report } from './demo/report.mjs';

const OHOS_CLIENTS = 20;
/** Ours, one of `ws` and the TCP peer; the next one is refused. */
const CONNECTIONS = OHOS_CLIENTS + 2;
const TEXTS_PER_CLIENT = 500;
const MAX_BYTES = 5 * 1024 * 1024 - 16;
const BINARY_SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1_048_576, MAX_BYTES];
const LIMIT_MS = 120_000;

const report = new Report();
const server = webSocket.createWebSocketServer();
const address = ({ clientIP, clientPort }) => `${clientIP}:${clientPort}`;
const sha256 = (data) => createHash('sha256').update(new Uint8Array(data)).digest('hex');

/** What the server has seen of its clients: address → how the connection ended. */
const ends = new Map();
const refusals = [];
/** Called after each close event of the server. */
let onEnd = () => {};
/** Called when something went wrong that no step waits for. */
let fail = () => {};
const failure = new Promise((_resolve, reject) => {
  fail = reject;
});

const watchdog = setTimeout(() => {
  report.failed(new Error(`not finished after ${LIMIT_MS / 1000} s`));
  process.exit(1);
}, LIMIT_MS).unref();

report.heading('ohos-websocket demo');
try {
  await Promise.race([run(), failure]);
  report.total();
} catch (error) {
  report.failed(error);
  process.exitCode = 1;
  // Whatever still holds the process open now is not worth waiting for.
  setTimeout(() => process.exit(), 1000).unref();
}
clearTimeout(watchdog);

async function run() {
  let url = '';
  await report.step('start', async () => {
    await startServer();
    url = `ws://127.0.0.1:${server.port}/`;
    return url;
  });

  const ours = Array.from({ length: OHOS_CLIENTS }, () => new OhosClient());
  const foreign = new WsClient();
  const raw = new RawClient();
  const everybody = [...ours, foreign, raw];
  const echoed = [...ours, foreign];

  await report.step('connect', async () => {
    await Promise.all(everybody.map((client) => client.open(url)));
    return `${ours.length} clients of ohos-websocket, one of ws, one of bare TCP`;
  });
  await report.step('over the limit', () => refuseOneMore(url));
  await report.step('listAllConnections', () => greet(everybody));
  await report.step('text', () => sendTexts(echoed));
  for (const size of BINARY_SIZES) {
    await report.step(`binary ${size.toLocaleString('en')} B`, () => sendBinary(echoed, size));
  }
  await report.step('fragments', () => sendFragments(raw));
  await report.step('too large', () => sendTooMuch(ours[0]));

  const third = Math.ceil(everybody.length / 3);
  await report.step('clients close', () => clientsClose(everybody.slice(-third)));
  await report.step('server closes', () => serverCloses(everybody.slice(third, -third)));
  await report.step('stop', () => stop(everybody.slice(0, third)));
}

async function startServer() {
  server.on('messageReceive', ({ data, clientConnection }) => {
    server.send(data, clientConnection).catch(fail);
  });
  server.on('close', (client, { code, reason }) => {
    ends.set(address(client), { code, reason });
    onEnd();
  });
  server.on('error', (error) => refusals.push(error));
  await server.start({
    serverIP: '127.0.0.1',
    serverPort: Number(process.argv[2] ?? process.env.PORT ?? 0),
    maxConcurrentClientsNumber: 1,
    maxConnectionsForOneClient: CONNECTIONS,
  });
}

async function refuseOneMore(url) {
  await assert.rejects(new OhosClient().open(url), { status: '503' });
  assert.equal(refusals.length, 1, 'the server raises one error event for a refusal');
  return `client number ${CONNECTIONS + 1} refused with HTTP 503`;
}

/** The server tells every client the address it has: the first messages, from server to client. */
async function greet(clients) {
  const connections = await server.listAllConnections();
  assert.equal(connections.length, clients.length);
  for (const connection of connections) await server.send(address(connection), connection);
  await Promise.all(
    clients.map(async (client) => {
      client.address = await client.next();
    }),
  );
  const told = clients.map((client) => client.address).sort();
  assert.deepEqual(told, connections.map(address).sort());
  return `${connections.length} connections, each told its address by the server`;
}

async function sendTexts(clients) {
  const words = ['plain', 'grüße', 'ὕδωρ', '水', '🌊', ''];
  const text = (i) => `${i} ${words[i % words.length].repeat(1 + (i % 40))}`;
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < TEXTS_PER_CLIENT; i++) client.send(text(i)).catch(fail);
      for (let i = 0; i < TEXTS_PER_CLIENT; i++) {
        const echo = await client.next();
        assert.equal(echo, text(i), `text ${i} of a ${client.kind} client`);
        report.count(Buffer.byteLength(echo));
      }
    }),
  );
}

async function sendBinary(clients, size) {
  const payload = randomFillSync(new Uint8Array(size)).buffer;
  const digest = sha256(payload);
  await Promise.all(
    clients.map(async (client) => {
      await client.send(payload);
      const echo = await client.next();
      assert.ok(echo instanceof ArrayBuffer, `${typeof echo} instead of an ArrayBuffer`);
      assert.equal(sha256(echo), digest, `SHA-256 of ${size} B of a ${client.kind} client`);
      report.count(size);
    }),
  );
}

async function sendFragments(raw) {
  const pieces = ['one ', '', 'message ', 'in ', 'five frames'];
  await raw.sendPieces(pieces);
  assert.equal(await raw.nextPong(), 'between');
  assert.equal(await raw.next(), pieces.join(''));
  report.count(Buffer.byteLength(pieces.join('')));
  return 'put together by the server, with a ping answered between them';
}

async function sendTooMuch(client) {
  const payload = new ArrayBuffer(MAX_BYTES + 1);
  const [connection] = await server.listAllConnections();
  await assert.rejects(client.send(payload), { code: 401 });
  await assert.rejects(server.send(payload, connection), { code: 401 });
  return `${payload.byteLength.toLocaleString('en')} B refused with 401 by client and server`;
}

async function clientsClose(clients) {
  const end = { code: 1000, reason: 'the client is done' };
  await Promise.all(clients.map((client) => client.close(end.code, end.reason)));
  return bothSidesSee(clients, end);
}

async function serverCloses(clients) {
  const end = { code: 1001, reason: 'the server is done' };
  const leaving = new Set(clients.map((client) => client.address));
  const connections = await server.listAllConnections();
  for (const connection of connections) {
    if (leaving.has(address(connection))) await server.close(connection, end);
  }
  return bothSidesSee(clients, end);
}

async function stop(clients) {
  await server.stop();
  return bothSidesSee(clients, { code: 1001, reason: 'server is going away' });
}

async function bothSidesSee(clients, end) {
  for (const client of clients) {
    const { code, reason } = await client.closed;
    assert.deepEqual({ code, reason }, end, `end of a ${client.kind} client`);
    while (!ends.has(client.address)) {
      await new Promise((resolve) => {
        onEnd = resolve;
      });
    }
    assert.deepEqual(ends.get(client.address), end, 'end as the server sees it');
  }
  return `${clients.length} connections, ${end.code} "${end.reason}" on both sides`;
}
