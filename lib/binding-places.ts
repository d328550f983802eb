/**
 * Where the native module may lie: in the package, beside a bundle or an executable that this code
 * was packed into, or inside of a single executable. Finds files and loads none.
 */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Whose TLS a binary uses: `runtime`: that of the Node executable; `bundled`: its own. */
export type TlsOf = 'runtime' | 'bundled';

/** A place to look at. `find` gives the file's path or throws an Error that says what is wrong. */
export interface Place {
  readonly name: string;
  readonly tls: TlsOf;
  find(): string;
}

/** The asset of a single executable application that holds the native module. */
const SEA_ASSET = 'ohos-websocket.node';

/** Below the package: prebuildify's `prebuilds/<platform>-<arch>/ohos-websocket.<libc>.node`. */
const folders: Readonly<Record<TlsOf, string>> = { runtime: '.', bundled: 'bundled-tls' };

/** Bundled as an ES module, this code has no name of its own: then it is part of the main script. */
const here =
  typeof __filename === 'string' ? __filename : path.resolve(process.argv[1] ?? process.execPath);

/** A `require` that bundlers leave alone. */
export const runtimeRequire: NodeJS.Require = createRequire(here);

/** All places in the order of trying. */
export function places(): readonly Place[] {
  const given = process.env.OHWS_BINDING;
  if (given !== undefined && given !== '') {
    const file = path.resolve(given);
    const find = () => {
      // Anything else would be run as JavaScript.
      if (path.extname(file) !== '.node') throw new Error('the name does not end in .node');
      return file;
    };
    return [{ name: `${file} (OHWS_BINDING)`, tls: 'runtime', find }];
  }
  const found: Place[] = [];
  if (hasSeaAsset()) {
    found.push({ name: `the asset ${SEA_ASSET}`, tls: 'runtime', find: unpackSeaAsset });
  }
  for (const tls of variants()) {
    for (const base of baseFolders()) {
      const folder = path.join(base, folders[tls]);
      found.push({ name: folder, tls, find: () => findIn(folder) });
    }
  }
  return found;
}

/** Bun, Deno and Electron export no OpenSSL; another runtime may lack it too, so theirs comes second. */
function variants(): readonly TlsOf[] {
  const { bun, electron } = process.versions;
  const lacksTls = bun !== undefined || electron !== undefined || 'Deno' in globalThis;
  return lacksTls ? ['bundled'] : ['runtime', 'bundled'];
}

function baseFolders(): readonly string[] {
  const own = path.join(path.dirname(here), '..');
  if (isPackage(own)) return [own];
  // Packed into something: installed where that looks for packages, or copied beside it.
  const beside = [path.dirname(here), path.dirname(process.execPath)];
  const bases = [...installed(here), ...beside, ...installed(process.execPath)];
  return [...new Set(bases)];
}

function isPackage(folder: string): boolean {
  try {
    const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
    return (JSON.parse(text) as { name?: unknown }).name === 'ohos-websocket';
  } catch {
    return false;
  }
}

function installed(from: string): readonly string[] {
  try {
    return [path.dirname(createRequire(from).resolve('ohos-websocket/package.json'))];
  } catch {
    return [];
  }
}

function findIn(folder: string): string {
  const nodeGypBuild = require('node-gyp-build') as { path(folder: string): string };
  const file = nodeGypBuild.path(folder);
  // A folder that several packages share, as beside a bundle.
  if (!/^ohos[-_]websocket\b/.test(path.basename(file))) {
    throw new Error(`${file} is of another package`);
  }
  return file;
}

interface Sea {
  isSea(): boolean;
  getRawAsset(name: string): ArrayBuffer;
}

/** `node:sea`, where there is one: since Node.js 20.12. */
function sea(): Sea | undefined {
  try {
    return runtimeRequire('node:sea') as Sea;
  } catch {
    return undefined;
  }
}

function hasSeaAsset(): boolean {
  const module = sea();
  if (module?.isSea() !== true) return false;
  try {
    module.getRawAsset(SEA_ASSET);
    return true;
  } catch {
    return false;
  }
}

/** Only a file can be loaded. A folder that nobody else can write to; it is small and stays there. */
function unpackSeaAsset(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ohos-websocket-'));
  const file = path.join(folder, SEA_ASSET);
  writeFileSync(file, new Uint8Array((sea() as Sea).getRawAsset(SEA_ASSET)), { mode: 0o700 });
  return file;
}
