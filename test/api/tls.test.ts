/**
 * Proves TLS on both sides: the client verifies chain, dates and host name unless told to skip, trusts
 * exactly the CA file it is given, sends SNI; the server shows its own certificate to `ws`, to Node's
 * `tls` and to `openssl s_client`, and speaks no TLS below 1.2.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type tls from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { certificatesOfFile, readPair, startOpenssl } from '../helpers/certificates.js';
import { Changes, PATIENT, within } from '../helpers/deadline.js';
import {
  bytesOf,
  type ClientOptions,
  echoAndClose,
  TestClient,
  TestServer,
} from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';

const onLinux = process.platform === 'linux';

const certificates = certificatesOfFile();

type CertificateName = 'server' | 'wrongHost' | 'expired' | 'selfSigned';

describe('a client', PATIENT, () => {
  it.each(['localhost', '127.0.0.1'])('trusts the CA of caPath for %s', async (host) => {
    const { listener, client, url } = await prepare('server', host);

    await client.connect(url, { caPath: certificates.caPath });
    const peer = await listener.acceptOpen();
    await client.log.next('open');
    await client.send('secret');

    expect(await peer.expectText()).toBe('secret');
    peer.sendBinary(Buffer.alloc(1_000_000, 'x'));
    expect(bytesOf(await client.nextMessage())).toHaveLength(1_000_000);
    peer.sendClose(1000, 'bye');
    expect(await client.nextClose()).toEqual({ code: 1000, reason: 'bye' });
  });

  it.each<[string, CertificateName, 'caPath' | 'otherCaPath' | undefined]>([
    ['another host name', 'wrongHost', 'caPath'],
    ['an old date', 'expired', 'caPath'],
    ['an unknown CA', 'server', undefined],
    ['another CA than that of caPath', 'server', 'otherCaPath'],
    ['itself as its CA', 'selfSigned', undefined],
    ['itself as its CA, with a caPath', 'selfSigned', 'caPath'],
  ])('refuses a certificate with %s', async (_what, name, ca) => {
    const { listener, client, url } = await prepare(name);

    await client.connect(url, ca === undefined ? {} : { caPath: certificates[ca] });

    const error = await client.nextError();
    expect(error).toMatchObject({ code: 200, data: '0' });
    expect(error.message).toEqual(expect.stringMatching(/\S/));
    expect(client.log.names).toEqual(['error']);
    await expectNoRequest(listener);
  });

  it.each<CertificateName>(['server', 'wrongHost', 'expired', 'selfSigned'])(
    'accepts the certificate %j with skipServerCertVerification',
    async (name) => {
      const { listener, client, url } = await prepare(name);

      await client.connect(url, { skipServerCertVerification: true });
      await listener.acceptOpen();

      await client.log.next('open');
    },
  );

  it('skips only where it is told to', async () => {
    const { listener, client, url } = await prepare('selfSigned');
    await client.connect(url, { skipServerCertVerification: true });
    await listener.acceptOpen();
    await client.log.next('open');

    const second = new TestClient();
    await second.connect(url);

    expect(await second.nextError()).toMatchObject({ code: 200, data: '0' });
  });

  it('trusts a self-signed certificate that is its own caPath', async () => {
    const { listener, client, url } = await prepare('selfSigned');

    await client.connect(url, { caPath: certificates.selfSigned.certPath });
    await listener.acceptOpen();

    await client.log.next('open');
  });

  it('sends the host name as SNI, https as Origin, and no port that is the default', async () => {
    const { listener, client, url } = await prepare('server');

    await client.connect(url, { caPath: certificates.caPath });
    const peer = await listener.accept();
    const request = await peer.acceptUpgrade();

    expect((peer.socket as TLSSocket).servername).toBe('localhost');
    expect(request.header('origin')).toBe('https://localhost');
    expect(request.header('host')).toBe(`localhost:${listener.port}`);
  });

  it.each([
    ['wss to a plain server', 'wss'],
    ['ws to a TLS server', 'ws'],
  ])('%s fails with error 0', async (_what, scheme) => {
    const plain = await TestServer.start();
    const secure = await TestServer.start({ serverCert: certificates.server });
    const port = scheme === 'wss' ? plain.port : secure.port;
    const client = new TestClient();

    await client.connect(`${scheme}://127.0.0.1:${port}/`, { caPath: certificates.caPath });

    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    expect(client.log.names).toEqual(['error']);
  });

  it('refuses TLS 1.1', async () => {
    const { client, url } = await prepare('server', 'localhost', {
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });

    await client.connect(url, { caPath: certificates.caPath });

    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
  });

  async function prepare(
    name: CertificateName,
    host = 'localhost',
    options: tls.TlsOptions = {},
  ): Promise<{ listener: RawListener; client: TestClient; url: string }> {
    const listener = await RawListener.listen({
      tls: { ...readPair(certificates[name]), ...options },
    });
    const url = `wss://${host}:${listener.port}/`;
    return { listener, client: new TestClient(), url };
  }

  /** Nothing was sent over a connection whose certificate was refused. */
  async function expectNoRequest(listener: RawListener): Promise<void> {
    // With TLS 1.3 the server may see a finished handshake before the client refuses.
    if (listener.accepted === 0) return;
    const { bytes } = await (await listener.accept()).readBytesToEnd();
    expect(bytes).toHaveLength(0);
  }
});

