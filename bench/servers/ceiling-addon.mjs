// The least echo server that an addon can be (addon/ceiling.cpp).

import { createRequire } from 'node:module';
import { BUILD_DIRECTORY } from '../runner/paths.mjs';
import { listening } from './control.mjs';

const { start, listen, send } = createRequire(import.meta.url)(`${BUILD_DIRECTORY}/ceiling.node`);

start(true, (/** @type {number} */ index, /** @type {string | ArrayBuffer} */ data) => {
  send(index, data);
});

listening(listen());
