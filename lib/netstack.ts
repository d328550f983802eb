/** The `webSocket` namespace, values and types, with the behaviour of OpenHarmony's netstack. */

import { engines } from './engines.js';
import { netstack } from './profile.js';
import { createWebSocketModule, type WebSocketModule } from './web-socket-module.js';

const api: WebSocketModule = createWebSocketModule(netstack, engines);

/** Makes a client. Since API 6 (API reference, `webSocket.createWebSocket`). */
export const createWebSocket: WebSocketModule['createWebSocket'] = api.createWebSocket;
/** Makes a server. Since API 19 (API reference, `webSocket.createWebSocketServer`). */
export const createWebSocketServer: WebSocketModule['createWebSocketServer'] =
  api.createWebSocketServer;
export { TlsProtocol } from './tls-protocol.js';
export type * from './types.js';
