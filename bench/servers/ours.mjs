// Echo server on ohos-websocket as the README shows it, with limits that admit the load generator.
// The package is looked up by its own name, as a user's program does.

import { createRequire } from 'node:module';
import { listening } from './control.mjs';

const requireFromRoot = createRequire(new URL('../../package.json', import.meta.url));
const { createWebSocketServer } = requireFromRoot('ohos-websocket');

const server = createWebSocketServer();

server.on('messageReceive', (/** @type {any} */ message) => {
  server.send(message.data, message.clientConnection);
});

await server.start({
  serverIP: '127.0.0.1',
  serverPort: 0,
  maxConcurrentClientsNumber: 1_000_000,
  maxConnectionsForOneClient: 1_000_000,
});

listening(server.port);
