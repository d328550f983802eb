// OpenSSL and zlib as static libraries, for the variant of the addon that brings its own: from Debian's packages for
// the architecture wanted, whichever one this machine has. OHWS_TLS_PREFIX names others (a folder with include/ and
// lib/).
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { cacheFolder } from './cache-folder.mjs';
import { DebianPackages } from './debian-packages.mjs';

/** A folder with include/{openssl,zlib.h} and lib/{libssl,libcrypto,libz}.a for an architecture. */
export function staticTls(arch) {
  if (process.env.OHWS_TLS_PREFIX) return path.resolve(process.env.OHWS_TLS_PREFIX);

  const packages = new DebianPackages(arch);
  const version = packages.version('libssl-dev').replaceAll(/[^\w.]/g, '-');
  const prefix = path.join(cacheFolder(), 'static-tls', `${arch}-${version}`);
  if (existsSync(prefix)) return prefix;

  mkdirSync(path.dirname(prefix), { recursive: true });
  const scratch = mkdtempSync(`${prefix}.`);
  try {
    const unpacked = path.join(scratch, 'unpacked');
    packages.unpack(['libssl-dev', 'zlib1g-dev'], unpacked);
    const libraries = path.join(unpacked, 'usr/lib');
    const triplet = readdirSync(libraries).find((name) => name.endsWith('-linux-gnu'));
    const include = path.join(unpacked, 'usr/include');
    const result = path.join(scratch, 'prefix');
    for (const folder of [include, path.join(include, triplet)]) {
      const from = path.join(folder, 'openssl');
      cpSync(from, path.join(result, 'include/openssl'), { recursive: true });
    }
    for (const name of ['zlib.h', 'zconf.h']) {
      cpSync(path.join(include, name), path.join(result, 'include', name));
    }
    for (const name of ['libssl.a', 'libcrypto.a', 'libz.a']) {
      cpSync(path.join(libraries, triplet, name), path.join(result, 'lib', name));
    }
    renameSync(result, prefix);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return prefix;
}
