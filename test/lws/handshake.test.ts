/**
 * Proves that what bare libwebsockets 4.3.5 does wrong in handshakes does not reach our users. Tests are
 * named as the files in `native/patches`, or by the rule of ours that avoids the defect; `mends.ts` has all of
 * them. The peers are raw, since no decent peer does these things.
 */

import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createWebSocket, type WebSocketServerLimits } from 'ohos-websocket';
import { webSocket as netstack } from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificatesOfFile, readPair } from '../helpers/certificates.js';
import { PATIENT, VERY_PATIENT, within } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { askingPair } from '../helpers/pairs.js';
import { RawListener, RawPeer, SAMPLE_KEY, upgradeRequest } from '../helpers/peers.js';

const onLinux = process.platform === 'linux';

const certificates = certificatesOfFile();

async function startAsNetstack(limits: WebSocketServerLimits = {}) {
  const server = netstack.createWebSocketServer();
  onTestFinished(() => server.stop().then(() => undefined));
  await server.start({
    serverIP: '127.0.0.1',
    serverPort: 0,
    maxConcurrentClientsNumber: 5,
    maxConnectionsForOneClient: 5,
    limits,
  });
  return server;
}

describe.runIf(onLinux)(
  'D3 the Host header and SNI do not move a connection to another server',
  PATIENT,
  () => {
    const names = ['x', 'a', '', 'localhost', 'default', 'listener-1', '127.0.0.1', '127.0.0.2'];

    it('whatever Host says', async () => {
      const first = await TestServer.start({ serverIP: '127.0.0.1' });
      const second = await TestServer.start({ serverIP: '127.0.0.2', serverPort: first.port });
      const { port } = first;

      for (const name of names.filter((host) => host !== '')) {
        for (const host of [name, `${name}:${port}`]) {
          await RawPeer.open({ port, host: '127.0.0.1', request: { host } });
          await first.nextConnect();
          await RawPeer.open({ port, host: '127.0.0.2', request: { host } });
          await second.nextConnect();
        }
      }

      expect(first.log.names).toHaveLength(second.log.names.length);
    });

    it('whatever SNI says', async () => {
      const first = await TestServer.start({ serverCert: certificates.server });
      const second = await TestServer.start({
        serverIP: '127.0.0.2',
        serverPort: first.port,
        serverCert: certificates.secondServer,
      });
      const { port } = first;

      // Names only: an address is no legal SNI.
      for (const servername of names.filter((name) => !/^\d/.test(name))) {
        for (const [host, server, commonName] of [
          ['127.0.0.1', first, 'server'],
          ['127.0.0.2', second, 'second-server'],
        ] as const) {
          const peer = await RawPeer.open({
            port,
            host,
            tls: { servername, rejectUnauthorized: false },
            request: { host: servername === '' ? 'x' : servername },
          });
          expect((peer.socket as TLSSocket).getPeerCertificate().subject.CN).toBe(commonName);
          await server.nextConnect();
        }
      }
    });
  },
);

describe('D5 CONNECT is refused', PATIENT, () => {
  it.each([
    'CONNECT / HTTP/1.1\r\n\r\n',
    'CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n',
    upgradeRequest({ startLine: 'CONNECT / HTTP/1.1' }),
  ])('%j', async (request) => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(request);
    peer.write('these bytes are nobody’s\r\n');

    const { bytes } = await peer.readBytesToEnd();
    expect(bytes.toString('latin1')).not.toMatch(/^HTTP\/1\.1 [123]/);
    await TestClient.open(server.url());
    expect(server.log.names).toEqual(['connect']);
  });
});

