// A gateway process for the tests: a server of this package, its topics, and a cluster. Its connections send
// `{ subscribe: topic }`; the test tells it by messages of the process to publish numbers, and hears of
// everything that the cluster reports.
//
//   node gateway.mjs <socket of Redis> <name>

import { webSocket } from 'ohos-websocket';
import { joinCluster } from 'ohos-websocket/cluster';

const [socketPath, name] = process.argv.slice(2);
const server = webSocket.createWebSocketServer();

const cluster = await joinCluster({
  local: server,
  redis: { socket: { path: socketPath, tls: false } },
});
cluster.on('gap', (gap) => process.send({ gap }));
cluster.on('state', (state) => process.send({ state }));
cluster.on('warning', (warning) => process.send({ warning: String(warning) }));

server.on('messageReceive', async ({ data, clientConnection }) => {
  const { subscribe } = JSON.parse(data);
  await cluster.subscribe(clientConnection, subscribe);
  await server.send(`subscribed ${subscribe}`, clientConnection);
});
await server.start({
  serverIP: '127.0.0.1',
  serverPort: 0,
  maxConcurrentClientsNumber: 100,
  maxConnectionsForOneClient: 100,
});

let published = 0;
let timer;
process.on('message', (order) => {
  if ('publish' in order) {
    timer = setInterval(() => {
      published += 1;
      void cluster.publish(order.publish, `${name} ${published}`);
    }, 2);
  } else {
    clearInterval(timer);
    process.send({ stopped: { published, counters: cluster.counters } });
  }
});
process.send({ listening: { port: server.port, id: cluster.id } });
