// Builds what a checkout needs: the addon (through cmake-js) and dist/ (through tsc). Quick when nothing changed.
//
//   node scripts/build.mjs [native|ts] [--sanitize address|thread|undefined] [--debug]
//
// The ordinary addon goes to build/Release, where node-gyp-build finds it; every variant has a folder of its own
// (build-asan, build-tsan, build-ubsan, build-debug), never build/Release.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const require = createRequire(import.meta.url);

const variantFolder = { address: 'build-asan', thread: 'build-tsan', undefined: 'build-ubsan' };

function fail(text) {
  process.stderr.write(`ohos-websocket: ${text}\n`);
  process.exit(1);
}

function works(program, args, options = {}) {
  return spawnSync(program, args, { stdio: 'ignore', ...options }).status === 0;
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (error) fail(`${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function hasCxx20Compiler() {
  const folder = mkdtempSync(path.join(tmpdir(), 'ohws-'));
  const source = path.join(folder, 'probe.cpp');
  writeFileSync(
    source,
    '#include <concepts>\n#include <span>\nstatic_assert(__cplusplus >= 202002L);\nint main() {}\n',
  );
  try {
    const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
    return candidates.some((compiler) => works(compiler, ['-std=c++20', '-fsyntax-only', source]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function hasTlsHeaders() {
  const prefixes = [process.env.npm_config_nodedir, path.resolve(process.execPath, '../..')].filter(
    Boolean,
  );
  const folders = [
    ...prefixes.map((prefix) => path.join(prefix, 'include', 'node')),
    '/usr/include',
    '/usr/local/include',
    '/opt/homebrew/include',
  ];
  return folders.some((folder) => existsSync(path.join(folder, 'openssl', 'ssl.h')));
}

/** Ends with one line that names everything missing. */
function checkTools() {
  const missing = [];
  if (!works('cmake', ['--version'])) missing.push('cmake (3.21 or later)');
  if (process.platform !== 'win32') {
    if (!hasCxx20Compiler()) missing.push('a C++20 compiler (GCC 12 or Clang 14)');
    if (!works('make', ['--version']) && !works('ninja', ['--version']))
      missing.push('make or ninja');
    if (!hasTlsHeaders())
      missing.push("OpenSSL headers (Node's include/node, or libssl-dev with zlib1g-dev)");
  }
  if (missing.length > 0) {
    fail(
      `cannot build the addon, this machine lacks: ${missing.join(', ')} (Debian, Ubuntu: apt-get install cmake g++ make)`,
    );
  }
}

/** Whether a build folder is fit to bring itself up to date; else it is configured from the start. */
function isConfigured(output) {
  const cache = path.join(output, 'CMakeCache.txt');
  const generated = ['build.ninja', 'Makefile', 'ohos_websocket.sln', 'ohos_websocket.slnx'];
  if (!existsSync(cache) || !generated.some((name) => existsSync(path.join(output, name)))) {
    return false;
  }
  const text = readFileSync(cache, 'utf8');
  const value = (name) => new RegExp(`^${name}:\\w+=(.*)$`, 'm').exec(text)?.[1];
  const library = value('OHWS_LWS_PREFIX');
  return value('OHWS_NODE') === process.execPath && (!library || existsSync(library));
}

function buildNative({ folder, config, sanitize }) {
  const output = path.join(root, folder);
  if (isConfigured(output) && works('cmake', ['--version'])) {
    const quiet = existsSync(path.join(output, 'build.ninja')) ? ['--', '--quiet'] : [];
    const jobs = String(availableParallelism());
    run('cmake', ['--build', output, '--config', config, '--parallel', jobs, ...quiet]);
    return;
  }
  checkTools();
  // cmake-js does not configure where it finds a cache, however little came of it.
  rmSync(path.join(output, 'CMakeCache.txt'), { force: true });
  const args = [require.resolve('cmake-js/bin/cmake-js'), 'compile', '--out', output];
  args.push('--config', config, '--parallel', String(availableParallelism()));
  if (sanitize) args.push(`--CDOHWS_SANITIZE=${sanitize}`);
  args.push(`--CDOHWS_NODE=${process.execPath}`);
  run(process.execPath, args);
}

function buildTypeScript() {
  run(process.execPath, [require.resolve('typescript/lib/tsc.js'), '-p', 'tsconfig.json']);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sanitize: { type: 'string' }, debug: { type: 'boolean', default: false } },
});
const [part] = positionals;
if (positionals.length > 1 || (part !== undefined && part !== 'native' && part !== 'ts')) {
  fail('usage: build.mjs [native|ts] [--sanitize address|thread|undefined] [--debug]');
}
if (values.sanitize !== undefined && !(values.sanitize in variantFolder)) {
  fail(`--sanitize takes address, thread or undefined, not '${values.sanitize}'`);
}

if (part !== 'ts') {
  const folder = values.sanitize
    ? variantFolder[values.sanitize]
    : values.debug
      ? 'build-debug'
      : 'build';
  buildNative({ folder, config: values.debug ? 'Debug' : 'Release', sanitize: values.sanitize });
}
if (part !== 'native') buildTypeScript();
