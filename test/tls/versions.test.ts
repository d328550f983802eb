/**
 * Proves which TLS versions a client speaks, against servers of Node's `tls` and the `openssl` command
 * that speak one version only: 1.2 and 1.3 unless `minSupportTlsProtocol` says otherwise, and never a
 * version below that minimum; the error names the version as the reason.
 */

import { once } from 'node:events';
import tls, { type SecureVersion } from 'node:tls';
import { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { moreCertificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { TestClient } from '../helpers/endpoints.js';
import { expectTalk, expectTlsFailure, type TlsServerOptions, tlsKinds } from './tls-peers.js';

const all = moreCertificatesOfFile();

const { TLS_V_1_0, TLS_V_1_1, TLS_V_1_2, TLS_V_1_3 } = webSocket.TlsProtocol;

/** Words of OpenSSL about versions, on either side of the connection; the last for 1.0 and 1.1. */
const VERSION = /protocol|version|security level|legacy sigalg/i;

const RSA_KEY_EXCHANGE = 'AES128-SHA:@SECLEVEL=0';

describe.each(tlsKinds)('a client of $name', PATIENT, (kind) => {
  it.each<[minimum: unknown, server: SecureVersion]>([
    [undefined, 'TLSv1.2'],
    [undefined, 'TLSv1.3'],
    [TLS_V_1_0, 'TLSv1.2'],
    [TLS_V_1_0, 'TLSv1.3'],
    [TLS_V_1_1, 'TLSv1.2'],
    [TLS_V_1_1, 'TLSv1.3'],
    [TLS_V_1_2, 'TLSv1.2'],
    [TLS_V_1_2, 'TLSv1.3'],
    [TLS_V_1_3, 'TLSv1.3'],
    // What is none of the four values counts as missing (C17).
    [4, 'TLSv1.2'],
    [-1, 'TLSv1.2'],
    [771, 'TLSv1.2'],
    ['3', 'TLSv1.2'],
    [null, 'TLSv1.2'],
    [{}, 'TLSv1.2'],
    [Number.NaN, 'TLSv1.2'],
  ])('with the minimum %j speaks to %s', async (minimum, version) => {
    const { server, client } = await attempt(minimum, { files: all.server, version });

    await expectTalk(client, server);
  });

  it.each<[minimum: unknown, server: SecureVersion]>([
    [undefined, 'TLSv1'],
    [undefined, 'TLSv1.1'],
    [TLS_V_1_1, 'TLSv1'],
    [TLS_V_1_2, 'TLSv1'],
    [TLS_V_1_2, 'TLSv1.1'],
    [TLS_V_1_3, 'TLSv1'],
    [TLS_V_1_3, 'TLSv1.1'],
    [TLS_V_1_3, 'TLSv1.2'],
  ])('with the minimum %j refuses %s', async (minimum, version) => {
    const { client } = await attempt(minimum, { files: all.server, version });

    await expectTlsFailure(client, VERSION);
  });

  it.each<[minimum: number, server: SecureVersion]>([
    [TLS_V_1_0, 'TLSv1'],
    [TLS_V_1_0, 'TLSv1.1'],
    [TLS_V_1_1, 'TLSv1.1'],
  ])('with the minimum %j speaks to %s, or names what forbids it', async (minimum, version) => {
    await judge(minimum, { files: all.server, version });
  });

  // No signature, whose old form may be forbidden where the version is not.
  it.each<[minimum: number, server: SecureVersion]>([
    [TLS_V_1_0, 'TLSv1'],
    [TLS_V_1_0, 'TLSv1.1'],
    [TLS_V_1_1, 'TLSv1.1'],
  ])('with the minimum %j and RSA key exchange speaks to %s, or …', async (minimum, version) => {
    await judge(minimum, { files: all.rsa, version, ciphers: RSA_KEY_EXCHANGE });
  });

  it.each<[minimum: unknown, server: SecureVersion]>([
    [undefined, 'TLSv1'],
    [undefined, 'TLSv1.1'],
    [TLS_V_1_1, 'TLSv1'],
    [TLS_V_1_2, 'TLSv1'],
    [TLS_V_1_2, 'TLSv1.1'],
    [TLS_V_1_3, 'TLSv1.2'],
  ])('with the minimum %j and RSA key exchange refuses %s', async (minimum, version) => {
    const { server, client } = await attempt(minimum, {
      files: all.rsa,
      version,
      ciphers: version === 'TLSv1.2' ? 'AES128-GCM-SHA256' : RSA_KEY_EXCHANGE,
    });

    // A connection that opens says so at once.
    server.acceptOpen().catch(() => undefined);
    await expectTlsFailure(client, VERSION);
  });

  /** Opens, or fails for a reason that names the version; opens where Node's own client does. */
  async function judge(minimum: number, options: TlsServerOptions): Promise<void> {
    const { server, client } = await attempt(minimum, options);

    const failure = client.nextError();
    const outcome = await Promise.race([failure, server.acceptOpen().then(() => 'open' as const)]);

    if (outcome === 'open') {
      await client.log.next('open');
      return;
    }
    expect(outcome).toMatchObject({ code: 200, data: '0' });
    expect(outcome.cause).toMatchObject({ phase: 'tls', detail: expect.stringMatching(VERSION) });
    expect(await nodeSpeaks(options)).toBe(false);
  }

  async function attempt(minimum: unknown, options: TlsServerOptions) {
    const server = await kind.serve(options);
    const client = new TestClient();
    await client.connect(`wss://localhost:${server.port}/`, {
      caPath: all.caPath,
      ...(minimum === undefined ? {} : { minSupportTlsProtocol: minimum as webSocket.TlsProtocol }),
    });
    return { server, client };
  }

  /** Whether Node's own client speaks to such a server at its default security level. */
  async function nodeSpeaks(options: TlsServerOptions): Promise<boolean> {
    const { port } = await kind.serve(options);
    const socket = tls.connect({ port, minVersion: 'TLSv1', rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
});

describe('a minimum', PATIENT, () => {
  it('is that of its own connection only', async () => {
    const [node] = tlsKinds;
    const server = await node?.serve({ files: all.server, version: 'TLSv1.2' });
    const url = `wss://localhost:${server?.port}/`;
    const { caPath } = all;

    const outcomes = [];
    for (const minSupportTlsProtocol of [TLS_V_1_2, TLS_V_1_3, TLS_V_1_2, TLS_V_1_3]) {
      const client = new TestClient();
      await client.connect(url, { caPath, minSupportTlsProtocol });
      const failed = client.log.next('error').then(() => 'refused');
      const opened = client.log.next('open').then(() => 'open');
      if (minSupportTlsProtocol === TLS_V_1_2) await server?.acceptOpen();
      outcomes.push(await Promise.race([failed, opened]));
    }

    expect(outcomes).toEqual(['open', 'refused', 'open', 'refused']);
  });
});
