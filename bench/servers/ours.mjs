// Server on ohos-websocket as the README shows it, with limits that admit the load generator. The
// package is looked up by its own name, as a user's program does. An option that this build does
// not have ends the server: nothing is measured under a wrong name.

import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { listening, TLS_FILES, wanted } from './control.mjs';

const root = wanted.root ? pathToFileURL(`${wanted.root}/`) : new URL('../../', import.meta.url);
const requireFromRoot = createRequire(new URL('package.json', root));
const { createWebSocketServer, messages } = requireFromRoot('ohos-websocket');

/** @param {string} what */
function refuse(what) {
  process.stderr.write(`this build of ohos-websocket does not have ${what}\n`);
  process.exit(1);
}

const countThreads = () => readdirSync('/proc/self/task').length;
await readdir('/'); // Node's own threads start with the first of these; they do not count
const threadsBefore = countThreads();

const server = createWebSocketServer();

if (wanted.fanout) {
  const clients = new Map();
  const key = (/** @type {any} */ { clientIP, clientPort }) => `${clientIP} ${clientPort}`;
  server.on('connect', (/** @type {any} */ client) => clients.set(key(client), client));
  server.on('close', (/** @type {any} */ client) => clients.delete(key(client)));
  server.on('messageReceive', (/** @type {any} */ { data }) => {
    for (const client of clients.values()) server.send(data, client);
  });
} else if (wanted.publish) {
  server.on('connect', (/** @type {any} */ client) => server.subscribe(client, 'all'));
  server.on('messageReceive', (/** @type {any} */ { data }) => server.publish('all', data));
} else if (wanted.views) {
  server.on('messageReceive', (/** @type {any} */ message) => {
    if (!ArrayBuffer.isView(message.data)) refuse('binaryType');
    server.send(message.data, message.clientConnection);
  });
} else if (wanted.loop) {
  server.on('connect', async (/** @type {any} */ client) => {
    for await (const data of messages(client)) server.send(data, client);
  });
} else {
  server.on('messageReceive', (/** @type {any} */ message) => {
    server.send(message.data, message.clientConnection);
  });
}

await server.start({
  serverIP: '127.0.0.1',
  serverPort: 0,
  maxConcurrentClientsNumber: 1_000_000,
  maxConnectionsForOneClient: 1_000_000,
  ...(wanted.views && { binaryType: 'view' }),
  ...(wanted.threads && { threads: Number(wanted.threads) }),
  ...(TLS_FILES && { serverCert: { certPath: TLS_FILES.cert, keyPath: TLS_FILES.key } }),
});

if (wanted.threads && countThreads() - threadsBefore !== Number(wanted.threads)) refuse('threads');

listening(server.port);
