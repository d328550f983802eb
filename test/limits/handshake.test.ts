/**
 * Proves `handshakeTimeoutMs` and `handshakes`: who takes too long is told 408, or cut where nothing can be
 * told; who is one too many is told 503; and neither touches a connection that is open. Nothing is timed:
 * a patient endpoint beside the hasty one shows whose time it was.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer, upgradeAnswer, upgradeRequest } from '../helpers/peers.js';
import { answer, ESTABLISHED, ScriptedProxy, silent } from '../proxy/scripted-proxy.js';

const TOO_LONG = 'the handshake took too long';
const HASTY = { handshakeTimeoutMs: 50 };
const PATIENTLY = { handshakeTimeoutMs: 600_000 };

const certificates = certificatesOfFile();
const ca = readFileSync(certificates.caPath, 'utf8');

describe('handshakeTimeoutMs of our server', PATIENT, () => {
  it.each([
    ['nothing', ''],
    ['half a request', upgradeRequest().slice(0, 40)],
    ['all but the end', upgradeRequest().slice(0, -2)],
  ])('answers 408 to whoever sends %s', async (_what, bytes) => {
    const patient = await TestServer.start({ limits: PATIENTLY });
    const waiting = await RawPeer.connect({ port: patient.port });
    waiting.write(bytes);
    const server = await TestServer.start({ limits: HASTY });
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(bytes);

    expect((await peer.readHead()).status).toBe(408);
    await peer.readBytesToEnd();
    expect(await server.log.value('error')).toMatchObject({
      code: 200,
      cause: { detail: TOO_LONG },
    });
    expect(server.log.names).toEqual(['error']);

    // Within its time the other one may go on.
    waiting.write(upgradeRequest().slice(bytes.length));
    expect((await waiting.readHead()).status).toBe(101);
    expect(patient.log.names).not.toContain('error');
  });

  it('counts TLS, and answers only behind it', async () => {
    const server = await TestServer.start({ serverCert: certificates.server, limits: HASTY });
    const bare = await RawPeer.connect({ port: server.port });
    expect((await bare.readBytesToEnd()).bytes).toHaveLength(0);
    expect(await server.log.value('error')).toMatchObject({ cause: { detail: TOO_LONG } });

    // Node's handshake may take longer than 50 ms on a busy machine.
    const slower = await TestServer.start({
      serverCert: certificates.server,
      limits: { handshakeTimeoutMs: 3000 },
    });
    const secure = await RawPeer.connect({
      port: slower.port,
      tls: { ca, servername: 'localhost' },
    });
    expect((await secure.readHead()).status).toBe(408);
  });

  it('ends with the upgrade', async () => {
    const server = await TestServer.startEcho({ limits: { handshakeTimeoutMs: 500 } });
    const open = await RawPeer.open({ port: server.port });
    const idle = await RawPeer.connect({ port: server.port });

    expect((await idle.readHead()).status).toBe(408);

    open.sendText('still here');
    expect(await open.expectText()).toBe('still here');
  });
});

describe('handshakeTimeoutMs of our client', PATIENT, () => {
  it.each([
    ['nothing', ''],
    ['half an answer', 'HTTP/1.1 101 Switching'],
    ['all but the end', upgradeAnswer('x').slice(0, -2)],
  ])('gives up a server that sends %s', async (_what, bytes) => {
    const listener = await RawListener.listen();
    const patient = new TestClient();
    await patient.connect(listener.url(), { limits: PATIENTLY });
    const server = await listener.accept();
    const hasty = new TestClient();
    await hasty.connect(listener.url(), { limits: HASTY });
    const silentServer = await listener.accept();
    silentServer.write(bytes);

    expect(await hasty.nextError()).toMatchObject({
      code: 200,
      data: '0',
      cause: { phase: 'handshake', detail: TOO_LONG },
    });
    await silentServer.readBytesToEnd();
    expect(hasty.log.names).toEqual(['error']);

    await server.acceptUpgrade();
    await patient.log.next('open');
  });

  it('counts TLS', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(`wss://127.0.0.1:${listener.port}/`, { limits: HASTY });

    expect(await client.nextError()).toMatchObject({ cause: { phase: 'tls', detail: TOO_LONG } });
  });

  it.each([
    ['a silent proxy', silent, 'proxy'],
    ['a silent tunnel', answer(ESTABLISHED), 'handshake'],
  ])('counts for %s', async (_what, script, phase) => {
    const proxy = await ScriptedProxy.listen(script);
    const client = new TestClient();
    await client.connect('ws://target.test/', { proxy: proxy.option, limits: HASTY });

    expect(await client.nextError()).toMatchObject({ cause: { phase, detail: TOO_LONG } });
  });

  it('ends with the upgrade', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url(), { limits: { handshakeTimeoutMs: 3000 } });
    const peer = await listener.acceptOpen();
    await client.log.next('open');
    const late = new TestClient();
    await late.connect(listener.url(), { limits: { handshakeTimeoutMs: 3000 } });

    await late.nextError();

    peer.sendText('still here');
    expect(await client.nextMessage()).toBe('still here');
  });
});

describe('handshakes', PATIENT, () => {
  const TOO_MANY = 'too many connections in handshake';

  it.each([1, 20])('of %i lets so many begin and not one more', async (handshakes) => {
    const server = await TestServer.start({ limits: { handshakes, ...PATIENTLY } });
    const begun = await idle(server, handshakes);
    const extra = await RawPeer.connect({ port: server.port });
    expect((await extra.readHead()).status).toBe(503);
    await extra.readBytesToEnd();
    expect(await server.log.value('error')).toMatchObject({
      code: 200,
      cause: { detail: TOO_MANY },
    });

    for (const peer of begun) {
      await peer.upgrade();
      await server.nextConnect();
    }
    await idle(server, handshakes);
    const another = await RawPeer.connect({ port: server.port });
    expect((await another.readHead()).status).toBe(503);
  });

  it('have room again when one ends without an upgrade', async () => {
    const server = await TestServer.start({ limits: { handshakes: 2, ...PATIENTLY } });
    const [first] = await idle(server, 2);
    first?.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await first?.readHead())?.status).toBe(426);
    await first?.readBytesToEnd();

    await RawPeer.open({ port: server.port });
  });

  it('end without a word over TLS', async () => {
    const limits = { handshakes: 1, ...PATIENTLY };
    const server = await TestServer.start({ serverCert: certificates.server, limits });
    await idle(server, 1);
    const extra = await RawPeer.connect({ port: server.port });

    expect((await extra.readBytesToEnd()).bytes).toHaveLength(0);
    expect(await server.log.value('error')).toMatchObject({ cause: { detail: TOO_MANY } });
  });

  it('tell our client the status', async () => {
    const server = await TestServer.start({ limits: { handshakes: 1, ...PATIENTLY } });
    await idle(server, 1);
    const client = new TestClient();
    await client.connect(server.url());

    expect(await client.nextError()).toMatchObject({ code: 200, data: '503' });
  });

  it.each(['plain', 'TLS'])('do not keep a server from stopping (%s)', async (name) => {
    const cert = name === 'TLS' ? { serverCert: certificates.server } : {};
    const server = await TestServer.start({ ...cert, limits: PATIENTLY });
    const peers = await idle(server, 3);

    await server.stop();

    for (const peer of peers) await peer.readBytesToEnd();
  });
});

/** So many TCP connections that ask for nothing. */
async function idle(server: TestServer, count: number): Promise<RawPeer[]> {
  const peers: RawPeer[] = [];
  for (let n = 0; n < count; n++) peers.push(await RawPeer.connect({ port: server.port }));
  return peers;
}