describe('a server with serverCert', PATIENT, () => {
  it('talks to a client of ours, every size and both directions', async () => {
    const server = await startTls();
    const client = await TestClient.open(secureUrl(server), trusting());

    await echoAndClose(client, server, [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 5_242_864]);
  });

  it('talks to ws', async () => {
    const server = await startTls();
    const client = new WsClient(secureUrl(server), { ca: readFileSync(certificates.caPath) });
    onTestFinished(() => client.terminate());
    await within(once(client, 'open'), 'ws to connect');

    client.send('over TLS');

    const [data] = await within(once(client, 'message'), 'the echo');
    expect(String(data)).toBe('over TLS');
  });

  it('talks to openssl s_client', async () => {
    const server = await startTls();
    const openssl = startOpenssl(
      ...['s_client', '-connect', `127.0.0.1:${server.port}`, '-servername', 'localhost'],
      ...['-CAfile', certificates.caPath, '-verify_return_error', '-quiet'],
    );
    onTestFinished(() => void openssl.kill());
    const changes = new Changes();
    let output = '';
    openssl.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      changes.notify();
    });

    openssl.stdin.write(
      'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );

    await changes.until(
      () =>
        /^HTTP\/1\.1 101 [\s\S]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/.test(output) ? true : undefined,
      'the answer to openssl s_client',
    );
    await server.nextConnect();
  });

  it.runIf(onLinux)('shows its own certificate, whatever name a client asks for', async () => {
    const first = await startTls();
    const second = await TestServer.start({
      serverIP: '127.0.0.2',
      serverPort: first.port,
      serverCert: certificates.secondServer,
    });

    for (const servername of ['localhost', 'a', 'default', '', 'elsewhere.invalid']) {
      expect(await commonName(first, '127.0.0.1', servername)).toBe('server');
      expect(await commonName(second, '127.0.0.2', servername)).toBe('second-server');
    }
  });

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const server = await startTls();
    const attempt = (version: tls.SecureVersion) =>
      RawPeer.connect({
        port: server.port,
        tls: {
          ca: readFileSync(certificates.caPath),
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT:@SECLEVEL=0',
        },
      });

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const peer = await attempt(version);
      await peer.upgrade();
      expect((peer.socket as TLSSocket).getProtocol()).toBe(version);
    }
    await expect(attempt('TLSv1.1')).rejects.toThrow();
  });

  it('survives clients that break off, or speak no TLS', async () => {
    const server = await startTls();

    for (const bytes of [
      '',
      'GET / HTTP/1.1\r\n\r\n',
      Buffer.from('1603010200010001fc0303', 'hex'),
    ]) {
      const peer = await RawPeer.connect({ port: server.port });
      peer.write(bytes);
      peer.halfClose();
      await peer.readBytesToEnd();
    }

    await TestClient.open(secureUrl(server), trusting());
    expect(server.log.names.filter((name) => name !== 'error')).toEqual(['connect']);
  });

  it('serves TLS clients while one stalls in its handshake', async () => {
    const server = await startTls();
    const stalled = await RawPeer.connect({ port: server.port });
    stalled.write(Buffer.from('16030102000100', 'hex'));

    const client = await TestClient.open(secureUrl(server), trusting());

    await client.send('not held up');
    expect(await client.nextMessage()).toBe('not held up');
  });

  it('starts again with another certificate', async () => {
    const server = await startTls();
    const { port } = server;
    await server.stop();
    await server.start({ serverPort: port, serverCert: certificates.secondServer });

    expect(await commonName(server, '127.0.0.1', 'localhost')).toBe('second-server');
  });

  function startTls(): Promise<TestServer> {
    return TestServer.startEcho({ serverCert: certificates.server });
  }

  function secureUrl(server: TestServer): string {
    return `wss://localhost:${server.port}/`;
  }

  function trusting(): ClientOptions {
    return { caPath: certificates.caPath };
  }

  /** Whose certificate the server shows. */
  async function commonName(server: TestServer, host: string, servername: string): Promise<string> {
    const peer = await RawPeer.connect({
      port: server.port,
      host,
      tls: { servername, rejectUnauthorized: false },
    });
    const { CN } = (peer.socket as TLSSocket).getPeerCertificate().subject;
    peer.socket.destroy();
    return String(CN);
  }
});
