// The echo server that `bench` starts for itself, in a worker; says its port.
import { parentPort } from 'node:worker_threads';
import { createWebSocketServer } from '../dist/index.js';

const MANY = 100_000;
const server = createWebSocketServer();
server.on('messageReceive', ({ data, clientConnection }) => {
  server.send(data, clientConnection).catch(() => {});
});
await server.start({
  serverIP: '127.0.0.1',
  serverPort: 0,
  maxConcurrentClientsNumber: MANY,
  maxConnectionsForOneClient: MANY,
});
parentPort.postMessage(server.port);
