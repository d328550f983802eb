/** What servers publish through `node:diagnostics_channel`: the messages. No values. Beyond OHOS. */

import type { BusinessError } from './errors.js';
import type { WebSocketConnection, WebSocketServer } from './server-types.js';

/** Message of `ohos-websocket:server.open`: before the `connect` event. */
export interface ServerOpenMessage {
  /** The server. */
  readonly server: WebSocketServer;
  /** Its connection. */
  readonly connection: WebSocketConnection;
}

/** Message of `ohos-websocket:server.close`: before the `close` event. */
export interface ServerCloseMessage {
  /** The server. */
  readonly server: WebSocketServer;
  /** Its connection. */
  readonly connection: WebSocketConnection;
  /** As the `close` event has it. */
  readonly code: number;
  /** As the `close` event has it. */
  readonly reason: string;
  /** It ended without a close handshake. */
  readonly abnormal: boolean;
}

/** Message of `ohos-websocket:server.refuse`: somebody was not let in, and `error` would say so. */
export interface ServerRefuseMessage {
  /** The server. */
  readonly server: WebSocketServer;
  /** Who came. */
  readonly clientIP: string;
  /** What it was answered with, 0 if it was not. */
  readonly httpStatus: number;
  /** Why, in words. */
  readonly reason: string;
}

/** Message of `ohos-websocket:server.error`: what the `error` event has, with a listener or not. */
export interface ServerErrorMessage {
  /** The server. */
  readonly server: WebSocketServer;
  /** What the listener gets. */
  readonly error: BusinessError;
}

/**
 * Message of `ohos-websocket:server.backpressure`: more than `limits.queuedBytes` wait for a
 * connection. `begin` comes with the first message that has to wait or is refused; `end` when the
 * connection is below the mark again, or has ended. What comes in between is not told.
 */
export interface ServerBackPressureMessage {
  /** The server. */
  readonly server: WebSocketServer;
  /** Its connection. */
  readonly connection: WebSocketConnection;
  /** Whether it begins or is over. */
  readonly phase: 'begin' | 'end';
}
