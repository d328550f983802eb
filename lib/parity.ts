/**
 * `ohos-websocket/parity`: the same module with the behaviour of OpenHarmony's netstack where that
 * differs from the documentation (`docs/compatibility.md`), over the same engine.
 */

import * as webSocket from './netstack.js';

export { BusinessError, type ErrorCause } from './errors.js';
export { createWebSocket, createWebSocketServer, TlsProtocol } from './netstack.js';
export { setQueuedBytesLimit } from './send-queue.js';
export { dangerouslyUseNetstackTls, type Policy, setPolicy } from './settings.js';
export type * from './types.js';
export { type Versions, versions } from './versions.js';
export { webSocket, webSocket as default };
