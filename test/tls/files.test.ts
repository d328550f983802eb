/**
 * Proves what becomes of certificate, key and CA files that cannot be used, on both sides: 2302002 for
 * a file that is missing or holds something else, 2302999 for a wrong password or the key of another
 * certificate; before anything is on the wire, and with a cause that says why.
 */

import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type CertificateFiles,
  moreCertificatesOfFile,
  readPair,
} from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { callback, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener } from '../helpers/peers.js';

interface Files extends CertificateFiles {
  readonly keyPassword?: string;
}

const all = moreCertificatesOfFile();

const FILE = 2302002;
const OTHER = 2302999;
const TEXTS = {
  [FILE]: 'Websocket certificate file does not exist',
  [OTHER]: 'Websocket Unknown Other Error',
} as const;

interface Situation {
  readonly what: string;
  readonly code: typeof FILE | typeof OTHER;
  readonly phase: 'files' | 'tls';
  /** A word of the reason. */
  readonly why: RegExp;
}

interface PairSituation extends Situation {
  readonly files: () => Files;
}

const missing = () => path.join(all.folder, 'missing.pem');
const { garbage, empty } = {
  garbage: () => all.garbagePath,
  empty: () => all.emptyPath,
};

const NO_FILE = { code: FILE, phase: 'files', why: /no such file/ } as const;
const NO_CERTIFICATE = { code: FILE, phase: 'tls', why: /no start line|PEM/i } as const;
const NO_CA = { code: FILE, phase: 'tls', why: /no certificate|no start line|PEM/i } as const;
const NO_KEY = { code: FILE, phase: 'tls', why: /unsupported|no start line|no key|PEM/i } as const;
const WRONG_PASSWORD = { code: OTHER, phase: 'tls', why: /decrypt|password/i } as const;

const pairSituations: readonly PairSituation[] = [
  { what: 'no certificate file', ...NO_FILE, files: () => certOf(missing()) },
  { what: 'no key file', ...NO_FILE, files: () => keyOf(missing()) },
  { what: 'an empty key path', ...NO_FILE, files: () => keyOf('') },
  { what: 'neither', ...NO_FILE, files: () => ({ certPath: missing(), keyPath: missing() }) },
  { what: 'garbage for the certificate', ...NO_CERTIFICATE, files: () => certOf(garbage()) },
  { what: 'garbage for the key', ...NO_KEY, files: () => keyOf(garbage()) },
  { what: 'nothing in the certificate file', ...NO_CERTIFICATE, files: () => certOf(empty()) },
  { what: 'nothing in the key file', ...NO_KEY, files: () => keyOf(empty()) },
  {
    what: 'a folder for the certificate',
    ...{ code: FILE, phase: 'tls', why: /directory|PEM/i },
    files: () => certOf(all.folder),
  },
  {
    what: 'a folder for the key',
    ...{ code: FILE, phase: 'tls', why: /directory|unsupported|PEM/i },
    files: () => keyOf(all.folder),
  },
  { what: 'a key for the certificate', ...NO_CERTIFICATE, files: () => certOf(all.client.keyPath) },
  { what: 'a certificate for the key', ...NO_KEY, files: () => keyOf(all.client.certPath) },
  { what: 'a truncated certificate', ...NO_CERTIFICATE, files: () => certOf(truncated()) },
  {
    what: 'the key of another certificate',
    ...{ code: OTHER, phase: 'tls', why: /mismatch/ },
    files: () => keyOf(all.server.keyPath),
  },
  { what: 'a wrong password', ...WRONG_PASSWORD, files: () => encrypted('wrong') },
  { what: 'no password', ...WRONG_PASSWORD, files: () => encrypted() },
  { what: 'an empty password', ...WRONG_PASSWORD, files: () => encrypted('') },
  { what: 'a password too long', ...WRONG_PASSWORD, files: () => encrypted('x'.repeat(5000)) },
  { what: 'a wrong password, PEM encryption', ...WRONG_PASSWORD, files: () => legacy('wrong') },
  { what: 'no password, PEM encryption', ...WRONG_PASSWORD, files: () => legacy() },
  {
    what: 'a wrong password that does not break the padding',
    ...{ code: OTHER, phase: 'tls', why: /\S/ },
    files: deceptive,
  },
];

/** The client's own pair with one file replaced. */
function certOf(certPath: string): Files {
  return { ...all.client, certPath };
}

function keyOf(keyPath: string): Files {
  return { ...all.client, keyPath };
}

function encrypted(keyPassword?: string): Files {
  return withPassword(all.encryptedClient, keyPassword);
}

function legacy(keyPassword?: string): Files {
  return withPassword(all.legacyClient, keyPassword);
}

