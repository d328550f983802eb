/** Builds the module object of one profile over one transport. */

import type { WebSocket } from './client-types.js';
import { node } from './platform.js';
import type { Profile } from './profile.js';
import type { WebSocketServer } from './server-types.js';
import { processSettings } from './settings.js';
import type { Surroundings } from './surroundings.js';
import { TlsProtocol } from './tls-protocol.js';
import type { Transport } from './transport.js';
import { WebSocketClient } from './web-socket.js';
import { WebSocketServerEndpoint } from './web-socket-server.js';

/** The values of the `webSocket` namespace. */
export interface WebSocketModule {
  /** Makes a client. Since API 6 (API reference, `webSocket.createWebSocket`). */
  createWebSocket(): WebSocket;
  /** Makes a server. Since API 19 (API reference, `webSocket.createWebSocketServer`). */
  createWebSocketServer(): WebSocketServer;
  /** TLS versions. Since API 26. */
  readonly TlsProtocol: typeof TlsProtocol;
}

export function createWebSocketModule(
  profile: Profile,
  transport: Transport,
  { platform = node, settings = processSettings }: Partial<Surroundings> = {},
): WebSocketModule {
  const surroundings = { profile, transport, platform, settings };
  return {
    createWebSocket: () => new WebSocketClient(surroundings),
    createWebSocketServer: () => new WebSocketServerEndpoint(surroundings),
    TlsProtocol,
  };
}
