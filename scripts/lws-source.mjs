// Finds the libwebsockets source and applies our patches to it. Called by native/cmake/Libwebsockets.cmake and by hand:
//
//   node scripts/lws-source.mjs locate                                  one line of JSON about the source
//   node scripts/lws-source.mjs patch --strict|--lenient FOLDER HEADER  applies native/patches to FOLDER, writes HEADER
//   node scripts/lws-source.mjs header --none HEADER                    writes HEADER for a library without patches
//
// Where the source comes from, first hit wins: OHWS_LWS_SOURCE (an archive or a folder, any release from 4.3 on), the
// cache, the package mirrors that this machine is set up for, upstream's own tag archive. Whatever is downloaded must
// have the pinned SHA-256.
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyPatch } from './apply-patch.mjs';
import { cacheFolder } from './cache-folder.mjs';

const VERSION = '4.3.5';
const SHA256 = '87f99ad32803ed325fceac5327aae1f5c1b417d54ee61ad36cffc8df5f5ab276';
const UPSTREAM = `https://github.com/warmcat/libwebsockets/archive/refs/tags/v${VERSION}.tar.gz`;
const POOL_PATH = `pool/main/libw/libwebsockets/libwebsockets_${VERSION}.orig.tar.gz`;
const CONNECT_TIMEOUT_MS = 10_000;
const DOWNLOAD_TIMEOUT_MS = 180_000;

const patchFolder = fileURLToPath(new URL('../native/patches', import.meta.url));

class SourceError extends Error {}

function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}

function note(text) {
  process.stderr.write(`libwebsockets: ${text}\n`);
}

/** Base addresses of the package mirrors this machine is configured for; empty where there is no apt. */
function aptMirrors() {
  try {
    const output = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    });
    return [...new Set(output.split('\n'))].filter((uri) => /^https?:/.test(uri));
  } catch {
    return [];
  }
}

async function download(url) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), CONNECT_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok) throw new SourceError(`HTTP ${response.status}`);
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), DOWNLOAD_TIMEOUT_MS);
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

async function pinnedArchive(cache) {
  const folder = path.join(cache, 'archives');
  const file = path.join(folder, `libwebsockets-${VERSION}.tar.gz`);
  if (existsSync(file)) {
    if (sha256(readFileSync(file)) === SHA256) return file;
    note(`${file} has the wrong SHA-256, fetching it anew`);
    rmSync(file);
  }
  mkdirSync(folder, { recursive: true });

  const places = [
    ...aptMirrors().map((uri) => [
      "the machine's package mirror",
      new URL(POOL_PATH, uri.endsWith('/') ? uri : `${uri}/`),
    ]),
    ['the upstream repository', UPSTREAM],
  ];
  const failures = [];
  for (const [name, url] of places) {
    note(`fetching release ${VERSION} from ${name}`);
    try {
      const data = await download(url);
      const actual = sha256(data);
      if (actual !== SHA256) throw new SourceError(`wrong SHA-256 ${actual}, expected ${SHA256}`);
      const temporary = `${file}.${randomBytes(4).toString('hex')}`;
      try {
        writeFileSync(temporary, data);
        renameSync(temporary, file);
      } finally {
        rmSync(temporary, { force: true });
      }
      return file;
    } catch (error) {
      failures.push(
        `${name}: ${error.name === 'AbortError' ? 'no answer in time' : (error.cause?.message ?? error.message)}`,
      );
    }
  }
  throw new SourceError(
    `release ${VERSION} could not be fetched (${failures.join('; ')}). ` +
      'Fetch its source archive by other means and set OHWS_LWS_SOURCE to its path, or to the path of an unpacked source folder.',
  );
}

