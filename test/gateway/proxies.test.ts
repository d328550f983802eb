/**
 * Whom a server takes a client for behind proxies: by either header and by the PROXY protocol, what of it counts for
 * the limits, and who is not believed.
 */

import tls from 'node:tls';
import type { webSocket } from 'ohos-websocket';
import * as parity from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../helpers/certificates.js';
import { rejection, type ServerConfig, TestServer } from '../helpers/endpoints.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';

type Asked = Pick<webSocket.UpgradeRequest, 'remoteAddress' | 'clientIP' | 'clientPort'>;

const HERE = ['127.0.0.0/8', '10.0.0.0/8'];

function start(config: Partial<ServerConfig>): Promise<TestServer> {
  return TestServer.start({ trustedProxies: HERE, ...config });
}

/** Connects with these header lines; the status of the answer. */
async function statusWith(server: TestServer, ...extra: string[]): Promise<number> {
  const peer = await RawPeer.connect({ port: server.port });
  peer.write(upgradeRequest({ extra }));
  return (await peer.readHead()).status;
}

/** Whom the server takes a client for that sends these header lines. */
async function takenFor(server: TestServer, ...extra: string[]): Promise<string | undefined> {
  expect(await statusWith(server, ...extra)).toBe(101);
  return (await server.nextConnect()).remoteAddress;
}

describe('X-Forwarded-For', () => {
  it('is read from the right, up to the first that is no proxy', async () => {
    const server = await start({});
    const named = (value: string) => takenFor(server, `X-Forwarded-For: ${value}`);
    expect(await named('192.0.2.1')).toBe('192.0.2.1');
    expect(await named('203.0.113.9, 192.0.2.1, 10.0.0.7')).toBe('192.0.2.1');
    expect(await named('[2001:DB8::0:7]:443')).toBe('2001:db8::7');
    expect(await named('10.0.0.8, 10.0.0.7')).toBe('10.0.0.8');
    expect(await named('192.0.2.1, unknown')).toBe('127.0.0.1');
    expect(await named('')).toBe('127.0.0.1');
    expect(await takenFor(server)).toBe('127.0.0.1');
    expect(await takenFor(server, 'X-Forwarded-For: 192.0.2.1', 'x-forwarded-for: 192.0.2.2')).toBe(
      '192.0.2.2',
    );
    expect(await takenFor(server, 'Forwarded: for=192.0.2.1')).toBe('127.0.0.1');
  });

  it('is what limits and the hook go by, and the address of TCP stays', async () => {
    const asked: Asked[] = [];
    const server = await start({
      maxConnectionsForOneClient: 1,
      onUpgrade: ({ remoteAddress, clientIP, clientPort }) => {
        asked.push({ remoteAddress, clientIP, clientPort });
        return true;
      },
    });
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest({ extra: ['X-Forwarded-For: 192.0.2.1'] }));
    expect((await peer.readHead()).status).toBe(101);
    const connection = await server.nextConnect();
    expect(connection).toMatchObject({ ...peer.address, remoteAddress: '192.0.2.1' });
    expect(asked).toEqual([{ ...peer.address, remoteAddress: '192.0.2.1' }]);
    expect(await statusWith(server, 'X-Forwarded-For: 192.0.2.1')).toBe(503);
    const { message } = await server.log.value<{ message: string }>('error');
    expect(message).toContain('192.0.2.1');
    expect(await statusWith(server, 'X-Forwarded-For: 192.0.2.2')).toBe(101);
    await server.nextConnect();
    peer.sendClose(1000);
    await server.nextClose();
    expect(await statusWith(server, 'X-Forwarded-For: 192.0.2.1')).toBe(101);
  });

  it.each([false, true])('is what rates go by, with a hook: %s', async (hooked) => {
    const server = await start({
      ratePolicy: 'close',
      limits: { messagesPerSecondOfAddress: 1 },
      ...(hooked && { onUpgrade: () => true }),
    });
    for (const client of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      const request = { extra: [`X-Forwarded-For: ${client}`] };
      const peer = await RawPeer.open({ port: server.port, request });
      peer.sendText(client);
      expect((await server.nextMessage()).data).toBe(client);
    }
    expect(server.log.all('close')).toEqual([]);
  });

  it('counts without a hook, too', async () => {
    const server = await start({ maxConcurrentClientsNumber: 2 });
    expect(await statusWith(server, 'X-Forwarded-For: 192.0.2.1')).toBe(101);
    expect(await statusWith(server, 'X-Forwarded-For: 192.0.2.2')).toBe(101);
    expect(await statusWith(server, 'X-Forwarded-For: 192.0.2.3')).toBe(503);
    expect(await statusWith(server, 'X-Forwarded-For: 192.0.2.2')).toBe(101);
  });

  it('of anybody else is not believed', async () => {
    const server = await start({ trustedProxies: ['10.0.0.0/8', '::/0'] });
    expect(await takenFor(server, 'X-Forwarded-For: 192.0.2.1')).toBe('127.0.0.1');
    const without = await TestServer.start();
    expect(await takenFor(without, 'X-Forwarded-For: 192.0.2.1')).toBe('127.0.0.1');
  });
});

