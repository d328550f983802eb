/**
 * Proves the TLS rules of OpenHarmony's netstack in its profile: only when they are switched on, host
 * names are not checked and self-signed certificates pass (C14), and `skipServerCertVerification` lets
 * unknown issuers and dates pass but nothing else (C15); and that `caPath` adds to the system's store
 * (C16).
 */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dangerouslyUseNetstackTls, webSocket } from 'ohos-websocket/parity';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { type CertificateFiles, moreCertificatesOfFile } from '../helpers/certificates.js';
import { PATIENT, within } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { connectIn } from './connect-in.js';

const certificates = moreCertificatesOfFile();
const withRoot = {
  certPath: path.join(certificates.folder, 'with-root.pem'),
  keyPath: certificates.server.keyPath,
};
writeFileSync(
  withRoot.certPath,
  Buffer.concat(
    [certificates.server.certPath, certificates.caPath].map((file) => readFileSync(file)),
  ),
);
const all = { ...certificates, withRoot };
afterEach(() => dangerouslyUseNetstackTls(false));

type ServerFiles = {
  [K in keyof typeof all]: (typeof all)[K] extends CertificateFiles ? K : never;
}[keyof typeof all];

const OPEN = 'open';
const ISSUER = /issuer/;
const SELF_SIGNED = /self.signed/;
const NAME = /host ?name|address|mismatch/i;

type Expected = typeof OPEN | RegExp;

interface Situation {
  readonly what: string;
  readonly shows: ServerFiles;
  readonly host?: string;
  readonly trusts?: 'caPath' | 'otherCaPath';
  /** With full verification, with netstack's rules, and with these and `skipServerCertVerification`. */
  readonly outcomes: readonly [verified: Expected, lax: Expected, laxSkip: Expected];
}

const situations: readonly Situation[] = [
  { what: 'a good one', shows: 'server', outcomes: [OPEN, OPEN, OPEN] },
  { what: 'a chain', shows: 'chained', outcomes: [OPEN, OPEN, OPEN] },
  { what: 'another host', shows: 'wrongHost', outcomes: [NAME, OPEN, OPEN] },
  {
    what: 'another address',
    shows: 'wrongAddress',
    host: '127.0.0.1',
    outcomes: [NAME, OPEN, OPEN],
  },
  { what: 'a self-signed one', shows: 'selfSigned', outcomes: [SELF_SIGNED, OPEN, OPEN] },
  {
    what: 'an unknown root that is sent',
    shows: 'withRoot',
    trusts: 'otherCaPath',
    outcomes: [SELF_SIGNED, OPEN, OPEN],
  },
  {
    what: 'an unknown issuer',
    shows: 'server',
    trusts: 'otherCaPath',
    outcomes: [ISSUER, ISSUER, OPEN],
  },
  { what: 'a missing intermediate CA', shows: 'broken', outcomes: [ISSUER, ISSUER, OPEN] },
  { what: 'an expired one', shows: 'expired', outcomes: [/expired/, /expired/, OPEN] },
  {
    what: 'one that is not valid yet',
    shows: 'notYetValid',
    outcomes: [/not yet valid/, /not yet valid/, OPEN],
  },
  { what: 'one for clients', shows: 'wrongPurpose', outcomes: [/purpose/, /purpose/, /purpose/] },
];

describe("netstack's profile judges", PATIENT, () => {
  it.each(situations)('$what', async ({ shows, host = 'localhost', trusts, outcomes }) => {
    const server = await TestServer.start({ serverCert: all[shows] });
    const url = `wss://${host}:${server.port}/`;
    const caPath = all[trusts ?? 'caPath'];

    const seen: string[] = [await attempt(url, { caPath })];
    dangerouslyUseNetstackTls();
    seen.push(await attempt(url, { caPath }));
    seen.push(await attempt(url, { caPath, skipServerCertVerification: true }));

    expect(seen).toEqual(
      outcomes.map((expected) => (expected === OPEN ? OPEN : expect.stringMatching(expected))),
    );
  });

  it('anything as good with skipServerCertVerification, without the switch', async () => {
    for (const shows of ['wrongPurpose', 'expired', 'selfSigned'] as const) {
      const server = await TestServer.start({ serverCert: all[shows] });
      const url = `wss://localhost:${server.port}/`;
      expect(await attempt(url, { skipServerCertVerification: true })).toBe(OPEN);
    }
  });

  it('nothing for the documented profile, whose rules stay', async () => {
    const server = await TestServer.start({ serverCert: all.selfSigned });
    const client = new TestClient();
    dangerouslyUseNetstackTls();

    await client.connect(`wss://localhost:${server.port}/`);

    expect(await client.nextError()).toMatchObject({ code: 200, cause: { phase: 'tls' } });
  });

  it('by its caPath beside the store of the system', async () => {
    const server = await TestServer.start({ serverCert: all.server });
    const url = `wss://localhost:${server.port}/`;
    const both = { env: { SSL_CERT_FILE: all.caPath }, url };

    for (const options of [{}, { caPath: all.otherCaPath }]) {
      const outcome = await connectIn({ ...both, entry: 'ohos-websocket/parity', options });
      expect(outcome).toEqual({ event: 'open' });
    }
  });
});

/** `open`, or the reason why not, which has to be TLS. */
async function attempt(url: string, options: webSocket.WebSocketRequestOptions): Promise<string> {
  const client = webSocket.createWebSocket();
  onTestFinished(() => client.close().then(ignore, ignore));
  const outcome = new Promise<string>((resolve) => {
    client.on('open', () => resolve(OPEN));
    client.on('error', (event) => {
      const { phase, detail } = (event as { cause?: unknown }).cause as Record<string, string>;
      resolve(phase === 'tls' ? String(detail) : `${phase}: ${detail}`);
    });
  });
  await within(client.connect(url, options), 'connect to settle');
  return within(outcome, 'the end of the attempt');
}

function ignore(): void {
  // It may be closed already.
}
