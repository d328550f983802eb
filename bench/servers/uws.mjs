// Echo server on µWebSockets.js, with limits that drop nothing. With --strings each text message
// becomes a string on its way, as it does in ohos-websocket.

import uws from 'uwebsockets';
import { listening } from './control.mjs';

const strings = process.argv.includes('--strings');
const decoder = new TextDecoder();

uws
  .App()
  .ws('/*', {
    compression: uws.DISABLED,
    idleTimeout: 0,
    maxBackpressure: 1024 * 1024 * 1024,
    maxLifetime: 0,
    maxPayloadLength: 256 * 1024 * 1024,
    sendPingsAutomatically: false,
    message: strings
      ? (socket, message, isBinary) => {
          socket.send(isBinary ? message : decoder.decode(message), isBinary);
        }
      : (socket, message, isBinary) => {
          socket.send(message, isBinary);
        },
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (!socket) throw new Error('µWebSockets.js cannot listen');
    listening(uws.us_socket_local_port(socket));
  });
