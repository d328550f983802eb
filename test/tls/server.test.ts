/**
 * Proves the server's TLS to clients of others, Node's `tls` and the `openssl` command, which verify
 * it: its chain leads to the CA, its key may be encrypted, it speaks TLS 1.2 and 1.3 and tells older
 * clients so.
 */

import type { SecureVersion } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { moreCertificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { type ServerConfig, TestClient, TestServer } from '../helpers/endpoints.js';
import { connectRenewing, type TlsClientOptions, type TlsKind, tlsKinds } from './tls-peers.js';

const all = moreCertificatesOfFile();

describe.each(tlsKinds)('a server serves $name', PATIENT, (kind) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('that speaks %s only', async (version) => {
    const server = await TestServer.startEcho({ serverCert: all.server });

    await expectEcho(kind, server, { version });
  });

  it('a chain with its intermediate CA', async () => {
    const server = await TestServer.startEcho({ serverCert: all.chained });

    await expectEcho(kind, server);
  });

  it.each(['chainedEncrypted', 'legacyClient'] as const)(
    'with the encrypted key of %s',
    async (name) => {
      const { password, ...files } = all[name];
      const server = await TestServer.startEcho({
        serverCert: { ...files, keyPassword: password },
      });

      if (name === 'chainedEncrypted') await expectEcho(kind, server);
      // A client's certificate: refused for its purpose, so its key has signed the handshake.
      else await expectRefusal(kind, server, {}, /purpose|unsuitable/i);
    },
  );

  it.each<[string, keyof typeof certificates, RegExp]>([
    [
      'does not verify the chain without its intermediate CA',
      'broken',
      /issuer|first certificate/i,
    ],
    ['does not verify an expired certificate', 'expired', /expired/],
    ['does not verify the name of another host', 'wrongHost', /host|altnames/i],
    ['does not verify a self-signed certificate', 'selfSigned', /self.signed/],
  ])('that %s', async (_what, name, why) => {
    const server = await TestServer.startEcho({ serverCert: certificates[name]() });

    await expectRefusal(kind, server, {}, why);
    await expectServes(server);
  });

  it.each<SecureVersion>(['TLSv1', 'TLSv1.1'])(
    'that speaks %s only: not at all',
    async (version) => {
      const server = await TestServer.startEcho({ serverCert: all.server });

      await expectRefusal(kind, server, { version }, /protocol version/i);
      await expectServes(server);
    },
  );
});

it('a server takes new keys in the middle, and sends with new ones', PATIENT, async () => {
  const server = await TestServer.startEcho({ serverCert: all.server });
  const peer = await connectRenewing(server.port, all.caPath).upgrade();

  for (const size of [1, 20_000, 100_000]) {
    await peer.renewKeys();
    peer.sendText('x'.repeat(size));
    expect(await peer.expectText()).toBe('x'.repeat(size));
  }
});

const certificates = {
  broken: (): Files => all.broken,
  expired: (): Files => all.expired,
  wrongHost: (): Files => all.wrongHost,
  selfSigned: (): Files => all.selfSigned,
};
type Files = NonNullable<ServerConfig['serverCert']>;

async function expectEcho(
  kind: TlsKind,
  server: TestServer,
  options: Partial<TlsClientOptions> = {},
): Promise<void> {
  const peer = await kind.connect({ port: server.port, caPath: all.caPath, ...options });
  peer.sendText('over TLS');
  expect(await peer.expectText()).toBe('over TLS');
}

async function expectRefusal(
  kind: TlsKind,
  server: TestServer,
  options: Partial<TlsClientOptions>,
  why: RegExp,
): Promise<void> {
  const attempt = kind.connect({ port: server.port, caPath: all.caPath, ...options });
  await expect(attempt).rejects.toThrow(why);
  expect(server.log.names).not.toContain('connect');
}

/** A refused client does no harm to others: here one that accepts any certificate. */
async function expectServes(server: TestServer): Promise<void> {
  const client = await TestClient.open(`wss://localhost:${server.port}/`, {
    skipServerCertVerification: true,
  });
  await client.send('still here');
  expect(await client.nextMessage()).toBe('still here');
}
