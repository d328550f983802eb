/**
 * Certificates for the TLS tests, made on the fly with the `openssl` command in a folder of their own
 * that `remove` deletes: a CA, and server certificates that are good, or wrong in exactly one way.
 * Nothing secret or dated lies in the repository.
 */

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { plainEnvironment } from './deadline.js';

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

/** A pair of files whose key has a password. */
export type EncryptedFiles = CertificateFiles & { readonly password: string };

/** What `Certificates` has no example of. All but `otherClient` lead to its `caPath`. */
export interface MoreCertificates {
  /** For the right names, issued by an intermediate CA that the file carries too. */
  readonly chained: CertificateFiles & {
    /** The intermediate CA alone. */
    readonly chainPath: string;
  };
  /** The same without the intermediate CA. */
  readonly broken: CertificateFiles;
  /** The same chain; its key is encrypted. */
  readonly chainedEncrypted: EncryptedFiles;
  /** For the right names, valid from tomorrow on. */
  readonly notYetValid: CertificateFiles;
  /** For 127.0.0.9 only. */
  readonly wrongAddress: CertificateFiles;
  /** For the host name `127.0.0.1`, which is no address. */
  readonly addressAsName: CertificateFiles;
  /** For `*.wild.test` only. */
  readonly wildcard: CertificateFiles;
  /** For the right names, but made for clients. */
  readonly wrongPurpose: CertificateFiles;
  /** For the right names, with an RSA key. */
  readonly rsa: CertificateFiles;
  /** For a client, named `client`. */
  readonly client: CertificateFiles;
  /** For the same client; its key is encrypted. */
  readonly encryptedClient: EncryptedFiles;
  /** The same, encrypted in the way of the PEM format itself. */
  readonly legacyClient: EncryptedFiles;
  /** For a client, issued by the CA of `otherCaPath`. */
  readonly otherClient: CertificateFiles;
  /** A file without a byte. */
  readonly emptyPath: string;
}

interface Issued {
  /** Of the files, and the common name. */
  readonly name: string;
  readonly names?: string;
  readonly usage?: 'serverAuth' | 'clientAuth';
  readonly isCa?: boolean;
  readonly isRsa?: boolean;
  /** Begin and end of its validity in days from now. */
  readonly days?: readonly [from: number, to: number];
  /** Name of the files of the CA; default `ca`. */
  readonly issuer?: string;
}

/** Certificates for all tests of a file, which calls this at its top level. */
export function certificatesOfFile(): Certificates {
  const certificates = makeCertificates();
  afterAll(() => certificates.remove());
  return certificates;
}

/** The same, and more of them. */
export function moreCertificatesOfFile(): Certificates & MoreCertificates {
  const certificates = certificatesOfFile();
  return { ...certificates, ...makeMoreCertificates(certificates) };
}

/** Makes more certificates in the same folder. */
export function makeMoreCertificates({ folder }: Certificates): MoreCertificates {
  const file = (name: string) => path.join(folder, name);
  const openssl = (...args: string[]) => runOpenssl(folder, args);
  const read = (name: string) => readFileSync(file(name), 'utf8');
  const pair = (name: string, key = name): CertificateFiles => {
    return { certPath: file(`${name}.pem`), keyPath: file(`${key}.key`) };
  };

  // `openssl x509`, which needs no configuration, cannot set the first day.
  writeFileSync(
    file('issue.cnf'),
    '[ca]\ndefault_ca=issue\n[issue]\ndatabase=issued.txt\nnew_certs_dir=.\nrand_serial=yes\n' +
      'default_md=sha256\nunique_subject=no\npolicy=any\n[any]\ncommonName=supplied\n',
  );
  writeFileSync(file('issued.txt'), '');
  const issue = ({ name, names = '', isCa = false, ...rest }: Issued): CertificateFiles => {
    const { usage = 'serverAuth', issuer = 'ca', days = [-1, 7] } = rest;
    const kind = rest.isRsa ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    const subject = names === '' ? '' : `subjectAltName=${names}\n`;
    const purpose = isCa ? 'keyUsage=critical,keyCertSign' : `extendedKeyUsage=${usage}`;
    const basic = `basicConstraints=critical,CA:${isCa ? 'TRUE' : 'FALSE'}`;
    writeFileSync(file(`${name}.ext`), `${subject}${purpose}\n${basic}\n`);
    openssl(
      ...['req', '-new', '-newkey', ...kind, '-nodes'],
      ...['-keyout', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`],
    );
    openssl(
      ...['ca', '-batch', '-notext', '-config', 'issue.cnf', '-extfile', `${name}.ext`],
      ...['-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`],
      ...['-startdate', certificateTime(days[0]), '-enddate', certificateTime(days[1])],
      ...['-in', `${name}.csr`, '-out', `${name}.pem`],
    );
    return pair(name);
  };
  const encrypt = (name: string, out: string, ...form: string[]): string => {
    openssl(
      ...['pkey', '-in', `${name}.key`, '-out', `${out}.key`, ...form],
      ...['-aes-256-cbc', '-passout', `pass:${PASSWORD}`],
    );
    return out;
  };

  issue({ name: 'intermediate', isCa: true });
  const broken = issue({ name: 'chained-leaf', names: RIGHT_NAMES, issuer: 'intermediate' });
  writeFileSync(file('chained.pem'), read('chained-leaf.pem') + read('intermediate.pem'));
  const client = issue({ name: 'client', usage: 'clientAuth' });
  writeFileSync(file('empty.pem'), '');

  return {
    chained: { ...pair('chained', 'chained-leaf'), chainPath: file('intermediate.pem') },
    broken,
    chainedEncrypted: {
      ...pair('chained', encrypt('chained-leaf', 'chained-encrypted')),
      password: PASSWORD,
    },
    notYetValid: issue({ name: 'not-yet-valid', names: RIGHT_NAMES, days: [1, 7] }),
    wrongAddress: issue({ name: 'wrong-address', names: 'IP:127.0.0.9' }),
    addressAsName: issue({ name: 'address-as-name', names: 'DNS:127.0.0.1' }),
    wildcard: issue({ name: 'wildcard', names: 'DNS:*.wild.test' }),
    wrongPurpose: issue({ name: 'wrong-purpose', names: RIGHT_NAMES, usage: 'clientAuth' }),
    rsa: issue({ name: 'rsa', names: RIGHT_NAMES, isRsa: true }),
    client,
    encryptedClient: {
      ...pair('client', encrypt('client', 'client-encrypted')),
      password: PASSWORD,
    },
    legacyClient: {
      ...pair('client', encrypt('client', 'client-legacy', '-traditional')),
      password: PASSWORD,
    },
    otherClient: issue({ name: 'other-client', usage: 'clientAuth', issuer: 'other-ca' }),
    emptyPath: file('empty.pem'),
  };
}

/** A time so many days from now, as `openssl ca` takes it. */
function certificateTime(days: number): string {
  const date = new Date(Date.now() + days * 86_400_000);
  return date.toISOString().replace(/[-:T]|\.\d+/g, '');
}
