/**
 * Proves `headerBytes` and `headerLines`: a head of exactly so many bytes or lines is taken, in one piece or
 * byte by byte; one beyond is answered with 431 by a server and ends the attempt of a client. And a request
 * that libwebsockets cannot read is answered too.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawListener, RawPeer, upgradeAnswer, upgradeRequest } from '../helpers/peers.js';
import { answer, ScriptedProxy } from '../proxy/scripted-proxy.js';

const BYTES = [256, 1000, 32_768, 57_344];
const LINES = [5, 100, 200];

/** A head of so many bytes. */
function padded(make: (extra: string[]) => string, bytes: number): string {
  const missing = bytes - make(['X-Pad: ']).length;
  return make([`X-Pad: ${'p'.repeat(missing)}`]);
}

/** Headers in so many lines beside the `own` ones, of a name that libwebsockets knows or not. */
function lines(count: number, own: number, name: string): string[] {
  return Array.from({ length: count - own }, (_, n) => `${name}: ${n}`);
}

const request = (extra: string[]): string => upgradeRequest({ extra });

describe('headerBytes of our server', PATIENT, () => {
  it.each(BYTES)('takes a request of exactly %i', async (headerBytes) => {
    const server = await TestServer.start({ limits: { headerBytes } });
    const peer = await RawPeer.connect({ port: server.port });
    const head = padded(request, headerBytes);
    expect(head).toHaveLength(headerBytes);

    // A message in the same piece is no part of it.
    peer.write(
      Buffer.concat([Buffer.from(head), peer.encode([{ opcode: Opcode.text, payload: 'm' }])]),
    );

    expect((await peer.readHead()).status).toBe(101);
    expect((await server.nextMessage()).data).toBe('m');
  });

  it.each(BYTES)('answers 431 to one byte more than %i', async (headerBytes) => {
    const server = await TestServer.start({ limits: { headerBytes } });
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(padded(request, headerBytes + 1));

    expect((await peer.readHead()).status).toBe(431);
    await peer.readBytesToEnd();
    expect(await server.log.value('error')).toMatchObject({
      code: 200,
      cause: { phase: 'handshake', detail: 'too many bytes of headers' },
    });
  });

  it('counts a head that comes byte by byte, and one that never ends', async () => {
    const server = await TestServer.start({ limits: { headerBytes: 300 } });
    const exact = await RawPeer.connect({ port: server.port });
    await exact.writeInPieces(Buffer.from(padded(request, 300)), 1);
    expect((await exact.readHead()).status).toBe(101);

    const endless = await RawPeer.connect({ port: server.port });
    await endless.writeInPieces(Buffer.from(`GET /${'x'.repeat(296)}`), 50);
    expect((await endless.readHead()).status).toBe(431);
  });

  it('is 32,768 by default', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(padded(request, 32_769));
    expect((await peer.readHead()).status).toBe(431);
  });
});

describe('headerLines of our server', PATIENT, () => {
  describe.each(['X-Custom', 'Cookie'])('%s', (name) => {
    it.each(LINES)('takes a request of exactly %i', async (headerLines) => {
      const server = await TestServer.start({ limits: { headerLines } });
      const peer = await RawPeer.connect({ port: server.port });

      peer.write(request(lines(headerLines, 5, name)));

      expect((await peer.readHead()).status).toBe(101);
    });

    it.each(LINES)('answers 431 to one more than %i', async (headerLines) => {
      const server = await TestServer.start({ limits: { headerLines } });
      const peer = await RawPeer.connect({ port: server.port });

      peer.write(request(lines(headerLines + 1, 5, name)));

      expect((await peer.readHead()).status).toBe(431);
      expect(await server.log.value('error')).toMatchObject({
        cause: { phase: 'handshake', detail: 'too many header lines' },
      });
    });
  });
});

describe('a request that libwebsockets could not read', PATIENT, () => {
  it('is taken though it has more query arguments than libwebsockets has room for', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(upgradeRequest({ startLine: `GET /?${'a&'.repeat(300)} HTTP/1.1` }));

    expect((await peer.readHead()).status).toBe(101);
  });

  it('is answered with 400 if it is malformed', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    peer.write('GET / HTTP/1.1\r\nHost: a\r\nGET /again HTTP/1.1\r\n\r\n');

    expect((await peer.readHead()).status).toBe(400);
    await peer.readBytesToEnd();
  });
});

describe('headerBytes of our client', PATIENT, () => {
  it.each(BYTES)('takes an answer of exactly %i', async (headerBytes) => {
    const { client, peer, key } = await asked({ headerBytes });
    const head = padded((extra) => upgradeAnswer(key, { extra }), headerBytes);
    expect(head).toHaveLength(headerBytes);

    peer.write(
      Buffer.concat([Buffer.from(head), peer.encode([{ opcode: Opcode.text, payload: 'm' }])]),
    );

    await client.log.next('open');
    expect(await client.nextMessage()).toBe('m');
    const [headers] = (await client.log.next('headerReceive')) as [Record<string, string>];
    expect(headers['x-pad']).toMatch(/^p+$/);
  });

  it.each(BYTES)('gives up at one byte more than %i', async (headerBytes) => {
    const { client, peer, key } = await asked({ headerBytes });

    peer.write(padded((extra) => upgradeAnswer(key, { extra }), headerBytes + 1));

    expect(await client.nextError()).toMatchObject({
      code: 200,
      data: '0',
      cause: { phase: 'handshake', detail: 'too many bytes of headers in the answer' },
    });
    await peer.readBytesToEnd();
  });

  it("counts the proxy's answer", async () => {
    const proxy = await ScriptedProxy.listen(answer(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2000)}`));
    const client = new TestClient();
    await client.connect('ws://target.test/', {
      proxy: proxy.option,
      limits: { headerBytes: 1000 },
    });

    expect(await client.nextError()).toMatchObject({
      cause: { phase: 'proxy', detail: "the proxy's answer is too long" },
    });
  });
});

describe('headerLines of our client', PATIENT, () => {
  describe.each(['X-Custom', 'Set-Cookie'])('%s', (name) => {
    it.each(LINES)('takes an answer of exactly %i', async (headerLines) => {
      const { client, peer, key } = await asked({ headerLines });

      peer.write(upgradeAnswer(key, { extra: lines(headerLines, 3, name) }));

      await client.log.next('open');
    });

    it.each(LINES)('gives up at one more than %i', async (headerLines) => {
      const { client, peer, key } = await asked({ headerLines });

      peer.write(upgradeAnswer(key, { extra: lines(headerLines + 1, 3, name) }));

      expect(await client.nextError()).toMatchObject({
        cause: { phase: 'handshake', detail: 'too many header lines in the answer' },
      });
    });
  });
});

/** A client of ours that has asked for an upgrade. */
async function asked(
  limits: Readonly<Record<string, number>>,
): Promise<{ client: TestClient; peer: RawPeer; key: string }> {
  const listener = await RawListener.listen();
  const client = new TestClient();
  await client.connect(listener.url(), { limits });
  const peer = await listener.accept();
  const key = (await peer.readHead()).header('sec-websocket-key') ?? '';
  return { client, peer, key };
}
