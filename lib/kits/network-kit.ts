/** `@kit.NetworkKit`, as far as WebSocket is concerned. */

export * as connection from './connection.js';
export * as webSocket from './web-socket.js';
