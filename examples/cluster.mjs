/**
 * One of several gateways that are one for their clients: what is said in a room is heard in it on every machine,
 * over Redis 7 or Valkey.
 *
 *   node examples/cluster.mjs [port] [URL of Redis, or the path of its socket]
 */

import { webSocket } from 'ohos-websocket';
import { joinCluster } from 'ohos-websocket/cluster';

const [port = '8080', redis = 'redis://127.0.0.1:6379'] = process.argv.slice(2);

const server = webSocket.createWebSocketServer();
const cluster = await joinCluster({
  local: server,
  redis: redis.startsWith('/') ? { socket: { path: redis, tls: false } } : { url: redis },
});
cluster.on('state', (state) => console.log(`cluster: ${state}`));
cluster.on('gap', ({ topics, count }) =>
  console.log(`missed ${count} in one of ${topics.join(', ')}`),
);
cluster.on('warning', (warning) => console.log(`Redis: ${warning.message}`));

server.on('messageReceive', async ({ data, clientConnection }) => {
  const [, command, room, text = ''] = /^(join|say) (\S+) ?(.*)$/s.exec(data) ?? [];
  if (command === 'join') {
    await cluster.subscribe(clientConnection, room);
    const here = await cluster.subscriberCount(room).catch(() => server.subscriberCount(room));
    server.send(`${room}: ${here} here`, clientConnection).catch(() => {}); // It has gone.
  } else if (command === 'say') {
    // Apart from Redis this machine's clients hear it, the others are told of a gap.
    await cluster.publish(room, text, { except: clientConnection }).catch(() => {});
  }
});
await server.start({
  serverIP: '127.0.0.1',
  serverPort: Number(port),
  maxConnectionsForOneClient: 1000,
});
console.log(`listening on port ${server.port}`);

process.once('SIGINT', async () => {
  await cluster.leave();
  await server.stop({ drain: 5 });
});
