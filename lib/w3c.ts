/**
 * `ohos-websocket/w3c`: the `WebSocket` of the web platform on the native client. Beyond OHOS.
 */

export { type MessagesOptions, messages } from './messages.js';
export type { EventHandler } from './w3c/event-handlers.js';
export { CloseEvent, type CloseEventInit, ErrorEvent, type ErrorEventInit } from './w3c/events.js';
export type { WebSocketInit } from './w3c/init.js';
export {
  type BinaryType,
  WebSocket,
  type WebSocketEventMap,
  type WebSocketSendable,
} from './w3c/web-socket.js';
