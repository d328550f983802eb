// Gets ready what the benchmark needs and the checkout does not hold: the compiled load generator
// and the packages to compare with.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BENCH_DIRECTORY, BUILD_DIRECTORY, LOAD_DIRECTORY, ROOT_DIRECTORY } from './paths.mjs';

const WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow'];

/**
 * Compiles the load generator and the ceiling server where a source is newer than the program.
 *
 * @throws {Error}
 */
export function compile() {
  if (process.platform !== 'linux') throw new Error('the load generator needs Linux (epoll)');
  const files = readdirSync(LOAD_DIRECTORY).map((name) => `${LOAD_DIRECTORY}/${name}`);
  const sources = files.filter((file) => file.endsWith('.cpp'));
  compileProgram('load', sources, files);

  const ceiling = [`${BENCH_DIRECTORY}/servers/ceiling.cpp`, `${LOAD_DIRECTORY}/handshake.cpp`];
  compileProgram('ceiling', ceiling, [...ceiling, `${LOAD_DIRECTORY}/handshake.h`]);
}

/**
 * @param {string} name
 * @param {readonly string[]} sources
 * @param {readonly string[]} inputs sources and headers
 */
function compileProgram(name, sources, inputs) {
  const program = `${BUILD_DIRECTORY}/${name}`;
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs >= newest) return;
  console.error(`compiling bench/build/${name}`);
  mkdirSync(BUILD_DIRECTORY, { recursive: true });
  run(process.env.CXX ?? 'c++', ['-std=c++20', '-O2', ...WARNINGS, '-o', program, ...sources]);
}

/**
 * Installs the packages of bench/package.json unless they are there in those versions.
 *
 * @throws {Error}
 */
export function installPeers() {
  const { dependencies } = readJson(`${BENCH_DIRECTORY}/package.json`);
  const missing = Object.entries(dependencies).some(([name, version]) => {
    const file = `${BENCH_DIRECTORY}/node_modules/${name}/package.json`;
    return !existsSync(file) || readJson(file).version !== version;
  });
  if (!missing) return;
  console.error('installing the packages to compare with, some 260 MB, into bench/node_modules');
  run('npm', ['ci', '--prefix', BENCH_DIRECTORY, '--ignore-scripts', '--no-audit', '--no-fund']);
}

/**
 * @throws {Error} if this package is not built
 */
export function checkOurs() {
  try {
    createRequire(`${ROOT_DIRECTORY}/package.json`).resolve('ohos-websocket');
  } catch {
    throw new Error(
      'ohos-websocket is not built: npm run build (or leave it out: --servers uws,ws)',
    );
  }
}

/**
 * @param {string} file
 * @returns {any}
 */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} failed`);
}