describe('D9 an unknown Upgrade is answered once and closed', PATIENT, () => {
  it.each(['foo', 'h2', 'websockets'])('%j', async (upgrade) => {
    const server = await TestServer.start();

    for (let i = 0; i < 50; i++) {
      const peer = await RawPeer.connect({ port: server.port });
      peer.write(
        upgradeRequest({
          lines: [
            'Host: 127.0.0.1',
            `Upgrade: ${upgrade}`,
            'Connection: Upgrade',
            `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
            'Sec-WebSocket-Version: 13',
            `X-Filler: ${'x'.repeat(i * 10)}`,
          ],
        }),
      );
      expect((await peer.readHead()).status).toBe(426);
      // Going on after the refusal shows as a second answer.
      const { bytes } = await peer.readBytesToEnd();
      expect(bytes.toString('latin1')).not.toContain('HTTP/1.');
    }

    await TestClient.open(server.url());
    expect(server.log.names).toEqual(['connect']);
  });
});

describe('D10 a client whose upgrade request cannot be written fails once', VERY_PATIENT, () => {
  // Many at once: while the engine works through the connections that are up, the peer has already
  // reset the later ones.
  const ROUNDS = 10;
  const AT_ONCE = 300;

  it.each(['ws', 'wss'])(
    'when the peer resets before the request, many times, %s',
    async (scheme) => {
      const listener = await RawListener.listen({ onSocket: (socket) => socket.resetAndDestroy() });

      for (let round = 0; round < ROUNDS; round++) {
        const clients = Array.from({ length: AT_ONCE }, () => new TestClient());
        const url = `${scheme}://127.0.0.1:${listener.port}/`;
        await Promise.all(clients.map((client) => client.connect(url)));
        for (const client of clients) {
          expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
        }
        for (const { log } of clients) expect(log.names).toEqual(['error']);
      }

      const server = await TestServer.start();
      await TestClient.open(server.url());
    },
  );
});

describe('subprotocol the application selects the subprotocol', PATIENT, () => {
  it.each([
    ['only unknown ones', 'unknown', []],
    ['a list of more than 126 characters', `${'x, '.repeat(100)}wanted`, ['wanted']],
  ])('from %s', async (_what, offer, chosen) => {
    const server = await TestServer.start({ protocol: 'wanted' });
    const peer = await RawPeer.connect({ port: server.port });

    const answer = await peer.upgrade({ extra: [`Sec-WebSocket-Protocol: ${offer}`] });

    expect(answer.all('sec-websocket-protocol')).toEqual(chosen);
  });
});

describe('custom-header-value an unknown header takes nothing of the next', PATIENT, () => {
  it('in an answer', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());

    await listener.acceptOpen({
      extra: ['X-Foo: bar', 'Date: today', 'X: 1', 'S: 2', 'Server: srv', 'X-F: 3', 'Zz: 4'],
    });

    expect(await client.log.value('headerReceive')).toMatchObject({
      'x-foo': 'bar',
      date: 'today',
      x: '1',
      s: '2',
      server: 'srv',
      'x-f': '3',
      zz: '4',
    });
  });

  it('in a request', async () => {
    const server = await TestServer.start({ protocol: 'chat' });
    const peer = await RawPeer.connect({ port: server.port });

    const answer = await peer.upgrade({
      lines: [
        ...['H: 1', 'Host: 127.0.0.1', 'U: 1', 'Upgrade: websocket', 'C: 1', 'Connection: Upgrade'],
        ...['Sec-W: 1', `Sec-WebSocket-Key: ${SAMPLE_KEY}`, 'S: 1', 'Sec-WebSocket-Version: 13'],
        ...['X-F: 1', 'Sec-WebSocket-Protocol: chat'],
      ],
    });

    expect(answer.all('sec-websocket-protocol')).toEqual(['chat']);
  });
});

describe('D4 an encoded line end in the target makes no header', PATIENT, () => {
  const key = `Sec-WebSocket-Key: ${SAMPLE_KEY}`;
  const withoutKey = [
    'Host: a',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
  ];

  it.each(['/%0a', '/a?b=%0a', '/%0d%0a', '/?%0D'])('in either profile: %s', async (target) => {
    const request = upgradeRequest({
      startLine: `GET ${target}${key.replaceAll(' ', '')}%0a HTTP/1.1`,
      lines: withoutKey,
    });
    const documented = await TestServer.start();
    const server = await startAsNetstack();

    for (const port of [documented.port, server.port as number]) {
      const peer = await RawPeer.connect({ port });
      peer.write(request);
      const { bytes } = await peer.readBytesToEnd();
      expect(bytes.toString('latin1')).not.toContain(' 101 ');
    }
  });
});

/** Opens connections that send half of a request each. */
async function openHalfway(port: number, count: number): Promise<{ allEnded: Promise<void> }> {
  const sockets = Array.from({ length: count }, () => net.connect(port, '127.0.0.1'));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  let ended = 0;
  const allEnded = new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('error', () => undefined).resume();
      socket.on('close', () => {
        ended += 1;
        if (ended === count) resolve();
      });
    }
  });
  const half = 'GET / HTTP/1.1\r\nHost: a\r\n';
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.write(half, () => resolve()))),
  );
  return { allEnded };
}

