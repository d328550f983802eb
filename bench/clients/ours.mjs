// The client of ohos-websocket as the README shows it, looked up by its own name; `--root=PATH`: of another checkout;
// `--views`: with `binaryType: 'view'`, which is nearest to the Buffers of ws's client.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { drive, root, views } from './driver.mjs';

const checkout = root ? pathToFileURL(`${root}/`) : new URL('../../', import.meta.url);
const requireFromRoot = createRequire(new URL('package.json', checkout));
const { createWebSocket } = requireFromRoot('ohos-websocket');

await drive(async (url, { onMessage, onClose, onError }) => {
  const socket = createWebSocket();
  socket.on(
    'message',
    (/** @type {any} */ _error, /** @type {string | ArrayBuffer | Uint8Array} */ data) => {
      onMessage((expected) =>
        typeof data === 'string'
          ? data === expected.data
          : typeof expected.data !== 'string' &&
            expected.bytes.equals(data instanceof Uint8Array ? data : Buffer.from(data)),
      );
    },
  );
  socket.on('close', (/** @type {any} */ _error, /** @type {any} */ { code }) => onClose(code));
  socket.on('error', onError);
  const open = new Promise((resolve) => socket.on('open', () => resolve(undefined)));
  await socket.connect(url, views ? { binaryType: 'view' } : {});
  await open;
  return { send: (data) => void socket.send(data), close: () => void socket.close() };
});