describe('Forwarded', () => {
  it('is read as RFC 7239 has it', async () => {
    const server = await start({ proxyHeader: 'forwarded' });
    const named = (value: string) => takenFor(server, `Forwarded: ${value}`);
    expect(await named('for=192.0.2.1;proto=https')).toBe('192.0.2.1');
    expect(await named('for="[2001:db8::7]:80", for=10.0.0.7')).toBe('2001:db8::7');
    expect(await named('for=192.0.2.1, for=_hidden')).toBe('127.0.0.1');
    expect(await named('for="192.0.2.9, for=192.0.2.1')).toBe('192.0.2.1');
    expect(await takenFor(server, 'X-Forwarded-For: 192.0.2.1')).toBe('127.0.0.1');
  });
});

const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc00002010a00000112340050', 'hex');

describe('the PROXY protocol', () => {
  const byProtocol = (config: Partial<ServerConfig> = {}) =>
    start({ proxyHeader: 'proxy-protocol', ...config });

  it.each([
    ['version 1', 'PROXY TCP4 192.0.2.1 10.0.0.1 4660 80\r\n', '192.0.2.1'],
    ['version 1, IPv6', 'PROXY TCP6 2001:db8::7 ::1 4660 80\r\n', '2001:db8::7'],
    ['version 1, unknown', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
    ['version 2', V2, '192.0.2.1'],
  ])('%s', async (_, header, address) => {
    const server = await byProtocol();
    for (const piece of [Number.POSITIVE_INFINITY, 1]) {
      const peer = await RawPeer.connect({ port: server.port });
      const bytes = Buffer.concat([Buffer.from(header), Buffer.from(upgradeRequest())]);
      await peer.writeInPieces(bytes, Math.min(piece, bytes.length));
      expect((await peer.readHead()).status).toBe(101);
      const connection = await server.nextConnect();
      expect(connection).toMatchObject({ ...peer.address, remoteAddress: address });
      peer.sendText('hello');
      expect((await server.nextMessage()).data).toBe('hello');
    }
  });

  it('comes before TLS', async () => {
    const made = makeCertificates();
    onTestFinished(() => made.remove());
    const { certPath, keyPath } = made.server;
    const server = await byProtocol({ serverCert: { certPath, keyPath } });
    const plain = await RawPeer.connect({ port: server.port });
    plain.socket.removeAllListeners('data');
    plain.write(V2);
    await plain.flushed();
    const socket = tls.connect({ socket: plain.socket, rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    const peer = new RawPeer('client', socket);
    peer.write(upgradeRequest());
    expect((await peer.readHead()).status).toBe(101);
    expect((await server.nextConnect()).remoteAddress).toBe('192.0.2.1');
  });

  it.each([
    ['no header', 'GET / HTTP/1.1\r\n'],
    ['a malformed one', 'PROXY TCP4 192.0.2.1 x 1 2\r\n'],
    ['an endless one', `PROXY UNKNOWN ${'x'.repeat(200)}`],
    ['a malformed one of version 2', Buffer.concat([V2.subarray(0, 12), Buffer.alloc(16, 0xff)])],
  ])('%s ends the connection', async (_, bytes) => {
    const server = await byProtocol();
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(bytes);
    expect((await peer.readBytesToEnd()).bytes.length).toBe(0);
    const { cause } = await server.log.value<{ cause: { detail: string } }>('error');
    expect(cause.detail).toContain('PROXY');
    // And nobody else's.
    const next = await RawPeer.connect({ port: server.port });
    next.write(`PROXY UNKNOWN\r\n${upgradeRequest()}`);
    expect((await next.readHead()).status).toBe(101);
  });

  it('that does not come in time ends the connection', async () => {
    const server = await byProtocol({ limits: { handshakeTimeoutMs: 200 } });
    const peer = await RawPeer.connect({ port: server.port });
    peer.write('PROXY ');
    expect((await peer.readBytesToEnd()).bytes.length).toBe(0);
    const { cause } = await server.log.value<{ cause: { detail: string } }>('error');
    expect(cause.detail).toContain('too long');
  });

  it('whose proxy goes away is no event, and counts no more', async () => {
    const server = await byProtocol({ limits: { handshakes: 1 } });
    const gone = await RawPeer.connect({ port: server.port });
    gone.write('PROXY TC');
    gone.halfClose();
    expect((await gone.readBytesToEnd()).end).toBe('end');
    const next = await RawPeer.connect({ port: server.port });
    next.write(`PROXY UNKNOWN\r\n${upgradeRequest()}`);
    expect((await next.readHead()).status).toBe(101);
    expect(server.log.all('error')).toEqual([]);
  });

  it('counts for limits.handshakes, and is ended by stop', async () => {
    const server = await byProtocol({ limits: { handshakes: 1 } });
    const waiting = await RawPeer.connect({ port: server.port });
    waiting.write('PROXY ');
    await waiting.flushed();
    const second = await RawPeer.connect({ port: server.port });
    expect((await second.readHead()).status).toBe(503);
    expect(await server.stop()).toBe(true);
    expect((await waiting.readBytesToEnd()).bytes.length).toBe(0);
  });

  it('of anybody else is not asked for, and is no request', async () => {
    const server = await byProtocol({ trustedProxies: ['10.0.0.0/8'] });
    expect(await takenFor(server)).toBe('127.0.0.1');
    const liar = await RawPeer.connect({ port: server.port });
    liar.write(V2);
    liar.write(upgradeRequest());
    expect((await liar.readHead()).status).toBe(400);
  });
});

describe('options', () => {
  it.each([
    { trustedProxies: '10.0.0.0/8' },
    { trustedProxies: [5] },
    { trustedProxies: [undefined] },
    { trustedProxies: ['10.0.0.0/33'] },
    { trustedProxies: ['::/129'] },
    { trustedProxies: ['proxy.example.com'] },
    { trustedProxies: ['10.0.0.0/8/8'] },
    { trustedProxies: ['fe80::1%eth0'] },
    { trustedProxies: ['10.0.0.0/'] },
    { trustedProxies: [''] },
    { trustedProxies: [], proxyHeader: 'x-real-ip' },
    { trustedProxies: [], proxyHeader: null },
    { proxyHeader: 'forwarded' },
  ])('%j gives 401', async (config) => {
    expect(await rejection(new TestServer().start(config as object))).toMatchObject({ code: 401 });
  });

  it('are refused in the netstack profile', async () => {
    const server = parity.createWebSocketServer();
    const config = { serverIP: '127.0.0.1', serverPort: 0, trustedProxies: HERE };
    expect(await rejection(server.start(config))).toMatchObject({ code: 401 });
  });
});
