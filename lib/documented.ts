/** The `webSocket` namespace, values and types, with the documented behaviour. */

import { engines } from './engines.js';
import { documented } from './profile.js';
import { createWebSocketModule, type WebSocketModule } from './web-socket-module.js';

const api: WebSocketModule = createWebSocketModule(documented, engines);

/** Makes a client. Since API 6 (API reference, `webSocket.createWebSocket`). */
export const createWebSocket: WebSocketModule['createWebSocket'] = api.createWebSocket;
/** Makes a server. Since API 19 (API reference, `webSocket.createWebSocketServer`). */
export const createWebSocketServer: WebSocketModule['createWebSocketServer'] =
  api.createWebSocketServer;
export { TlsProtocol } from './tls-protocol.js';
export type * from './types.js';
