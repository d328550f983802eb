/**
 * A server behind a proxy that bounds its clients: silent ones are found out, quick ones slowed down, and while
 * a message is being stored nothing more is read of its sender.
 *
 *   node examples/behind-a-proxy.mjs [port]
 */

import { setTimeout } from 'node:timers/promises';
import { webSocket } from 'ohos-websocket';

const server = webSocket.createWebSocketServer();

/** In place of a real one, which takes its time. */
const store = { write: (text) => setTimeout(5, text) };

server.on('connect', (client) => {
  console.log(`${client.remoteAddress} by ${client.clientIP}`);
  client.data = { stored: 0, askedAt: performance.now() };
  server.ping(client, 'round trip');
});
server.on('pong', (client, data) => {
  if (data.byteLength === 0) return; // one of the heartbeat
  console.log(`a round trip of ${(performance.now() - client.data.askedAt).toFixed(1)} ms`);
});
server.on('messageReceive', async ({ data, clientConnection: client }) => {
  if (data === 'quit') {
    await server.terminate(client);
    return;
  }
  try {
    await server.pause(client); // its TCP window fills, and it has to wait
    await store.write(data);
    client.data.stored += 1;
    await server.send(`${client.data.stored} stored`, client);
    await server.resume(client);
  } catch {
    // It has gone meanwhile.
  }
});
server.on('drain', (client) => console.log(`${server.bufferedAmount(client)} bytes wait`));
server.on('close', ({ remoteAddress }, { code }) => console.log(`${remoteAddress} left: ${code}`));

await server.start({
  serverIP: '127.0.0.1',
  serverPort: Number(process.argv[2] ?? 8080),
  maxConcurrentClientsNumber: 100_000,
  trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'],
  proxyHeader: 'x-forwarded-for',
  heartbeat: { intervalMs: 30_000, timeoutMs: 10_000, jitter: 0.5 },
  ratePolicy: 'delay',
  limits: { messagesPerSecond: 100, bytesPerSecondOfAddress: 1_000_000, idleTimeoutMs: 600_000 },
});
console.log(`listening on port ${server.port}`);
process.once('SIGINT', () => server.stop());
