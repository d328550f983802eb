/**
 * Proves what a client demands of the server's certificate, against Node's `tls` and the `openssl`
 * command: a chain to its store, dates, purpose, and the host name of the URL; that
 * `skipServerCertVerification` demands nothing; and that the error names what was wrong.
 */

import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CertificateFiles, moreCertificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { connectIn } from './connect-in.js';
import { resolveNames } from './names.js';
import { expectTalk, expectTlsFailure, hasIpv6, tlsKinds } from './tls-peers.js';

const all = moreCertificatesOfFile();

/** Names of the pairs of files that a server can show. */
type ServerFiles = {
  [K in keyof typeof all]: (typeof all)[K] extends CertificateFiles ? K : never;
}[keyof typeof all];

interface Situation {
  readonly what: string;
  readonly shows: ServerFiles;
  /** Host of the URL; default `localhost`. */
  readonly host?: string;
  /** What `caPath` is; default `caPath`. */
  readonly trusts?: 'caPath' | 'otherCaPath' | 'the system' | 'what is shown';
  /** A word of the reason; undefined: the connection opens. */
  readonly refused?: RegExp;
}

const OTHER_NAME = /host ?name|address|mismatch/i;

const situations: readonly Situation[] = [
  { what: 'a certificate of the CA', shows: 'server' },
  { what: 'a chain with its intermediate CA', shows: 'chained' },
  { what: 'a chain without its intermediate CA', shows: 'broken', refused: /issuer/ },
  { what: 'an unknown issuer', shows: 'server', trusts: 'otherCaPath', refused: /issuer/ },
  {
    what: 'an issuer the system does not know',
    shows: 'server',
    trusts: 'the system',
    refused: /issuer/,
  },
  { what: 'an expired certificate', shows: 'expired', refused: /expired/ },
  { what: 'one that is not valid yet', shows: 'notYetValid', refused: /not yet valid/ },
  { what: 'one for clients', shows: 'wrongPurpose', refused: /purpose/ },
  { what: 'a self-signed one', shows: 'selfSigned', refused: /self.signed/ },
  {
    what: 'a self-signed one without caPath',
    shows: 'selfSigned',
    trusts: 'the system',
    refused: /self.signed/,
  },
  { what: 'a self-signed one that is trusted', shows: 'selfSigned', trusts: 'what is shown' },
  { what: 'the right address', shows: 'server', host: '127.0.0.1' },
  { what: 'another host name', shows: 'wrongHost', refused: OTHER_NAME },
  {
    what: 'a host name for an address',
    shows: 'wrongHost',
    host: '127.0.0.1',
    refused: OTHER_NAME,
  },
  { what: 'another address', shows: 'wrongAddress', host: '127.0.0.1', refused: OTHER_NAME },
  { what: 'an address for a host name', shows: 'wrongAddress', refused: OTHER_NAME },
  {
    what: 'an address written as a host name',
    shows: 'addressAsName',
    host: '127.0.0.1',
    refused: OTHER_NAME,
  },
  { what: 'a wildcard', shows: 'wildcard', host: 'a.wild.test' },
  { what: 'a wildcard, in capitals', shows: 'wildcard', host: 'A.WILD.TEST' },
  {
    what: 'a wildcard for two labels',
    shows: 'wildcard',
    host: 'a.b.wild.test',
    refused: OTHER_NAME,
  },
  { what: 'a wildcard for no label', shows: 'wildcard', host: 'wild.test', refused: OTHER_NAME },
  {
    what: 'a wildcard of another domain',
    shows: 'wildcard',
    host: 'a.mild.test',
    refused: OTHER_NAME,
  },
];

const ipv6Situations: readonly Situation[] = [
  { what: 'the right IPv6 address', shows: 'server', host: '[::1]' },
  { what: 'the right IPv6 address, in long form', shows: 'server', host: '[0:0:0:0:0:0:0:1]' },
  {
    what: 'an IPv4 address for an IPv6 one',
    shows: 'wrongAddress',
    host: '[::1]',
    refused: OTHER_NAME,
  },
];

