/**
 * Proves the client certificate, against servers of Node's `tls` and the `openssl` command that demand
 * one, in TLS 1.2 and 1.3: shown with a plain or an encrypted key it opens the connection; without one,
 * or with one of a CA that the server does not trust, the error names the server's alert.
 */

import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { moreCertificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { type ClientOptions, TestClient } from '../helpers/endpoints.js';
import { clientName, expectTalk, expectTlsFailure, type TlsKind, tlsKinds } from './tls-peers.js';

const all = moreCertificatesOfFile();

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const situations = tlsKinds.flatMap((kind) =>
  versions.map((version) => ({ kind, version, peer: `${kind.name} with ${version}` })),
);

describe.each(situations)('a client of $peer', PATIENT, ({ kind, version }) => {
  it.each(['client', 'encryptedClient', 'legacyClient'] as const)(
    'shows the certificate %j that is demanded',
    async (name) => {
      const { server, client } = await attempt({ clientCert: clientCert(all[name]) });

      const peer = await expectTalk(client, server);

      if (kind.name === "Node's tls") expect(clientName(peer)).toBe('client');
    },
  );

  it('shows none though it is demanded', async () => {
    const { client } = await attempt({});

    await expectTlsFailure(client, /certificate|handshake failure/);
  });

  it('shows one of another CA', async () => {
    const { client } = await attempt({ clientCert: all.otherClient });

    // Node's server says nothing; it ends a connection whose handshake was complete.
    if (kind.name === "Node's tls") {
      expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    } else {
      await expectTlsFailure(client, /unknown ca/i);
    }
  });

  it('shows none where an empty certPath says so', async () => {
    const { client } = await attempt({ clientCert: { certPath: '', keyPath: all.client.keyPath } });

    await expectTlsFailure(client, /certificate|handshake failure/);
  });

  it('has one that nobody asks for', async () => {
    const server = await kind.serve({ files: all.server, version });
    const client = new TestClient();

    await client.connect(`wss://localhost:${server.port}/`, {
      caPath: all.caPath,
      clientCert: all.client,
    });

    await expectTalk(client, server);
  });

  async function attempt(options: ClientOptions) {
    const clientCaPath = all.caPath;
    const server = await kind.serve({ files: all.server, version, clientCaPath });
    const client = new TestClient();
    await client.connect(`wss://localhost:${server.port}/`, { caPath: all.caPath, ...options });
    return { server, client };
  }
});

describe('a client certificate', PATIENT, () => {
  it('is that of its own connection only', async () => {
    const node = nodeTls();
    const server = await node.serve({ files: all.server, clientCaPath: all.caPath });
    const url = `wss://localhost:${server.port}/`;
    const { caPath, client: clientCert } = all;

    const outcomes = await Promise.all(
      [{ caPath, clientCert }, { caPath }, { caPath, clientCert: all.otherClient }].map(
        async (options) => {
          const client = new TestClient();
          await client.connect(url, options);
          const failed = client.log.next('error').then(() => 'refused');
          const opened = client.log.next('open').then(() => 'open');
          if (options.clientCert === clientCert) await server.acceptOpen();
          return Promise.race([opened, failed]);
        },
      ),
    );

    expect(outcomes).toEqual(['open', 'refused', 'refused']);
  });

  it('is read anew when its files have changed', async () => {
    const server = await nodeTls().serve({ files: all.server, clientCaPath: all.caPath });
    const url = `wss://localhost:${server.port}/`;
    const clientCert = {
      certPath: path.join(all.folder, 'renewed.pem'),
      keyPath: path.join(all.folder, 'renewed.key'),
    };
    const client = new TestClient();

    copyFileSync(all.otherClient.certPath, clientCert.certPath);
    copyFileSync(all.otherClient.keyPath, clientCert.keyPath);
    await client.connect(url, { caPath: all.caPath, clientCert });
    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    copyFileSync(all.client.certPath, clientCert.certPath);
    copyFileSync(all.client.keyPath, clientCert.keyPath);
    await client.connect(url, { caPath: all.caPath, clientCert });

    expect(clientName(await expectTalk(client, server))).toBe('client');
  });

  function nodeTls(): TlsKind {
    const [kind] = tlsKinds;
    if (kind === undefined) throw new Error('no peers');
    return kind;
  }
});

function clientCert(files: { certPath: string; keyPath: string; password?: string }) {
  const { certPath, keyPath, password } = files;
  return { certPath, keyPath, ...(password === undefined ? {} : { keyPassword: password }) };
}
