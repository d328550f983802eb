// Which servers and clients there are, and how each is started.

import { existsSync } from 'node:fs';
import { BENCH_DIRECTORY, BUILD_DIRECTORY, SERVERS_DIRECTORY, TLS_DIRECTORY } from './paths.mjs';

/**
 * @typedef {object} ServerSpec
 * @property {readonly string[]} command
 * @property {boolean} extra only with --servers
 */

/**
 * @param {string} file
 * @param {...string} options
 * @returns {ServerSpec}
 */
function script(file, ...options) {
  const command = [process.execPath, `${SERVERS_DIRECTORY}/${file}`, ...options];
  return { command, extra: options.length > 0 };
}

const BUN_PACKAGES = /** @type {Record<string, string>} */ ({
  x64: '@oven/bun-linux-x64-baseline',
  arm64: '@oven/bun-linux-aarch64',
});
const BUN = `${BENCH_DIRECTORY}/node_modules/${BUN_PACKAGES[process.arch]}/bin/bun`;

/** @type {Readonly<Record<string, ServerSpec>>} */
const SERVERS = {
  ours: script('ours.mjs'),
  'ours-views': script('ours.mjs', '--views'),
  'ours-loop': script('ours.mjs', '--loop'),
  'ours-own-sweep': {
    command: [
      process.execPath,
      '--no-concurrent-array-buffer-sweeping',
      `${SERVERS_DIRECTORY}/ours.mjs`,
    ],
    extra: true,
  },
  'ours-own-thread': script('ours.mjs', '--threads=1'),
  'ours-2-threads': script('ours.mjs', '--threads=2'),
  uws: script('uws.mjs'),
  ws: script('ws.mjs'),
  bun: { command: [BUN, `${SERVERS_DIRECTORY}/bun.mjs`], extra: false },
  'uws-deferred': script('uws.mjs', '--deferred'),
  'uws-strings': script('uws.mjs', '--strings'),
  'ws-strings': script('ws.mjs', '--strings'),
  lws: { command: [`${BUILD_DIRECTORY}/lws`], extra: false },
  'ceiling-addon': script('ceiling-addon.mjs'),
  ceiling: { command: [`${BUILD_DIRECTORY}/ceiling`], extra: true },
};

/**
 * Clients that are compared, in rows of mode `client`, and how each is started.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const CLIENT_COMMANDS = {
  ours: [process.execPath, `${BENCH_DIRECTORY}/clients/ours.mjs`],
  'ours-views': [process.execPath, `${BENCH_DIRECTORY}/clients/ours.mjs`, '--views'],
  ws: [process.execPath, `${BENCH_DIRECTORY}/clients/ws.mjs`],
  lws: [`${BUILD_DIRECTORY}/lws-client`],
  ceiling: [process.execPath, `${BENCH_DIRECTORY}/clients/ceiling.mjs`],
};

export const CLIENTS = Object.keys(CLIENT_COMMANDS);

export const SERVER_NAMES = Object.keys(SERVERS);

/** `ours@ROOT` stands for ohos-websocket of another checkout, its server or its client. */
const ELSEWHERE = 'ours@';

/**
 * @param {string} root of a checkout
 * @returns {string} the name of its server
 */
export function oursOf(root) {
  return ELSEWHERE + root;
}

/**
 * @param {string} name
 * @returns {ServerSpec | undefined}
 */
export function findServer(name) {
  if (name.startsWith(ELSEWHERE)) {
    return script('ours.mjs', `--root=${name.slice(ELSEWHERE.length)}`);
  }
  return Object.hasOwn(SERVERS, name) ? SERVERS[name] : undefined;
}

/**
 * @param {string} name
 * @returns {readonly string[] | undefined} its command, without options
 */
export function findClient(name) {
  if (name.startsWith(ELSEWHERE)) {
    return [...(CLIENT_COMMANDS.ours ?? []), `--root=${name.slice(ELSEWHERE.length)}`];
  }
  return Object.hasOwn(CLIENT_COMMANDS, name) ? CLIENT_COMMANDS[name] : undefined;
}

/**
 * @param {string} name
 * @returns {boolean} false where a server's program has no package for this machine
 */
export function isInstalled(name) {
  return name !== 'bun' || existsSync(BUN);
}

/**
 * @param {string} name
 * @param {import('./rows.mjs').Row} row
 * @returns {readonly string[]} the command line
 */
export function serverCommand(name, row) {
  const spec = findServer(name);
  if (spec === undefined) throw new Error(`no server is called '${name}'`);
  const tls = row.tls ? [`--tls=${TLS_DIRECTORY}`] : [];
  const isToAll = row.mode === 'fanout' || row.mode === 'publish';
  return [...spec.command, ...tls, ...(isToAll ? [`--${row.mode}`] : [])];
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} options
 * @returns {readonly string[]} the command line
 */
export function clientCommand(name, options) {
  const command = findClient(name);
  if (command === undefined) throw new Error(`no client is called '${name}'`);
  return [
    ...command,
    ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, `${value}`]),
  ];
}
