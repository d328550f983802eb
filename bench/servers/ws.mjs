// Server on ws, with its native masking helper (bufferutil).

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { WebSocketServer } from 'ws';
import { listening, TLS_FILES, wanted } from './control.mjs';

const http = TLS_FILES
  ? createTlsServer({ cert: readFileSync(TLS_FILES.cert), key: readFileSync(TLS_FILES.key) })
  : createServer();

const server = new WebSocketServer({
  server: http,
  maxPayload: 256 * 1024 * 1024,
  perMessageDeflate: false,
});

server.on('connection', (socket) => {
  if (wanted.fanout || wanted.publish) {
    socket.on('message', (data, isBinary) => {
      for (const client of server.clients) client.send(data, { binary: isBinary });
    });
  } else if (wanted.strings) {
    socket.on('message', (data, isBinary) => socket.send(isBinary ? data : data.toString()));
  } else {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  }
});

http.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
  listening(port);
});
