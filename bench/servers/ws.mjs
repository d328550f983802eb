// Echo server on ws, with its native masking helper (bufferutil). With --strings each text message
// becomes a string on its way, as it does in ohos-websocket.

import { WebSocketServer } from 'ws';
import { listening } from './control.mjs';

const strings = process.argv.includes('--strings');

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  backlog: 1024,
  perMessageDeflate: false,
});

server.on('connection', (socket) => {
  if (strings) {
    socket.on('message', (data, isBinary) => socket.send(isBinary ? data : data.toString()));
  } else {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  }
});

server.on('listening', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  listening(port);
});