describe.each(tlsKinds)('a client meets $name with', PATIENT, (kind) => {
  it.each(situations)('$what', judge);
  it.runIf(hasIpv6).each(ipv6Situations)('$what', judge);

  async function judge(situation: Situation): Promise<void> {
    const { shows, host = 'localhost', trusts = 'caPath', refused } = situation;
    const { server, url } = await serve(shows, host);
    const client = new TestClient();
    const caPath = {
      caPath: all.caPath,
      otherCaPath: all.otherCaPath,
      'the system': undefined,
      'what is shown': all[shows].certPath,
    }[trusts];

    await client.connect(url, { caPath });

    if (refused === undefined) await expectTalk(client, server);
    else await expectTlsFailure(client, refused);
  }

  it.each<[ServerFiles, string]>([
    ['server', 'localhost'],
    ['broken', 'localhost'],
    ['expired', 'localhost'],
    ['notYetValid', 'localhost'],
    ['wrongPurpose', 'localhost'],
    ['selfSigned', 'localhost'],
    ['wrongHost', 'localhost'],
    ['wrongAddress', '127.0.0.1'],
    ['wildcard', 'a.b.wild.test'],
  ])('the certificate %j for %s, and skips the verification', async (shows, host) => {
    const { server, url } = await serve(shows, host);
    const client = new TestClient();

    await client.connect(url, { skipServerCertVerification: true });

    await expectTalk(client, server);
  });

  it.each([1, 'true', {}, null, undefined, false])(
    'a self-signed certificate and skipServerCertVerification: %j, which is not true',
    async (value) => {
      const { url } = await serve('selfSigned', 'localhost');
      const client = new TestClient();

      await client.connect(url, { skipServerCertVerification: value as boolean });

      await expectTlsFailure(client, /self.signed/);
    },
  );

  async function serve(shows: ServerFiles, host: string) {
    resolveNames(
      Object.fromEntries([host, host.toLowerCase()].map((name) => [name, ['127.0.0.1']])),
    );
    const address = host.startsWith('[') ? '::1' : '127.0.0.1';
    const server = await kind.serve({ files: all[shows], host: address });
    return { server, url: `wss://${host}:${server.port}/` };
  }
});

describe('what one connection trusts', PATIENT, () => {
  it('is nothing to another, to the same server', async () => {
    const server = await TestServer.startEcho({ serverCert: all.server });
    const url = `wss://localhost:${server.port}/`;
    const attempts = [
      { options: { caPath: all.caPath }, opens: true },
      { options: { caPath: all.otherCaPath }, opens: false },
      { options: { skipServerCertVerification: true }, opens: true },
      { options: {}, opens: false },
      { options: { caPath: all.otherCaPath, skipServerCertVerification: true }, opens: true },
    ];

    // At the same time, and once more when sessions and stores have been kept.
    for (const round of [1, 2]) {
      const outcomes = await Promise.all(
        attempts.map(async ({ options }) => {
          const client = new TestClient();
          await client.connect(url, options);
          await Promise.race([client.log.next('open'), client.log.next('error')]);
          return client.log.names.includes('open');
        }),
      );
      expect(outcomes, `round ${round}`).toEqual(attempts.map(({ opens }) => opens));
    }
  });

  it('comes from a caPath that has changed meanwhile', async () => {
    const server = await TestServer.startEcho({ serverCert: all.server });
    const url = `wss://localhost:${server.port}/`;
    const caPath = path.join(all.folder, 'changing.pem');
    const client = new TestClient();

    copyFileSync(all.otherCaPath, caPath);
    await client.connect(url, { caPath });
    await expectTlsFailure(client, /issuer/);
    copyFileSync(all.caPath, caPath);
    await client.connect(url, { caPath });
    const opened = client.log.next('open').then(() => 'open');
    const failed = client.nextError().then(({ message }) => message);

    expect(await Promise.race([opened, failed])).toBe('open');
  });
});

describe('the store of the system', PATIENT, () => {
  it('is trusted without a caPath', async () => {
    expect(await connectFromSystem({})).toEqual({ event: 'open' });
  });

  it('is replaced by a caPath', async () => {
    expect(await connectFromSystem({ caPath: all.otherCaPath })).toMatchObject({
      event: 'error',
      code: 200,
      data: '0',
      cause: { phase: 'tls', detail: expect.stringMatching(/issuer/) },
    });
  });

  /** With the right CA, and nothing else, as the system's store. */
  async function connectFromSystem(options: { caPath?: string }) {
    const server = await TestServer.start({ serverCert: all.server });
    const url = `wss://localhost:${server.port}/`;
    return connectIn({ env: { SSL_CERT_FILE: all.caPath }, url, options });
  }
});
