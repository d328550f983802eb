/**
 * The `webSocket` namespace as unchanged application code gets it: in the profile that
 * `OHOS_WEBSOCKET_PROFILE` chooses, documented by default. Read once, when the first of the
 * platform's modules is imported.
 */

import * as documented from '../documented.js';
import * as netstack from '../netstack.js';
import type { WebSocketModule } from '../web-socket-module.js';
import { profileVariable } from './profile-variable.js';

const chosen: WebSocketModule = { documented, netstack }[profileVariable()];

export const createWebSocket: WebSocketModule['createWebSocket'] = chosen.createWebSocket;
export const createWebSocketServer: WebSocketModule['createWebSocketServer'] =
  chosen.createWebSocketServer;
export { TlsProtocol } from '../tls-protocol.js';
export type * from '../types.js';
