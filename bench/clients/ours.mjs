// The client of ohos-websocket as the README shows it, looked up by its own name; `--root=PATH`: of another checkout.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { drive, root } from './driver.mjs';

const checkout = root ? pathToFileURL(`${root}/`) : new URL('../../', import.meta.url);
const requireFromRoot = createRequire(new URL('package.json', checkout));
const { createWebSocket } = requireFromRoot('ohos-websocket');

await drive(async (url, { onMessage, onClose, onError }) => {
  const socket = createWebSocket();
  socket.on('message', (/** @type {any} */ _error, /** @type {string | ArrayBuffer} */ data) => {
    onMessage((expected) =>
      typeof data === 'string'
        ? data === expected.data
        : typeof expected.data !== 'string' && expected.bytes.equals(Buffer.from(data)),
    );
  });
  socket.on('close', (/** @type {any} */ _error, /** @type {any} */ { code }) => onClose(code));
  socket.on('error', onError);
  const open = new Promise((resolve) => socket.on('open', () => resolve(undefined)));
  await socket.connect(url);
  await open;
  return { send: (data) => void socket.send(data), close: () => void socket.close() };
});
