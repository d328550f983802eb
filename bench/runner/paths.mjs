// Where the parts of the benchmark lie.

import { fileURLToPath } from 'node:url';

export const ROOT_DIRECTORY = fileURLToPath(new URL('../..', import.meta.url));
export const BENCH_DIRECTORY = fileURLToPath(new URL('..', import.meta.url));
export const BUILD_DIRECTORY = fileURLToPath(new URL('../build', import.meta.url));
export const LOAD_DIRECTORY = fileURLToPath(new URL('../load', import.meta.url));
export const RESULTS_DIRECTORY = fileURLToPath(new URL('../results', import.meta.url));
export const SERVERS_DIRECTORY = fileURLToPath(new URL('../servers', import.meta.url));
