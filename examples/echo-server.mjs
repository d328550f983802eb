/**
 * A server that answers every message with itself, until Ctrl+C.
 */

import { webSocket } from 'ohos-websocket';

const server = webSocket.createWebSocketServer();
const name = ({ clientIP, clientPort }) => `${clientIP}:${clientPort}`;

server.on('connect', (client) => console.log(`${name(client)} connected`));
server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
server.on('close', (client, { code, reason }) => console.log(`${name(client)} ${code} ${reason}`));

await server.start({
  serverPort: Number(process.argv[2] ?? 8080),
  maxConcurrentClientsNumber: 10,
  maxConnectionsForOneClient: 10,
});
console.log(`listening on port ${server.port}`);
process.once('SIGINT', () => server.stop());
