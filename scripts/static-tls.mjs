// OpenSSL and zlib as static libraries, for the variant of the addon that brings its own: from Debian's packages for
// the architecture wanted, whichever one this machine has. OHWS_TLS_PREFIX names others (a folder with include/ and
// lib/).
import { execFileSync } from 'node:child_process';
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

const packages = ['libssl-dev', 'zlib1g-dev'];
const debianNames = { x64: 'amd64', arm64: 'arm64' };

/** A folder with include/{openssl,zlib.h} and lib/{libssl,libcrypto,libz}.a for an architecture. */
export function staticTls(arch) {
  if (process.env.OHWS_TLS_PREFIX) return path.resolve(process.env.OHWS_TLS_PREFIX);

  const base = path.join(cacheFolder(), 'static-tls');
  const apt = path.join(base, `apt-${arch}`);
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(path.join(apt, folder), { recursive: true });
  }
  // The lists and settings of a system of that architecture, apart from this system's own.
  const options = {
    'Dir::State': path.join(apt, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': path.join(apt, 'cache'),
    'APT::Architecture': debianNames[arch],
    'APT::Architectures': debianNames[arch],
    'APT::Sandbox::User': 'root',
  };
  const optionArgs = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run = (program, args, cwd) =>
    execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

  run('apt-get', [...optionArgs, '-qq', 'update'], apt);
  const version = /^ {2}Candidate: (.*)$/m.exec(
    run('apt-cache', [...optionArgs, 'policy', 'libssl-dev'], apt),
  )?.[1];
  if (version === undefined)
    throw new Error('the package sources of this machine have no libssl-dev');
  const prefix = path.join(base, `${arch}-${version.replaceAll(/[^\w.]/g, '-')}`);
  if (existsSync(prefix)) return prefix;

  const scratch = mkdtempSync(`${prefix}.`);
  try {
    run('apt-get', [...optionArgs, '-qq', 'download', ...packages], scratch);
    const unpacked = path.join(scratch, 'unpacked');
    for (const name of readdirSync(scratch).filter((file) => file.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', path.join(scratch, name), unpacked], scratch);
    }
    const triplet = readdirSync(path.join(unpacked, 'usr/lib')).find((name) =>
      name.endsWith('-linux-gnu'),
    );
    const result = path.join(scratch, 'prefix');
    const include = path.join(unpacked, 'usr/include');
    for (const folder of [include, path.join(include, triplet)]) {
      cpSync(path.join(folder, 'openssl'), path.join(result, 'include/openssl'), {
        recursive: true,
      });
    }
    for (const name of ['zlib.h', 'zconf.h']) {
      cpSync(path.join(include, name), path.join(result, 'include', name));
    }
    for (const name of ['libssl.a', 'libcrypto.a', 'libz.a']) {
      cpSync(path.join(unpacked, 'usr/lib', triplet, name), path.join(result, 'lib', name));
    }
    renameSync(result, prefix);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return prefix;
}
