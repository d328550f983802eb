/**
 * A small run of everything for valgrind, which slows it down by thirty: messages of all paths both ways, compressed
 * ones too, refusals, connections that are cut, and an engine in a worker.
 */

import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { webSocket } from 'ohos-websocket';

/** Within the rings, and beside them. */
const MESSAGES = ['', 'text', 'ü'.repeat(40_000), new ArrayBuffer(0), new ArrayBuffer(200_000)];

async function echoServer(config = {}) {
  const server = webSocket.createWebSocketServer();
  server.on('connect', () => {});
  server.on('close', () => {});
  server.on('error', () => {});
  server.on('messageReceive', ({ data, clientConnection }) => {
    void server.send(data, clientConnection);
  });
  await server.start({ serverIP: '127.0.0.1', serverPort: 0, ...config });
  return server;
}

async function exchange(url, options) {
  const client = webSocket.createWebSocket();
  const opened = new Promise((resolve, reject) => {
    client.on('open', resolve);
    client.on('error', reject);
  });
  let received = 0;
  const all = new Promise((resolve) => {
    client.on('message', () => {
      if (++received === MESSAGES.length) resolve(undefined);
    });
  });
  const closed = new Promise((resolve) => client.on('close', resolve));
  await client.connect(url, options);
  await opened;
  for (const message of MESSAGES) await client.send(message);
  await all;
  await client.close({ code: 1000, reason: 'enough' });
  await closed;
}

/** A peer that breaks off: garbage, half a request, half a frame. */
async function breakOff(port, bytes) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes, () => socket.destroy());
  await once(socket, 'close');
}

const server = await echoServer({ permessageDeflate: { threshold: 0 } });
const url = `ws://127.0.0.1:${server.port}/`;
for (const permessageDeflate of [false, true]) await exchange(url, { permessageDeflate });
const request =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
for (const bytes of ['nonsense\r\n\r\n', request.slice(0, 60), `${request}\u0082`]) {
  await breakOff(server.port, bytes);
}
await server.stop();
await exchange(url).then(
  () => {
    throw new Error('a server that has stopped was reached');
  },
  () => {},
);
const worker = new Worker(
  `const { webSocket } = require('ohos-websocket');
  const server = webSocket.createWebSocketServer();
  void server.start({ serverIP: '127.0.0.1', serverPort: 0 }).then(() => process.exit());`,
  { eval: true },
);
await once(worker, 'exit');
process.stdout.write('exchanged\n');
