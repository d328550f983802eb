/**
 * A server with rooms, until Ctrl+C. A client says `join ROOM`, `leave ROOM` or `say ROOM TEXT`; what one says in a
 * room the others of that room get.
 */

import { webSocket } from 'ohos-websocket';

const server = webSocket.createWebSocketServer();
const name = ({ clientIP, clientPort }) => `${clientIP}:${clientPort}`;

const commands = {
  async join(client, room) {
    await server.subscribe(client, room);
    await server.publish(room, `${room}: somebody joined`, { except: client });
    await server.send(`${room}: ${server.subscriberCount(room)} here`, client);
  },
  async leave(client, room) {
    await server.unsubscribe(client, room);
    await server.publish(room, `${room}: somebody left`);
  },
  async say(client, room, text) {
    await server.publish(room, `${room}: ${text}`, { except: client });
  },
};

server.on('messageReceive', async ({ data, clientConnection }) => {
  const [, command = '', room = '', text = ''] = /^(\w+) (\S+) ?(.*)$/s.exec(String(data)) ?? [];
  try {
    if (!Object.hasOwn(commands, command)) throw new Error(`no such command: ${data}`);
    await commands[command](clientConnection, room, text);
  } catch (error) {
    // The connection may have ended meanwhile: then this is for nobody.
    server.send(error.cause?.detail ?? error.message, clientConnection).catch(() => {});
  }
});
server.on('close', (client) => console.log(`${name(client)} left`, server.topics()));

await server.start({
  serverPort: Number(process.argv[2] ?? 8080),
  maxConcurrentClientsNumber: 1000,
  maxConnectionsForOneClient: 1000,
});
console.log(`listening on port ${server.port}`);
process.once('SIGINT', async () => {
  await server.broadcast('the server goes');
  await server.stop();
});
