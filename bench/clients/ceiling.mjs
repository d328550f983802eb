// The least client that an addon can be (addon/ceiling.cpp).

import { createRequire } from 'node:module';
import { BUILD_DIRECTORY } from '../runner/paths.mjs';
import { drive } from './driver.mjs';

const { start, connect, send, close } = createRequire(import.meta.url)(
  `${BUILD_DIRECTORY}/ceiling.node`,
);

/** @type {import('./driver.mjs').Handlers[]} */
const handlers = [];

start(false, (/** @type {number} */ index, /** @type {string | ArrayBuffer | number} */ data) => {
  const { onMessage, onClose } = /** @type {import('./driver.mjs').Handlers} */ (handlers[index]);
  if (typeof data === 'number') {
    onClose(data);
    return;
  }
  onMessage((expected) =>
    typeof data === 'string'
      ? data === expected.data
      : typeof expected.data !== 'string' && expected.bytes.equals(Buffer.from(data)),
  );
});

await drive((url, connectionHandlers) => {
  const index = connect(Number(new URL(url).port));
  handlers[index] = connectionHandlers;
  return Promise.resolve({
    send: (data) => send(index, data),
    close: () => close(index),
  });
});
