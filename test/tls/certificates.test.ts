/**
 * Proves the certificates of a server: which one a client sees by the name that it asks for, their exchange
 * while the server runs, and what is asked of the client's own. The other side is the `openssl` command and
 * Node's `tls`, which judge.
 */

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import type { webSocket } from 'ohos-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type CertificateFiles,
  moreCertificatesOfFile,
  readPair,
} from '../helpers/certificates.js';
import { PATIENT, plainEnvironment, within } from '../helpers/deadline.js';
import {
  callWith,
  rejection,
  type ServerConfig,
  TestClient,
  TestServer,
} from '../helpers/endpoints.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';

const all = moreCertificatesOfFile();

/** What `openssl s_client` sees and says of a server. */
async function inspect(port: number, name?: string, ...more: string[]) {
  const asked = name === undefined ? ['-noservername'] : ['-servername', name];
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', all.caPath];
  const output = await within(
    new Promise<string>((resolve) => {
      const child = execFile(
        'openssl',
        [...args, ...asked, ...more],
        { env: plainEnvironment() },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
      child.stdin?.end();
    }),
    'openssl s_client to end',
  );
  const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(output)?.[0];
  return {
    certificate: pem === undefined ? undefined : new X509Certificate(pem).fingerprint256,
    verified: Number(/Verify return code: (\d+)/.exec(output)?.[1]),
    output,
  };
}

function fingerprint({ certPath }: { certPath: string }): string {
  return new X509Certificate(readFileSync(certPath)).fingerprint256;
}

function tlsPeer(port: number, tls: ConnectionOptions = {}): Promise<RawPeer> {
  const trusted = { ca: readFileSync(all.caPath), servername: 'localhost' };
  return RawPeer.open({ port, tls: { ...trusted, ...tls } });
}

describe('several certificates', PATIENT, () => {
  async function serve() {
    const certificates = [
      { hosts: ['Elsewhere.INVALID', 'other.invalid'], ...all.wrongHost },
      { hosts: ['*.wild.test'], ...all.wildcard },
      { hosts: ['special.wild.test'], ...all.rsa },
    ];
    return TestServer.startEcho({ serverCert: all.server, certificates });
  }

  it.each<[string | undefined, (of: typeof all) => CertificateFiles]>([
    ['elsewhere.invalid', (of) => of.wrongHost],
    ['ELSEWHERE.invalid', (of) => of.wrongHost],
    ['other.invalid', (of) => of.wrongHost],
    ['any.wild.test', (of) => of.wildcard],
    ['special.wild.test', (of) => of.rsa],
    ['two.labels.wild.test', (of) => of.server],
    ['wild.test', (of) => of.server],
    ['localhost', (of) => of.server],
    ['unknown.example', (of) => of.server],
    [undefined, (of) => of.server],
  ])('whoever asks for %s sees its own', async (name, which) => {
    const server = await serve();
    for (const version of ['-tls1_2', '-tls1_3']) {
      const seen = await inspect(server.port, name, version);
      expect(seen.certificate).toBe(fingerprint(which(all)));
    }
  });

  it('are right for who verifies names, with their keys of different types', async () => {
    const server = await serve();
    for (const name of ['elsewhere.invalid', 'any.wild.test', 'localhost']) {
      const { verified } = await inspect(server.port, name, '-verify_hostname', name);
      expect(verified).toBe(0);
    }
    const { verified } = await inspect(server.port, 'wild.test', '-verify_hostname', 'wild.test');
    expect(verified).toBe(62);
    const rsaOnly = await inspect(server.port, 'special.wild.test', '-sigalgs', 'RSA-PSS+SHA256');
    expect(rsaOnly.certificate).toBe(fingerprint(all.rsa));
  });

  it('come with their chains', async () => {
    const { chained, server: serverCert } = all;
    const certificates = [{ hosts: ['localhost'], ...chained }];
    const server = await TestServer.startEcho({ serverCert, certificates });
    expect((await inspect(server.port, 'localhost')).verified).toBe(0);
    const { output } = await inspect(server.port, 'localhost', '-showcerts');
    expect(output.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('may have encrypted keys', async () => {
    const { password, ...files } = all.chainedEncrypted;
    const certificates = [{ hosts: ['localhost'], ...files, keyPassword: password }];
    const server = await TestServer.startEcho({ serverCert: all.server, certificates });
    expect((await inspect(server.port, 'localhost')).verified).toBe(0);
  });

  it.each<[string, () => object, number]>([
    ['no list', () => ({ certificates: {} }), 401],
    ['no hosts', () => ({ certificates: [all.server] }), 401],
    ['an empty list of hosts', () => ({ certificates: [{ hosts: [], ...all.server }] }), 401],
    ['an address', () => ({ certificates: [{ hosts: ['127.0.0.1'], ...all.server }] }), 401],
    ['a wildcard within', () => ({ certificates: [{ hosts: ['a.*.b'], ...all.server }] }), 401],
    ['a blank', () => ({ certificates: [{ hosts: ['a b'], ...all.server }] }), 401],
    ['a host twice', () => ({ certificates: [{ hosts: ['a.b', 'A.B'], ...all.server }] }), 401],
    ['no key', () => ({ certificates: [{ hosts: ['a'], certPath: all.caPath }] }), 401],
    [
      'no certificate for everybody',
      () => ({ serverCert: undefined, certificates: [{ hosts: ['a'], ...all.server }] }),
      401,
    ],
    [
      'a file that is not there',
      () => ({ certificates: [{ hosts: ['a'], ...all.server, keyPath: '/none' }] }),
      2302002,
    ],
    [
      'a file that is no certificate',
      () => ({ certificates: [{ hosts: ['a'], ...all.server, certPath: all.garbagePath }] }),
      2302002,
    ],
    [
      'the key of another',
      () => ({ certificates: [{ hosts: ['a'], ...all.mismatched }] }),
      2302999,
    ],
  ])('with %s: start is refused', async (_what, more, code) => {
    expect(await codeOfStart(more())).toBe(code);
  });
});

/** The code with which a TLS server of this configuration is refused. */
async function codeOfStart(more: object): Promise<unknown> {
  const config = { serverIP: '127.0.0.1', serverPort: 0, serverCert: all.server, ...more };
  const { server } = new TestServer();
  return (await rejection(callWith(server, 'start', [config]))).code;
}

/** A pair of files that a test may overwrite. */
let pairs = 0;
function replaceable(files: CertificateFiles) {
  const name = path.join(all.folder, `replaceable-${++pairs}`);
  const own = { certPath: `${name}.pem`, keyPath: `${name}.key` };
  const write = (from: CertificateFiles) => {
    copyFileSync(from.certPath, own.certPath);
    copyFileSync(from.keyPath, own.keyPath);
  };
  write(files);
  return { own, write };
}

describe('reloadCertificates', PATIENT, () => {
  const reload = (server: TestServer, given?: webSocket.WebSocketServerCertificates) =>
    within(server.server.reloadCertificates(given), 'certificates to be reloaded');

  it('shows renewed files to newcomers, and no connection notices', async () => {
    const { own, write } = replaceable(all.server);
    const server = await TestServer.startEcho({ serverCert: own });
    const early = await tlsPeer(server.port);
    expect((await inspect(server.port, 'localhost')).certificate).toBe(fingerprint(all.server));

    write(all.rsa);
    expect(await reload(server)).toBe(true);

    const seen = await inspect(server.port, 'localhost');
    expect(seen).toMatchObject({ certificate: fingerprint(all.rsa), verified: 0 });
    early.sendText('still here');
    expect(await early.expectText()).toBe('still here');
    expect(server.log.names).not.toContain('close');
  });

  it('takes other files, and those stay for the next reload', async () => {
    const server = await TestServer.startEcho({ serverCert: all.server });
    expect(await reload(server, { serverCert: all.secondServer })).toBe(true);
    expect(await reload(server)).toBe(true);
    expect((await inspect(server.port)).certificate).toBe(fingerprint(all.secondServer));
  });

  it('exchanges what has host names, and leaves what it is not given', async () => {
    const server = await TestServer.startEcho({
      serverCert: all.server,
      certificates: [{ hosts: ['elsewhere.invalid'], ...all.wrongHost }],
    });
    const seen = async (name: string) => (await inspect(server.port, name)).certificate;

    await reload(server, { certificates: [{ hosts: ['*.wild.test'], ...all.wildcard }] });

    expect(await seen('elsewhere.invalid')).toBe(fingerprint(all.server));
    expect(await seen('a.wild.test')).toBe(fingerprint(all.wildcard));
    await reload(server, { serverCert: all.rsa });
    expect(await seen('localhost')).toBe(fingerprint(all.rsa));
    expect(await seen('a.wild.test')).toBe(fingerprint(all.wildcard));
  });

  it('lets sessions from before be resumed', async () => {
    const server = await TestServer.startEcho({ serverCert: all.server });
    const session = path.join(all.folder, 'session.pem');
    for (const version of ['-tls1_2', '-tls1_3']) {
      await inspect(server.port, 'localhost', version, '-sess_out', session);
      await reload(server, { serverCert: all.server });
      const { output } = await inspect(server.port, 'localhost', version, '-sess_in', session);
      // TLS 1.3 hands its tickets out behind the handshake, which the command may not wait for.
      if (version === '-tls1_2') expect(output).toContain('Reused');
    }
  });

  it('hands out one session in TLS 1.3, with which a client can come back', async () => {
    const server = await TestServer.startEcho({ serverCert: all.server });
    const sessions: Buffer[] = [];
    const meet = async (session?: Buffer) => {
      const ca = readFileSync(all.caPath);
      const { port } = server;
      const socket = connect({ port, ca, servername: 'localhost', minVersion: 'TLSv1.3', session });
      onTestFinished(() => void socket.destroy());
      socket.on('session', (each) => sessions.push(each));
      socket.write(upgradeRequest());
      await within(once(socket, 'data'), 'the answer');
      return socket.isSessionReused();
    };

    expect(await meet()).toBe(false);
    expect(sessions).toHaveLength(1);
    expect(await meet(sessions[0])).toBe(true);
    expect(sessions).toHaveLength(2);
  });

  it.each<[string, () => webSocket.WebSocketServerCertificates, number]>([
    ['a missing file', () => ({ serverCert: { ...all.server, keyPath: '/none' } }), 2302002],
    ['garbage', () => ({ serverCert: { ...all.server, certPath: all.garbagePath } }), 2302002],
    ['a garbage key', () => ({ serverCert: { ...all.server, keyPath: all.garbagePath } }), 2302002],
    ['the key of another', () => ({ serverCert: all.mismatched }), 2302999],
    [
      'a wrong password',
      () => ({ serverCert: { ...all.encryptedKey, keyPassword: 'wrong' } }),
      2302999,
    ],
    [
      'a bad one among good ones',
      () => ({
        serverCert: all.rsa,
        certificates: [{ hosts: ['a.test'], ...all.mismatched }],
      }),
      2302999,
    ],
    ['no certificate', () => ({ serverCert: {} as CertificateFiles }), 401],
    ['an unknown option', () => ({ serverCerts: all.server }) as object, 401],
    ['a CA that nobody asked for', () => ({ caPath: all.caPath }), 401],
  ])('with %s keeps what was', async (_what, given, code) => {
    const certificates = [{ hosts: ['a.wild.test'], ...all.wildcard }];
    const server = await TestServer.startEcho({ serverCert: all.server, certificates });

    expect(await rejection(server.server.reloadCertificates(given()))).toMatchObject({
      code,
      cause: { detail: expect.stringMatching(/./) },
    });

    expect((await inspect(server.port)).certificate).toBe(fingerprint(all.server));
    const { certificate } = await inspect(server.port, 'a.wild.test');
    expect(certificate).toBe(fingerprint(all.wildcard));
    expect(await reload(server)).toBe(true);
  });

  it('of files that have gone bad keeps what was', async () => {
    const { own } = replaceable(all.server);
    const server = await TestServer.startEcho({ serverCert: own });
    writeFileSync(own.certPath, 'half a certif');
    expect((await rejection(server.server.reloadCertificates())).code).toBe(2302002);
    expect((await inspect(server.port)).certificate).toBe(fingerprint(all.server));
  });

  it('is 2302999 without TLS, and while the server does not run', async () => {
    const plain = await TestServer.start();
    expect((await rejection(plain.server.reloadCertificates())).code).toBe(2302999);
    const server = await TestServer.start({ serverCert: all.server });
    const stopped = server.stop();
    expect((await rejection(server.server.reloadCertificates())).code).toBe(2302999);
    await stopped;
    expect((await rejection(server.server.reloadCertificates())).code).toBe(2302999);
  });

  it('that is under way when the server stops is refused, or done', async () => {
    const server = await TestServer.start({ serverCert: all.server });
    const reloaded = server.server.reloadCertificates().then(
      (value) => value,
      (error) => error.code,
    );
    await server.stop();
    expect([true, 2302999]).toContain(await within(reloaded, 'the reload to settle'));
  });

  it('again and again, while clients come: each sees one or the other', async () => {
    const server = await TestServer.startEcho({ serverCert: all.server });
    const seen = new Set<unknown>();
    const clients = Array.from({ length: 40 }, async () => {
      const peer = await tlsPeer(server.port);
      peer.sendText('x');
      expect(await peer.expectText()).toBe('x');
      seen.add((peer.socket as import('node:tls').TLSSocket).getPeerCertificate().fingerprint256);
    });
    const reloads = Array.from({ length: 40 }, (_none, n) =>
      reload(server, { serverCert: n % 2 === 0 ? all.rsa : all.server }),
    );
    await Promise.all([...clients, ...reloads]);
    const both: unknown[] = [fingerprint(all.server), fingerprint(all.rsa)];
    for (const certificate of seen) expect(both).toContain(certificate);
  });
});

describe('client certificates', PATIENT, () => {
  const asking = (clientCertificates: 'ask' | 'demand'): Partial<ServerConfig> => ({
    serverCert: all.server,
    clientCertificates,
    caPath: all.caPath,
  });
  const own = (files: CertificateFiles) => readPair(files);
  const versions = ['TLSv1.2', 'TLSv1.3'] as const;
  const only = (version: (typeof versions)[number]) => ({
    minVersion: version,
    maxVersion: version,
  });

  /** Connects, and demands that the server ends it before the WebSocket. */
  async function expectRefused(port: number, tls: ConnectionOptions): Promise<void> {
    await expect(tlsPeer(port, tls)).rejects.toThrow(/alert|ended|reset/i);
  }

  it.each(versions)('demanded: one of the CA is verified and shown, over %s', async (version) => {
    const server = await TestServer.startEcho(asking('demand'));
    const peer = await tlsPeer(server.port, { ...own(all.client), ...only(version) });
    const { clientCertificate, ...address } = await server.nextConnect();

    expect(address).toEqual(peer.address);
    expect(clientCertificate).toMatchObject({
      subject: 'CN=client',
      fingerprint256: fingerprint(all.client),
    });
    expect(`${clientCertificate}`).toBe(
      new X509Certificate(readFileSync(all.client.certPath)).toString(),
    );
    peer.sendText('hello');
    expect(await peer.expectText()).toBe('hello');
  });

  it('does not show in what an application prints or copies', async () => {
    const server = await TestServer.startEcho(asking('demand'));
    const peer = await tlsPeer(server.port, own(all.client));
    const connection = await server.nextConnect();
    expect(JSON.parse(JSON.stringify(connection))).toEqual(peer.address);
    expect(connection.clientCertificate).toBe(connection.clientCertificate);
  });

  it.each(versions)('demanded: none, or one of another CA, is refused over %s', async (version) => {
    const server = await TestServer.startEcho(asking('demand'));
    await expectRefused(server.port, only(version));
    await expectRefused(server.port, { ...own(all.otherClient), ...only(version) });
    // Made for servers.
    await expectRefused(server.port, { ...own(all.secondServer), ...only(version) });
    await tlsPeer(server.port, own(all.client));
    await server.nextConnect();
    expect(server.log.names).toEqual(['connect']);
  });

  it.each(versions)('asked for: none will do, a wrong one will not, over %s', async (version) => {
    const server = await TestServer.startEcho(asking('ask'));
    await tlsPeer(server.port, only(version));
    expect((await server.nextConnect()).clientCertificate).toBeUndefined();
    await expectRefused(server.port, { ...own(all.otherClient), ...only(version) });
    await tlsPeer(server.port, { ...own(all.client), ...only(version) });
    expect((await server.nextConnect()).clientCertificate?.subject).toBe('CN=client');
  });

  it('asked for: openssl is told of which CA, and not without the option', async () => {
    const server = await TestServer.startEcho(asking('ask'));
    const { output } = await inspect(server.port, 'localhost');
    expect(output).toMatch(/Acceptable client certificate CA names/);
    const plain = await TestServer.startEcho({ serverCert: all.server });
    expect((await inspect(plain.port)).output).toMatch(/No client certificate CA names sent/);
  });

  it('are shown by our own client', async () => {
    const server = await TestServer.startEcho(asking('demand'));
    const { certPath, keyPath } = all.client;
    await TestClient.open(`wss://localhost:${server.port}/`, {
      caPath: all.caPath,
      clientCert: { certPath, keyPath },
    });
    expect((await server.nextConnect()).clientCertificate?.subject).toBe('CN=client');
  });

  it('go by the CA of the last reload, and no session gets around it', async () => {
    const server = await TestServer.startEcho(asking('demand'));
    const session = path.join(all.folder, 'client-session.pem');
    const { certPath, keyPath } = all.client;
    const shows = ['-cert', certPath, '-key', keyPath, '-tls1_2'];
    await inspect(server.port, 'localhost', ...shows, '-sess_out', session);
    const again = () => inspect(server.port, 'localhost', ...shows, '-sess_in', session);
    expect((await again()).output).toContain('Reused');

    await server.server.reloadCertificates({ caPath: all.otherCaPath });

    await expectRefused(server.port, own(all.client));
    expect((await again()).output).not.toContain('Reused');
    await tlsPeer(server.port, own(all.otherClient));
  });

  it('are demanded with every certificate of the server', async () => {
    const certificates = [{ hosts: ['elsewhere.invalid'], ...all.wrongHost }];
    const server = await TestServer.startEcho({ ...asking('demand'), certificates });
    const name = { servername: 'elsewhere.invalid' };
    await expectRefused(server.port, name);
    await tlsPeer(server.port, { ...name, ...own(all.client) });
  });

  it.each<[string, () => object, number]>([
    ['another word', () => ({ clientCertificates: 'maybe', caPath: all.caPath }), 401],
    ['no CA', () => ({ clientCertificates: 'demand' }), 401],
    ['a CA and nothing asked', () => ({ caPath: all.caPath }), 401],
    [
      'no TLS',
      () => ({ serverCert: undefined, clientCertificates: 'ask', caPath: all.caPath }),
      401,
    ],
    ['a CA that is not there', () => ({ clientCertificates: 'ask', caPath: '/none' }), 2302002],
    ['a CA that is none', () => ({ clientCertificates: 'ask', caPath: all.garbagePath }), 2302002],
  ])('with %s: start is refused', async (_what, more, code) => {
    expect(await codeOfStart(more())).toBe(code);
  });
});
