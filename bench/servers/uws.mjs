// Server on µWebSockets.js, with limits that drop nothing.

import uws from 'uwebsockets';
import { listening, TLS_FILES, wanted } from './control.mjs';

const decoder = new TextDecoder();

const app = TLS_FILES
  ? uws.SSLApp({ cert_file_name: TLS_FILES.cert, key_file_name: TLS_FILES.key })
  : uws.App();

/** @type {Set<uws.WebSocket<unknown>>} */
const clients = new Set();

/** @type {uws.WebSocketBehavior<unknown>} */
const behavior = {
  compression: uws.DISABLED,
  idleTimeout: 0,
  maxBackpressure: 1024 * 1024 * 1024,
  maxLifetime: 0,
  maxPayloadLength: 256 * 1024 * 1024,
  sendPingsAutomatically: false,
};

if (wanted.fanout) {
  behavior.open = (socket) => {
    clients.add(socket);
  };
  behavior.close = (socket) => {
    clients.delete(socket);
  };
  behavior.message = (_socket, message, isBinary) => {
    for (const client of clients) client.send(message, isBinary);
  };
} else if (wanted.publish) {
  behavior.open = (socket) => {
    socket.subscribe('all');
  };
  behavior.message = (_socket, message, isBinary) => {
    app.publish('all', message, isBinary);
  };
} else if (wanted.deferred) {
  behavior.message = (socket, message, isBinary) => {
    const copy = message.slice(0); // the memory is only lent
    setImmediate(() => socket.send(copy, isBinary));
  };
} else if (wanted.strings) {
  behavior.message = (socket, message, isBinary) => {
    socket.send(isBinary ? message : decoder.decode(message), isBinary);
  };
} else {
  behavior.message = (socket, message, isBinary) => {
    socket.send(message, isBinary);
  };
}

app.ws('/*', behavior).listen('127.0.0.1', 0, (socket) => {
  if (!socket) throw new Error('µWebSockets.js cannot listen');
  listening(uws.us_socket_local_port(socket));
});
