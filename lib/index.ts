/**
 * The package: OpenHarmony's `@ohos.net.webSocket` with the documented behaviour. `webSocket` is a
 * value and a namespace of types, as `import { webSocket } from '@kit.NetworkKit'` is on a device.
 */

import * as webSocket from './documented.js';

export { compressionBytes, setCompressionBudget } from './compression.js';
export { createWebSocket, createWebSocketServer, TlsProtocol } from './documented.js';
export { BusinessError, type ErrorCause } from './errors.js';
export { type MessagesOptions, messages } from './messages.js';
export { setQueuedBytesLimit } from './send-queue.js';
export { type Policy, setPolicy } from './settings.js';
export type * from './types.js';
export { type Versions, versions } from './versions.js';
export { webSocket, webSocket as default };