/** libwebsockets has header tables for so many. */
const HEADER_TABLES = 1024;

describe('those who send half of their requests', VERY_PATIENT, () => {
  it('late-header-table: those who do not finish their requests hold up nobody', async () => {
    const server = await TestServer.start({ limits: { handshakeTimeoutMs: 60_000 } });
    await openHalfway(server.port, HEADER_TABLES + 100);

    // The engine has seen those before them when it has answered the first.
    for (let n = 0; n < 3; n += 1) await RawPeer.open({ port: server.port });
  });

  it('kill-stays: end when their time is over, also if they wait for a header table', async () => {
    const server = await startAsNetstack({ handshakeTimeoutMs: 1000 });

    const { allEnded } = await openHalfway(server.port as number, 3 * HEADER_TABLES);

    await within(allEnded, 'all of them to end');
  });
});

describe('clients of a server that says nothing', VERY_PATIENT, () => {
  it('kill-stays: attempts of clients end when their time is over, also if they wait for a header table', async () => {
    const silent = await RawListener.listen({ onSocket: () => undefined });
    const clients = Array.from({ length: 4 * HEADER_TABLES }, () => createWebSocket());
    const failed = clients.map(
      (client) => new Promise<void>((resolve) => client.on('error', () => resolve())),
    );

    for (const client of clients) {
      void client.connect(silent.url(), { limits: { handshakeTimeoutMs: 1000 } });
    }

    await within(Promise.all(failed), 'all of them to fail');
    const client = new TestClient();
    await client.open((await TestServer.start()).url());
  });
});

describe('D18 a long request leaves whole, or not at all', PATIENT, () => {
  it.each([4000, 8000, 60_000, 100_000])('with headers of %i bytes', async (size) => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    const header = Object.fromEntries(
      Array.from({ length: size / 1000 }, (_, n) => [`x-${n}`, 'v'.repeat(980)]),
    );

    await client.connect(`${listener.url()}${'p'.repeat(1500)}`, { header });

    const head = await (await listener.accept()).readHead();
    expect(head.startLine).toBe(`GET /${'p'.repeat(1500)} HTTP/1.1`);
    for (const [name, value] of Object.entries(header)) expect(head.all(name)).toEqual([value]);
  });

  it('fails where there is no room for it', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url(), { header: { 'x-long': 'v'.repeat(200_000) } });

    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    expect((await (await listener.accept()).readBytesToEnd()).bytes).toHaveLength(0);
  });
});

describe('D22 a redirect is not followed', PATIENT, () => {
  it.each([301, 302, 307, 308])('status %i', async (status) => {
    const elsewhere = await RawListener.listen();
    const { client, peer } = await askingPair();

    peer.write(
      `HTTP/1.1 ${status} Moved\r\nLocation: ${elsewhere.url()}\r\nContent-Length: 0\r\n\r\n`,
    );

    expect(await client.nextError()).toMatchObject({ code: 200, data: `${status}` });
    await peer.readBytesToEnd();
    expect(elsewhere.accepted).toBe(0);
  });
});

describe('D37 why a connect failed is told without NUL', PATIENT, () => {
  it.each([
    ['before it answers', ''],
    ['within its answer', 'HTTP/1.1 101 Switching'],
  ])('when the server closes %s', async (_when, answer) => {
    const { client, peer } = await askingPair();

    peer.write(answer);
    peer.halfClose();

    const { message = '', cause } = await client.nextError();
    const { detail } = cause as { detail: string };
    expect(detail).not.toBe('');
    expect(message + detail).not.toContain('\0');
  });
});

describe('D36 no second TLS handshake on an open connection', PATIENT, () => {
  it('whoever asks a client for one', async () => {
    const listener = await RawListener.listen({
      tls: { ...readPair(certificates.server), maxVersion: 'TLSv1.2' },
    });
    const client = new TestClient();
    await client.connect(`wss://localhost:${listener.port}/`, { caPath: certificates.caPath });
    const peer = await listener.acceptOpen();
    await client.log.next('open');
    const socket = peer.socket as TLSSocket;
    const secured: string[] = [];
    socket.on('secure', () => secured.push('again'));

    socket.renegotiate({}, () => undefined);

    await client.nextClose();
    expect(secured).toEqual([]);
  });
});
