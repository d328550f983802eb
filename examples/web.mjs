/**
 * The web's WebSocket on one side, a server on the other, and `for await` on both: a peer that is quicker than
 * the loop waits. An AbortSignal ends what takes too long.
 *
 *   node examples/web.mjs
 */

import { messages, webSocket } from 'ohos-websocket';
import { WebSocket } from 'ohos-websocket/w3c';

const server = webSocket.createWebSocketServer();
server.on('connect', async (connection) => {
  for await (const message of messages(connection)) {
    await server.send(`${message}!`, connection);
  }
  console.log('the server has read all');
});
await server.start({ serverIP: '127.0.0.1', serverPort: 0, protocol: 'shout' });

const ws = new WebSocket(`ws://127.0.0.1:${server.port}/`, {
  protocols: ['shout'],
  signal: AbortSignal.timeout(10_000),
});
ws.addEventListener('open', () => {
  console.log(`open, ${ws.protocol}`);
  for (const word of ['one', 'two', 'three']) ws.send(word);
});
ws.addEventListener('close', ({ code, wasClean }) => console.log(`closed ${code} ${wasClean}`));

for await (const message of messages(ws)) {
  console.log(message);
  if (message === 'three!') ws.close(1000);
}
await server.stop();
