/**
 * An echo server that leaves gracefully: on SIGTERM it tells its clients 1001, turns newcomers away with
 * 503, gives everybody twenty seconds to take what was sent to them, and ends.
 */

import { webSocket } from 'ohos-websocket';

const server = webSocket.createWebSocketServer();
server.on('messageReceive', ({ data, clientConnection }) => {
  server.send(data, clientConnection).catch(() => {}); // It has gone meanwhile.
});
await server.start({
  serverPort: Number(process.argv[2] ?? 8080),
  maxConcurrentClientsNumber: 1000,
  maxConnectionsForOneClient: 1000,
});
console.log(`listening on port ${server.port}`);

// Once: a second signal ends the process at once.
process.once('SIGTERM', async () => {
  const { closed, cut, refused } = await server.stop({ drain: 20 });
  console.log(`drained: ${closed} closed, ${cut} cut, ${refused} refused`);
});
