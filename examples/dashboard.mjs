/**
 * A server that echoes, and a page that shows what it does, live, until Ctrl+C.
 *
 *   node examples/dashboard.mjs [port of the page, 8080] [port of the server, 8081]
 */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { webSocket } from 'ohos-websocket';
import { startFeed } from './dashboard/feed.mjs';

const [pagePort = '8080', serverPort = '8081'] = process.argv.slice(2);
const host = '127.0.0.1';

const echo = webSocket.createWebSocketServer();
echo.on('messageReceive', ({ data, clientConnection }) => echo.send(data, clientConnection));
await echo.start({
  serverIP: host,
  serverPort: Number(serverPort),
  maxConcurrentClientsNumber: 1000,
  maxConnectionsForOneClient: 1000,
});

const page = await readFile(new URL('dashboard/page.html', import.meta.url), 'utf8');
let feed;
const http = createServer((request, response) => {
  if (request.url !== '/') {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(page.replace('FEED', `ws://${host}:${feed.port}/`));
});
http.listen(Number(pagePort), host, async () => {
  const { port } = http.address();
  feed = await startFeed(echo, { host, origin: `http://${host}:${port}` });
  console.log(`page: http://${host}:${port}/  server: ws://${host}:${echo.port}/`);
});

process.once('SIGINT', async () => {
  http.close();
  http.closeAllConnections();
  await feed.stop();
  await echo.stop();
});
