// A server and a client of ours in one process, for the test that runs this with OHWS_LOOP=poll: echoes of several
// sizes, many at once. Prints how many came back right.
import { createWebSocket, createWebSocketServer } from 'ohos-websocket';

const SIZES = [0, 1, 125, 126, 4096, 65_535, 65_536, 1_000_000];
const ROUNDS = 50;

const server = createWebSocketServer();
server.on('messageReceive', ({ data, clientConnection }) => {
  void server.send(data, clientConnection);
});
await server.start({
  serverIP: '127.0.0.1',
  serverPort: 0,
  maxConcurrentClientsNumber: 10,
  maxConnectionsForOneClient: 10,
});

const client = createWebSocket();
const expected = Array.from({ length: ROUNDS }, (_, round) =>
  SIZES.map((size) => String(round % 10).repeat(size)),
).flat();
let right = 0;
const done = new Promise((resolve) => {
  let next = 0;
  client.on('message', (_error, data) => {
    if (data === expected[next]) right += 1;
    next += 1;
    if (next === expected.length) resolve();
  });
});
await client.connect(`ws://127.0.0.1:${server.port}/`);
for (const text of expected) void client.send(text);
await done;
await client.close();
await server.stop();
console.log(`${right} of ${expected.length}`);
