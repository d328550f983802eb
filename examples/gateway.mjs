/**
 * A gateway: who has a token is let in, and may listen to topics and publish to those that the token allows.
 *
 *   node examples/gateway.mjs [port]
 *
 * Tokens come as `Authorization: Bearer …`, or from browsers, which cannot set it, as `?token=…`. Messages are
 * JSON: `{ "subscribe": topic }`, `{ "publish": topic, "data": … }`.
 */

import { webSocket } from 'ohos-websocket';

/** In place of a real service that knows tokens. */
const users = new Map([
  ['token-of-ann', { name: 'Ann', publishes: ['news', 'weather'] }],
  ['token-of-bob', { name: 'Bob', publishes: [] }],
]);

const server = webSocket.createWebSocketServer();

function onUpgrade({ headers, query }) {
  const token = headers.authorization?.replace(/^Bearer /, '') ?? query.get('token');
  const user = users.get(token);
  return user === undefined
    ? { accept: false, status: 401, headers: { 'www-authenticate': 'Bearer' } }
    : { accept: true, data: user };
}

server.on('messageReceive', async ({ data, clientConnection }) => {
  const user = clientConnection.data;
  const { subscribe, publish, data: content } = parse(data);
  if (typeof subscribe === 'string') {
    await server.subscribe(clientConnection, subscribe).catch(() => {}); // Too many, or gone.
    reply(clientConnection, { subscribed: subscribe });
  } else if (user.publishes.includes(publish)) {
    const message = { topic: publish, from: user.name, data: content };
    await server.publish(publish, JSON.stringify(message), { except: clientConnection });
  } else {
    reply(clientConnection, {
      error: 'neither a topic to subscribe to, nor one that you may publish to',
    });
  }
});

function reply(connection, message) {
  server.send(JSON.stringify(message), connection).catch(() => {}); // It has gone meanwhile.
}

function parse(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

await server.start({
  serverIP: '127.0.0.1',
  serverPort: Number(process.argv[2] ?? 8080),
  maxConcurrentClientsNumber: 10_000,
  maxConnectionsForOneClient: 100,
  onUpgrade,
  backPressure: 'close',
  limits: { messageBytes: 65_536, queuedBytes: 1_048_576 },
});
console.log(`listening on port ${server.port}`);

process.once('SIGINT', () => server.stop({ drain: 5 }));