/** Identity of a source folder: what changes when a file in it changes, without reading them all. */
function folderIdentity(folder) {
  const hash = createHash('sha256').update(folder);
  const visit = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const full = path.join(directory, entry.name);
      if (entry.isDirectory()) visit(full);
      else if (entry.isFile()) {
        const { size, mtimeMs } = statSync(full);
        hash.update(`${full}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  for (const part of ['include', 'lib', 'cmake']) visit(path.join(folder, part));
  return hash.update(readFileSync(path.join(folder, 'CMakeLists.txt'))).digest('hex');
}

async function locate() {
  const cache = cacheFolder().replaceAll('\\', '/');
  const given = process.env.OHWS_LWS_SOURCE;
  if (!given) {
    const file = await pinnedArchive(cache);
    return {
      path: file.replaceAll('\\', '/'),
      kind: 'archive',
      identity: SHA256,
      pinned: true,
      cache,
    };
  }
  const full = path.resolve(given);
  if (!existsSync(full)) throw new SourceError(`OHWS_LWS_SOURCE: ${full} does not exist`);
  if (!statSync(full).isDirectory()) {
    const identity = sha256(readFileSync(full));
    return {
      path: full.replaceAll('\\', '/'),
      kind: 'archive',
      identity,
      pinned: identity === SHA256,
      cache,
    };
  }
  if (!existsSync(path.join(full, 'lib', 'core-net'))) {
    throw new SourceError(`OHWS_LWS_SOURCE: ${full} holds no libwebsockets source`);
  }
  return {
    path: full.replaceAll('\\', '/'),
    kind: 'folder',
    identity: folderIdentity(full),
    pinned: false,
    cache,
  };
}

/** Our patches in order: file name, id (the `Id:` line at the head) and text. */
function patches() {
  const files = readdirSync(patchFolder).filter((name) => name.endsWith('.patch'));
  return files.sort().map((name) => {
    const text = readFileSync(path.join(patchFolder, name), 'utf8').replaceAll('\r\n', '\n');
    const id = /^Id: (\S+)$/m.exec(text)?.[1];
    if (!id) throw new SourceError(`native/patches/${name} has no "Id:" line`);
    return { name, id, text };
  });
}

function writeHeader(file, all, missing) {
  const lines = [
    '// Which of our mends the libwebsockets behind this build has: 1 or 0. Generated.',
    '#pragma once',
    ...all.map(
      ({ id }) =>
        `#define OHWS_LWS_PATCH_${id.toUpperCase().replaceAll('-', '_')} ${missing.includes(id) ? 0 : 1}`,
    ),
    `#define OHWS_LWS_MISSING_PATCHES "${missing.join(' ')}"`,
    '',
  ];
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, lines.join('\n'));
}

function checkVersion(folder) {
  const text = readFileSync(path.join(folder, 'CMakeLists.txt'), 'utf8');
  const part = (name) =>
    Number(new RegExp(`CPACK_PACKAGE_VERSION_${name} "(\\d+)`).exec(text)?.[1]);
  const [major, minor] = [part('MAJOR'), part('MINOR')];
  if (!(major > 4 || (major === 4 && minor >= 3))) {
    throw new SourceError(`release 4.3 or later is needed, this source is ${major}.${minor}`);
  }
}

function patch(folder, header, strict) {
  checkVersion(folder);
  const all = patches();
  const missing = [];
  for (const { name, id, text } of all) {
    try {
      applyPatch(folder, text);
    } catch (error) {
      if (strict) throw new SourceError(`native/patches/${name} does not apply: ${error.message}`);
      missing.push(id);
      note(`warning: native/patches/${name} does not apply: ${error.message}`);
    }
  }
  if (missing.length > 0) note(`warning: this source lacks these mends: ${missing.join(', ')}`);
  note(`${all.length - missing.length} of ${all.length} patches applied`);
  writeHeader(header, all, missing);
}

async function main([command, ...args]) {
  if (command === 'locate' && args.length === 0) {
    process.stdout.write(`${JSON.stringify(await locate())}\n`);
  } else if (command === 'patch' && args.length === 3 && /^--(strict|lenient)$/.test(args[0])) {
    patch(args[1], args[2], args[0] === '--strict');
  } else if (command === 'header' && args.length === 2 && args[0] === '--none') {
    const all = patches();
    writeHeader(
      args[1],
      all,
      all.map(({ id }) => id),
    );
  } else {
    throw new SourceError(
      'usage: lws-source.mjs locate | patch --strict|--lenient FOLDER HEADER | header --none HEADER',
    );
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SourceError)) throw error;
  note(`error: ${error.message}`);
  process.exitCode = 1;
}
