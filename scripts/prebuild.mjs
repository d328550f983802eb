#!/usr/bin/env node
// `npm run prebuild [-- TARGET…]` makes the binaries of the package and checks them. Without targets: all for this
// platform and architecture. `--list` names the targets.
//
//   prebuilds/<platform>-<arch>/ohos-websocket.<libc>.node               TLS and zlib are those of the Node executable
//   bundled-tls/prebuilds/<platform>-<arch>/ohos-websocket.<libc>.node   brings its own, for runtimes that export none
//
// prebuildify runs the build, strips and names the file. It knows node-gyp only, but lets one name another program for
// it: this file, which it calls with `rebuild …` and which then configures with cmake-js. Every target has a folder of
// its own, build-prebuild/<target>; build/ is left alone.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inspectBinary } from './inspect-binary.mjs';
import { staticTls } from './static-tls.mjs';
import { inspectWindowsBinary } from './windows-binary.mjs';
import { zigToolchain } from './zig-toolchain.mjs';

const self = fileURLToPath(import.meta.url);
const root = path.resolve(self, '../..');
const require = createRequire(import.meta.url);

/** `zig`: Zig's name of the target and its lowest processor; without it the machine's own compiler builds. */
const targets = {
  'linux-x64': { libc: 'glibc', zig: ['x86_64-linux-gnu.2.28', 'x86_64'] },
  'linux-x64-musl': { libc: 'musl', zig: ['x86_64-linux-musl', 'x86_64'] },
  'linux-arm64': { libc: 'glibc', zig: ['aarch64-linux-gnu.2.28', 'generic'] },
  'linux-arm64-musl': { libc: 'musl', zig: ['aarch64-linux-musl', 'generic'] },
  'linux-x64-bundled': { libc: 'glibc', zig: ['x86_64-linux-gnu.2.28', 'x86_64'], bundled: true },
  'linux-arm64-bundled': {
    libc: 'glibc',
    zig: ['aarch64-linux-gnu.2.28', 'generic'],
    bundled: true,
  },
  'win32-x64': { zig: ['x86_64-windows-gnu', 'x86_64'] },
  'win32-arm64': { zig: ['aarch64-windows-gnu', 'generic'] },
  'darwin-x64': {},
  'darwin-arm64': {},
};

function runNode(args, options = {}) {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    ...options,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${path.basename(args[0])} failed`);
}

/** Calls prebuildify, which calls `rebuild` below. */
function prebuild(name) {
  const { libc, zig, bundled } = targets[name];
  const [platform, arch] = name.split('-');
  const folder = path.join(root, 'build-prebuild', name);
  const out = path.join(root, bundled ? 'bundled-tls' : '.');
  mkdirSync(folder, { recursive: true });
  const args = [
    require.resolve('prebuildify/bin.js'),
    folder,
    ...['--napi', '--strip', '--tag-libc', libc ?? ''],
    ...['--platform', platform, '--arch', arch, '--name', 'ohos-websocket', '--out', out],
    ...['--target', process.versions.node, '--node-gyp', self],
  ];
  // The linker has stripped it; this machine's `strip` may not know the architecture.
  if (zig) args.push('--strip-bin', 'true');
  runNode(args, { env: { ...process.env, OHWS_PREBUILD_TARGET: name } });

  const file = path.join(out, 'prebuilds', `${platform}-${arch}`, fileName(libc));
  if (platform === 'linux') reportLinux(name, file);
  if (platform === 'win32') reportWindows(name, file);
}

function fileName(libc) {
  return `ohos-websocket${libc ? `.${libc}` : ''}.node`;
}

function reportLinux(name, file) {
  const { facts, faults } = inspectBinary(file);
  const missing = missingFromNode(targets[name], facts);
  if (missing.length > 0)
    faults.push(`needs of Node.js what it does not export: ${missing.join(' ')}`);
  const { bytes, highestGlibc, needed } = facts;
  const glibc = highestGlibc === '' ? 'no glibc' : `glibc ${highestGlibc}`;
  process.stdout.write(`${name}: ${bytes} bytes, ${glibc}, needs ${needed.join(' ')}\n`);
  refuse(name, file, faults);
}

function reportWindows(name, file) {
  const { facts, faults } = inspectWindowsBinary(file);
  process.stdout.write(`${name}: ${facts.bytes} bytes, needs ${facts.needed.join(' ')}\n`);
  refuse(name, file, faults);
}

function refuse(name, file, faults) {
  if (faults.length === 0) return;
  rmSync(file);
  throw new Error(`${name} is not fit to be published:\n  ${faults.join('\n  ')}`);
}

/**
 * What a glibc binary takes from the executable that loads it and this Node has not. (glibc's own
 * symbols have versions; musl's have none, so nothing can be told apart there.)
 */
function missingFromNode({ libc, bundled }, { undefined: symbols }) {
  if (libc !== 'glibc') return [];
  const fromExecutable = symbols.filter((name) => !name.includes('@'));
  if (bundled) return fromExecutable.filter((name) => !name.startsWith('napi_'));
  const exported = new Set(inspectBinary(process.execPath).facts.exported);
  return fromExecutable.filter((name) => !exported.has(name));
}

/** What prebuildify calls, in the folder of the target. */
function rebuild() {
  const { zig, bundled } = targets[process.env.OHWS_PREBUILD_TARGET];
  const [, arch] = process.env.OHWS_PREBUILD_TARGET.split('-');
  const output = path.join(process.cwd(), 'build');
  rmSync(output, { recursive: true, force: true });
  const args = [
    require.resolve('cmake-js/bin/cmake-js'),
    'compile',
    '--out',
    output,
    '--arch',
    arch,
  ];
  args.push('--config', 'Release', '--parallel', String(availableParallelism()));
  args.push(`--CDOHWS_NODE=${process.execPath}`);
  if (zig) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${zigToolchain(...zig).file}`);
  if (bundled) args.push(`--CDOHWS_TLS_PREFIX=${staticTls(arch)}`);
  runNode(args);
}

function main() {
  if (!process.version.startsWith('v20.')) {
    throw new Error('prebuilds are made with Node.js 20: its OpenSSL is the oldest that they meet');
  }
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { list: { type: 'boolean', default: false } },
  });
  const unknown = positionals.find((name) => !Object.hasOwn(targets, name));
  if (unknown !== undefined) {
    throw new Error(`unknown target '${unknown}': one of ${Object.keys(targets).join(', ')}`);
  }
  if (values.list) {
    process.stdout.write(`${Object.keys(targets).join('\n')}\n`);
    return;
  }
  const here = `${process.platform}-${process.arch}`;
  const ofThisMachine = Object.keys(targets).filter(
    (name) => name === here || name.startsWith(`${here}-`),
  );
  for (const name of positionals.length > 0 ? positionals : ofThisMachine) prebuild(name);
}

try {
  if (process.argv[2] === 'rebuild') rebuild();
  else main();
} catch (error) {
  process.stderr.write(`ohos-websocket: ${error.message}\n`);
  process.exitCode = 1;
}
