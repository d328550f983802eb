// Gets ready what the benchmark needs and the checkout does not hold: the compiled load generator,
// a certificate, and the packages to compare with.

import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  BENCH_DIRECTORY,
  BUILD_DIRECTORY,
  LOAD_DIRECTORY,
  ROOT_DIRECTORY,
  TLS_DIRECTORY,
} from './paths.mjs';

const WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow'];

/**
 * Compiles the load generator, and the servers and clients in C++, where a source is newer than the program.
 *
 * @throws {Error}
 */
export function compile() {
  if (process.platform !== 'linux') throw new Error('the load generator needs Linux (epoll)');
  checkTools();
  const files = readdirSync(LOAD_DIRECTORY).map((name) => `${LOAD_DIRECTORY}/${name}`);
  const sources = files.filter((file) => file.endsWith('.cpp'));
  compileProgram('load', sources, files, ['-lssl', '-lcrypto']);

  const stats = `${BENCH_DIRECTORY}/servers/stats.h`;
  // What the ceilings do at all, they do as ours does it.
  const ours = `${ROOT_DIRECTORY}/native/src`;
  const masking = `${ours}/protocol/frame.cpp`;
  const common = [`${LOAD_DIRECTORY}/handshake.cpp`, masking];
  const commonHeaders = [`${LOAD_DIRECTORY}/handshake.h`, `${ours}/protocol/frame.h`];
  const ceiling = [`${BENCH_DIRECTORY}/servers/ceiling.cpp`, ...common];
  compileProgram('ceiling', ceiling, [...ceiling, ...commonHeaders, stats], [`-I${ours}`]);

  const addon = [`${BENCH_DIRECTORY}/addon/ceiling.cpp`, ...common];
  const nodeApi = `-isystem${ROOT_DIRECTORY}/node_modules/node-api-headers/include`;
  compileProgram(
    'ceiling.node',
    addon,
    [...addon, ...commonHeaders],
    ['-shared', '-fPIC', nodeApi, `-I${ours}`],
  );

  const library = builtLws();
  const file = `${library}/lib/libwebsockets.a`;
  const libraries = [`-isystem${library}/include`, file, '-lssl', '-lcrypto'];
  const server = [`${BENCH_DIRECTORY}/servers/lws.cpp`];
  compileProgram('lws', server, [...server, stats, file], libraries);
  const client = [`${BENCH_DIRECTORY}/clients/lws.cpp`, `${LOAD_DIRECTORY}/options.cpp`];
  const headers = [`${LOAD_DIRECTORY}/options.h`, `${LOAD_DIRECTORY}/payload.h`];
  compileProgram('lws-client', client, [...client, ...headers, file], libraries);
}

/**
 * @returns {string} where the libwebsockets lies that this checkout's module was built with
 * @throws {Error}
 */
function builtLws() {
  const cache = `${ROOT_DIRECTORY}/build/CMakeCache.txt`;
  const text = existsSync(cache) ? readFileSync(cache, 'utf8') : '';
  const folder = /^OHWS_LWS_PREFIX:INTERNAL=(.+)$/m.exec(text)?.[1];
  if (folder === undefined) throw new Error('ohos-websocket is not built: npm run build:all');
  return folder;
}

/**
 * @throws {Error} that names everything missing
 */
function checkTools() {
  const compiler = process.env.CXX ?? 'c++';
  const includesOpenSsl = spawnSync(compiler, ['-fsyntax-only', '-x', 'c++', '-'], {
    input: '#include <openssl/ssl.h>\n#if OPENSSL_VERSION_MAJOR < 3\n#error\n#endif\n',
  });
  const missing = [
    ...(includesOpenSsl.error ? [`a C++20 compiler (${compiler})`] : []),
    ...(includesOpenSsl.status === 0 ? [] : ['the headers of OpenSSL 3']),
    ...(spawnSync('openssl', ['version']).status === 0 ? [] : ['the program openssl']),
  ];
  if (missing.length === 0) return;
  throw new Error(
    `this machine lacks ${missing.join(', ')} (Debian, Ubuntu: apt-get install g++ libssl-dev openssl)`,
  );
}

/**
 * @param {string} directory
 * @returns {{ cert: string, key: string }} the files of a certificate there
 */
export function certificateFiles(directory) {
  return { cert: `${directory}/cert.pem`, key: `${directory}/key.pem` };
}

/**
 * Makes the certificate of all servers, unless it is there: ECDSA P-256, for 127.0.0.1, signed by
 * itself.
 *
 * @param {string} [directory]
 * @throws {Error}
 */
export function makeCertificate(directory = TLS_DIRECTORY) {
  const { cert, key } = certificateFiles(directory);
  const isGood =
    existsSync(key) && spawnSync('openssl', ['x509', '-in', cert, '-checkend', '3600']);
  if (isGood && isGood.status === 0) return;
  mkdirSync(directory, { recursive: true });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  run('openssl', ['req', '-x509', '-days', '3650', '-key', key, '-out', cert, ...subject]);
}

/**
 * @param {string} name
 * @param {readonly string[]} sources
 * @param {readonly string[]} inputs sources and headers
 * @param {readonly string[]} [libraries]
 */
function compileProgram(name, sources, inputs, libraries = []) {
  const program = `${BUILD_DIRECTORY}/${name}`;
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs >= newest) return;
  console.error(`compiling bench/build/${name}`);
  mkdirSync(BUILD_DIRECTORY, { recursive: true });
  const args = ['-std=c++20', '-O2', ...WARNINGS, '-o', program, ...sources, ...libraries];
  run(process.env.CXX ?? 'c++', args);
}

/**
 * Installs the packages of bench/package.json unless they are there in those versions.
 *
 * @throws {Error}
 */
export function installPeers() {
  const { dependencies, devDependencies } = readJson(`${BENCH_DIRECTORY}/package.json`);
  const missing = Object.entries({ ...dependencies, ...devDependencies }).some(
    ([name, version]) => {
      const file = `${BENCH_DIRECTORY}/node_modules/${name}/package.json`;
      return !existsSync(file) || readJson(file).version !== version;
    },
  );
  if (!missing) return;
  console.error('installing the packages to compare with, some 370 MB, into bench/node_modules');
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
      'ohos-websocket is not built: npm run build:all (or leave it out: --servers uws,ws)',
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
