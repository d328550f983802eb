// Server on Bun's own WebSocket server, with limits that drop nothing. Runs in Bun, not in Node.js.

import { listening, TLS_FILES, wanted } from './control.mjs';

const { Bun } = /** @type {any} */ (globalThis);

const clients = new Set();

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  ...(TLS_FILES && { tls: { cert: Bun.file(TLS_FILES.cert), key: Bun.file(TLS_FILES.key) } }),
  fetch(/** @type {any} */ request, /** @type {any} */ { upgrade }) {
    return upgrade.call(server, request) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    sendPings: false,
    maxPayloadLength: 256 * 1024 * 1024,
    backpressureLimit: 1024 * 1024 * 1024,
    open: wanted.fanout ? (/** @type {any} */ socket) => clients.add(socket) : undefined,
    close: wanted.fanout ? (/** @type {any} */ socket) => clients.delete(socket) : undefined,
    message: wanted.fanout
      ? (/** @type {any} */ _socket, /** @type {any} */ message) => {
          for (const client of clients) client.send(message);
        }
      : (/** @type {any} */ socket, /** @type {any} */ message) => {
          socket.send(message);
        },
  },
});

listening(server.port);
