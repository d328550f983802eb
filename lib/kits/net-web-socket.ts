/** `@ohos.net.webSocket`, the module's name before the kits: the namespace as default export. */

import * as webSocket from './web-socket.js';

export * from './web-socket.js';
export { webSocket as default };
