// Which servers there are, and how each is started.

import { BUILD_DIRECTORY, SERVERS_DIRECTORY } from './paths.mjs';

/** @typedef {{ command: string, args: readonly string[], extra: boolean }} ServerSpec */

/**
 * @param {string} file
 * @param {readonly string[]} [options]
 * @returns {ServerSpec}
 */
function script(file, options = []) {
  const args = [`${SERVERS_DIRECTORY}/${file}`, ...options];
  return { command: process.execPath, args, extra: options.length > 0 };
}

/** @type {Readonly<Record<string, ServerSpec>>} */
export const SERVERS = {
  ours: script('ours.mjs'),
  uws: script('uws.mjs'),
  ws: script('ws.mjs'),
  'uws-strings': script('uws.mjs', ['--strings']),
  'ws-strings': script('ws.mjs', ['--strings']),
  ceiling: { command: `${BUILD_DIRECTORY}/ceiling`, args: [], extra: true },
};
