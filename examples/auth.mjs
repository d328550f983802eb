/**
 * A server that lets in who has a token, and tells everybody who they are. Until Ctrl+C.
 *
 *   node examples/auth.mjs 8080
 *   node examples/client.mjs 'ws://127.0.0.1:8080/?token=ada'
 */

import { setTimeout } from 'node:timers/promises';
import { webSocket } from 'ohos-websocket';

const users = new Map([
  ['ada', 'Ada Lovelace'],
  ['alan', 'Alan Turing'],
]);

/** Where a real one would ask a database, which gives up when `signal` says that nobody waits. */
async function userOf(token, signal) {
  return setTimeout(10, users.get(token), { signal });
}

const server = webSocket.createWebSocketServer();

server.on('messageReceive', ({ data, clientConnection }) =>
  server.send(`${clientConnection.data.name}: ${data}`, clientConnection),
);
server.on('error', ({ message, cause }) => console.error(message, cause.detail));

await server.start({
  serverPort: Number(process.argv[2] ?? 8080),
  onUpgrade: async ({ query, remoteAddress, signal }) => {
    const name = await userOf(query.get('token'), signal);
    if (name === undefined) {
      console.log(`refused ${remoteAddress}`);
      return { accept: false, status: 401, headers: { 'WWW-Authenticate': 'Bearer' } };
    }
    return { accept: true, data: { name } };
  },
});
console.log(`listening on port ${server.port}`);
process.once('SIGINT', () => server.stop());
