// Where the parts of the benchmark lie.

import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';

/** @param {string} path relative to this file */
function here(path) {
  return fileURLToPath(new URL(path, import.meta.url));
}

export const ROOT_DIRECTORY = here('../..');
export const BENCH_DIRECTORY = here('..');
export const BUILD_DIRECTORY = here('../build');
export const TLS_DIRECTORY = here('../build/tls');
export const LOAD_DIRECTORY = here('../load');
export const RESULTS_DIRECTORY = here('../results');
export const SERVERS_DIRECTORY = here('../servers');

/** Builds of other commits. */
export const CACHE_DIRECTORY = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/ohos-websocket/bench`;