function withPassword({ certPath, keyPath }: CertificateFiles, keyPassword?: string): Files {
  return { certPath, keyPath, ...(keyPassword === undefined ? {} : { keyPassword }) };
}

function truncated(): string {
  const file = path.join(all.folder, 'truncated.pem');
  writeFileSync(file, readFileSync(all.client.certPath, 'utf8').slice(0, 300));
  return file;
}

/**
 * A key whose decryption with a wrong password ends in what looks like padding, as that of one in
 * about 256 keys does: OpenSSL then complains of the text, not of the decryption.
 */
function deceptive(): Files {
  const key = createPrivateKey(readFileSync(all.client.keyPath));
  const keyPath = path.join(all.folder, 'deceptive.key');
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'right' } as const;
    const pem = key.export({ type: 'pkcs8', format: 'pem', ...cipher });
    try {
      createPrivateKey({ key: pem, passphrase: 'wrong' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_OSSL_BAD_DECRYPT') continue;
      writeFileSync(keyPath, pem);
      return { certPath: all.client.certPath, keyPath, keyPassword: 'wrong' };
    }
  }
  throw new Error('no such key found');
}

const caSituations: readonly (Situation & { readonly file: () => string })[] = [
  { what: 'no CA file', ...NO_FILE, file: missing },
  { what: 'garbage for the CA', ...NO_CA, file: garbage },
  { what: 'nothing in the CA file', ...NO_CA, file: empty },
  { what: 'a key for the CA', ...NO_CA, file: () => all.client.keyPath },
  { what: 'a truncated CA', ...NO_CA, file: truncated },
  {
    what: 'a folder',
    code: FILE,
    phase: 'tls',
    why: /directory|no certificate|PEM/i,
    file: () => all.folder,
  },
];

/** Judges what a call was rejected with. */
function judge(error: Error & { code?: unknown }, { code, phase, why }: Situation): void {
  expect({ code: error.code, message: error.message }).toEqual({ code, message: TEXTS[code] });
  expect(error.cause).toMatchObject({ phase, detail: expect.stringMatching(why) });
}

describe('a client', PATIENT, () => {
  it.each(pairSituations)('with $what is refused', async (situation) => {
    const { client, listener, url } = await prepare();
    const { caPath } = all;

    const error = await rejection(
      client.ws.connect(url, { caPath, clientCert: situation.files() }),
    );

    judge(error, situation);
    await expectUntouched(client, listener, url);
  });

  it.each(caSituations)('with $what is refused', async (situation) => {
    const { client, listener, url } = await prepare();

    const error = await rejection(client.ws.connect(url, { caPath: situation.file() }));

    judge(error, situation);
    await expectUntouched(client, listener, url);
  });

  it('tells a callback the same', async () => {
    const { client, url } = await prepare();
    const { fn, called } = callback();

    client.ws.connect(url, { clientCert: { ...encrypted('wrong') } }, fn);

    const [error, value] = await called;
    expect(error).toMatchObject({ code: OTHER, message: TEXTS[OTHER] });
    expect(value).toBeUndefined();
  });

  it.each([
    ['caPath', () => ({ caPath: missing() })],
    ['certPath', () => ({ clientCert: certOf(missing()) })],
    ['keyPath', () => ({ clientCert: keyOf(missing()) })],
  ])('of a ws URL misses the file of %s too', async (_name, options) => {
    const { client, listener } = await prepare();

    const error = await rejection(client.ws.connect(`ws://127.0.0.1:${listener.port}/`, options()));

    judge(error, { what: '', ...NO_FILE });
  });

  async function prepare() {
    const listener = await RawListener.listen({ tls: readPair(all.server) });
    const url = `wss://localhost:${listener.port}/`;
    return { client: new TestClient(), listener, url };
  }

  /** No event, no connection, and the object can be used. */
  async function expectUntouched(
    client: TestClient,
    listener: RawListener,
    url: string,
  ): Promise<void> {
    await client.connect(url, { caPath: all.caPath, clientCert: all.client });
    await listener.acceptOpen();
    await client.log.next('open');
    expect(client.log.names[0]).toBe('headerReceive');
    expect(listener.accepted).toBe(1);
  }
});

describe('a server', PATIENT, () => {
  it.each(pairSituations)('with $what does not start', async (situation) => {
    const { server } = new TestServer();
    const config = { serverIP: '127.0.0.1', serverPort: 0, serverCert: situation.files() };

    judge(await rejection(server.start(config)), situation);

    expect(await server.start({ ...config, serverCert: all.client })).toBe(true);
  });

  it.each(['encryptedClient', 'legacyClient'] as const)(
    'starts with the key of %s and its password',
    async (name) => {
      const { password, ...files } = all[name];

      const server = await TestServer.start({ serverCert: { ...files, keyPassword: password } });

      expect(server.port).toBeGreaterThan(0);
    },
  );
});
