/**
 * A chat for browsers: a page over HTTP, and a WebSocket server that passes everybody's lines on. Open the
 * address that it prints, in two windows.
 *
 *   node examples/chat/server.mjs [port of the page] [port of the WebSocket]
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { webSocket } from 'ohos-websocket';

const [pagePort = 8000, chatPort = 8080] = process.argv.slice(2).map(Number);

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8');
const http = createServer((request, response) => {
  if (request.url !== '/') {
    response.writeHead(404).end();
    return;
  }
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(page.replace('CHAT_PORT', String(chat.port)));
});
await new Promise((resolve) => http.listen(pagePort, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${http.address().port}`;

/** Names by connection; who has not said one yet is not there. */
const names = new Map();
const chat = webSocket.createWebSocketServer();

function tell(message) {
  const text = JSON.stringify(message);
  // Who has gone meanwhile rejects; the `close` event takes it from the list.
  for (const connection of names.keys()) chat.send(text, connection).catch(() => {});
}

chat.on('messageReceive', ({ data, clientConnection }) => {
  const message = parse(data);
  const name = names.get(clientConnection);
  if (typeof message?.join === 'string' && name === undefined) {
    names.set(clientConnection, message.join.slice(0, 40));
    tell({ here: [...names.values()] });
  } else if (typeof message?.say === 'string' && name !== undefined) {
    tell({ from: name, say: message.say });
  } else {
    chat.close(clientConnection, { code: 1008, reason: 'join, then say' }).catch(() => {});
  }
});
chat.on('close', (connection) => {
  if (names.delete(connection)) tell({ here: [...names.values()] });
});

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

await chat.start({
  serverIP: '127.0.0.1',
  serverPort: chatPort,
  maxConnectionsForOneClient: 100,
  allowedOrigins: [origin], // No page but ours.
  limits: { messageBytes: 4096 },
});
console.log(`open ${origin}/`);

process.once('SIGINT', async () => {
  http.close();
  await chat.stop();
});
