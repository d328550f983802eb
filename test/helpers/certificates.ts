/**
 * Certificates for the TLS tests, made on the fly with the `openssl` command in a folder of their own
 * that `remove` deletes: a CA, and server certificates that are good, or wrong in exactly one way.
 * Nothing secret or dated lies in the repository.
 */

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** PEM files, in the form of the API's `ServerCert`. */
export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface Certificates {
  readonly folder: string;
  /** PEM file of the CA that signed `server`, `wrongHost` and `expired`. */
  readonly caPath: string;
  /** PEM file of a CA that signed nothing here. */
  readonly otherCaPath: string;
  /** For `localhost`, 127.0.0.1 and ::1. */
  readonly server: CertificateFiles;
  /** As `server`, with another key: for telling two servers apart. */
  readonly secondServer: CertificateFiles;
  /** Valid, but for `elsewhere.invalid` only. */
  readonly wrongHost: CertificateFiles;
  /** For the right names, out of date since yesterday. */
  readonly expired: CertificateFiles;
  /** For the right names, signed by itself. */
  readonly selfSigned: CertificateFiles;
  /** The certificate of `server`; its key is encrypted with `password`. */
  readonly encryptedKey: CertificateFiles & { readonly password: string };
  /** The certificate of `server` with the key of `secondServer`. */
  readonly mismatched: CertificateFiles;
  /** A file that exists and is no certificate, key or CA. */
  readonly garbagePath: string;
  /** Deletes the folder. */
  remove(): void;
}

const RIGHT_NAMES = 'DNS:localhost,IP:127.0.0.1,IP:::1';
const PASSWORD = 'correct horse';

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(path.join(tmpdir(), 'ohws-certificates-'));
  try {
    return makeIn(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function makeIn(folder: string): Certificates {
  const file = (name: string) => path.join(folder, name);
  const openssl = (...args: string[]) => runOpenssl(folder, args);

  const makeKey = (name: string) => {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', name);
  };
  const makeSelfSigned = (name: string, commonName: string, ...extensions: string[]) => {
    makeKey(`${name}.key`);
    openssl(
      ...['req', '-x509', '-new', '-key', `${name}.key`, '-out', `${name}.pem`],
      ...['-subj', `/CN=${commonName}`, '-days', '7'],
      ...extensions.flatMap((extension) => ['-addext', extension]),
    );
  };
  const makeSigned = (name: string, names: string, days = 7): CertificateFiles => {
    makeKey(`${name}.key`);
    writeFileSync(
      file(`${name}.ext`),
      `subjectAltName=${names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n`,
    );
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, '-days', String(days)],
      ...['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`],
    );
    return { certPath: file(`${name}.pem`), keyPath: file(`${name}.key`) };
  };

  makeSelfSigned('ca', 'ohos-websocket test CA', 'keyUsage=critical,keyCertSign,cRLSign');
  makeSelfSigned('other-ca', 'another CA', 'keyUsage=critical,keyCertSign,cRLSign');
  makeSelfSigned('self-signed', 'localhost', `subjectAltName=${RIGHT_NAMES}`);
  const server = makeSigned('server', RIGHT_NAMES);
  const secondServer = makeSigned('second-server', RIGHT_NAMES);
  openssl(
    ...['pkey', '-in', 'server.key', '-out', 'encrypted.key'],
    ...['-aes-256-cbc', '-passout', `pass:${PASSWORD}`],
  );
  writeFileSync(file('garbage.pem'), 'this is not PEM\n');

  return {
    folder,
    caPath: file('ca.pem'),
    otherCaPath: file('other-ca.pem'),
    server,
    secondServer,
    wrongHost: makeSigned('wrong-host', 'DNS:elsewhere.invalid'),
    expired: makeSigned('expired', RIGHT_NAMES, -1),
    selfSigned: { certPath: file('self-signed.pem'), keyPath: file('self-signed.key') },
    encryptedKey: {
      certPath: server.certPath,
      keyPath: file('encrypted.key'),
      password: PASSWORD,
    },
    mismatched: { certPath: server.certPath, keyPath: secondServer.keyPath },
    garbagePath: file('garbage.pem'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The contents of both files, as Node's `tls` wants them. */
export function readPair({ certPath, keyPath }: CertificateFiles): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(certPath), key: readFileSync(keyPath) };
}

/** Starts `openssl` as a peer. */
export function startOpenssl(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn('openssl', args, { env: plainEnvironment() });
}

/** Without the library that a sanitizer run preloads into its workers: `openssl` is not built for it. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _preload, ...rest } = process.env;
  return rest;
}

function runOpenssl(folder: string, args: readonly string[]): void {
  const { error, status, stderr } = spawnSync('openssl', args, {
    cwd: folder,
    env: plainEnvironment(),
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (error && (error as NodeJS.ErrnoException).code === 'ENOENT') {
    throw new Error('the TLS tests need the command `openssl`, which is not installed');
  }
  if (error) throw error;
  if (status !== 0) throw new Error(`openssl ${args.join(' ')} failed: ${stderr.trim()}`);
}
