/** The hook that decides who may connect: what it is told, what it may answer, and what is made of wrong answers. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { webSocket } from 'ohos-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { makeCertificates, makeMoreCertificates, readPair } from '../helpers/certificates.js';
import { within } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';
import { turns } from '../helpers/turns.js';
import { ask, Desk, offering, startWith } from './upgrade-hook.js';

type Request = webSocket.UpgradeRequest;

describe('a hook', () => {
  it('is told all of the request', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook);
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(
      upgradeRequest({
        startLine: 'GET /chat/%7Eroom?user=a%20b&user=c&x HTTP/1.1',
        extra: [
          ...['Cookie: a=1', 'Cookie: b=2', 'X-Two: 1', 'x-two: 2', '__proto__: mine'],
          offering('one, two'),
        ],
      }),
    );
    const { request, decide } = await desk.next();
    expect(request.method).toBe('GET');
    expect(request.path).toBe('/chat/%7Eroom');
    expect([...request.query]).toEqual([
      ['user', 'a b'],
      ['user', 'c'],
      ['x', ''],
    ]);
    expect(request.headers).toMatchObject({ cookie: 'a=1; b=2', 'x-two': '1, 2' });
    expect(Object.entries(request.headers)).toContainEqual(['__proto__', 'mine']);
    expect(request.headers.host).toBeDefined();
    expect(request.protocols).toEqual(['one', 'two']);
    const { clientIP, clientPort, remoteAddress, secure, peerCertificate } = request;
    expect({ clientIP, clientPort }).toEqual(peer.address);
    expect([remoteAddress, secure, peerCertificate]).toEqual(['127.0.0.1', false, undefined]);
    decide(true);
    expect((await peer.readHead()).status).toBe(101);
    expect(await server.nextConnect()).toMatchObject(peer.address);
  });

  it('says what the answer says, and what the connection knows', async () => {
    const data = { user: 'me' };
    const server = await startWith(async () => ({
      ...{ accept: true, protocol: 'two', data },
      headers: { 'X-One': 'eins', 'Set-Cookie': ['a=1', 'b=2'], 'X-None': undefined },
    }));
    const { peer, head } = await ask(server, {
      startLine: 'GET /p?q=1 HTTP/1.1',
      extra: [offering('one, two')],
    });
    expect(head.status).toBe(101);
    expect(head.header('sec-websocket-protocol')).toBe('two');
    expect(head.header('x-one')).toBe('eins');
    expect(head.all('set-cookie')).toEqual(['a=1', 'b=2']);
    expect(head.header('x-none')).toBeUndefined();
    const connection = await server.nextConnect();
    expect(connection.data).toBe(data);
    expect(connection.path).toBe('/p?q=1');
    expect(connection.protocol).toBe('two');
    expect(connection.remoteAddress).toBe('127.0.0.1');
    expect(connection.headers).toBeUndefined();
    await server.send('hello', connection);
    expect(await peer.expectText()).toBe('hello');
  });

  it.each([
    ['chooses none', { accept: true, protocol: '' }, null],
    ['leaves it to the server', { accept: true }, 'two'],
    ['is just content', true, 'two'],
  ])('%s of the subprotocols', async (_, decision, chosen) => {
    const server = await startWith(() => decision, { protocol: 'two' });
    const { head } = await ask(server, { extra: [offering('one, two')] });
    expect(head.header('sec-websocket-protocol') ?? null).toBe(chosen);
    expect((await server.nextConnect()).protocol).toBe(chosen ?? '');
  });

  it('refuses with what it likes', async () => {
    const server = await startWith(() => ({
      ...{ accept: false, status: 401, body: '{"why":"grüße"}' },
      headers: { 'WWW-Authenticate': 'Bearer', 'Content-Type': 'application/json' },
    }));
    const { head, body } = await ask(server);
    expect(head.startLine).toBe('HTTP/1.1 401 Unauthorized');
    expect(head.header('www-authenticate')).toBe('Bearer');
    expect(head.all('content-type')).toEqual(['application/json']);
    expect(head.header('content-length')).toBe(String(Buffer.byteLength(body)));
    expect(body).toBe('{"why":"grüße"}');
    expect(server.log.names).toEqual([]);
  });

  it.each([
    [false, 403],
    [{ accept: false }, 403],
    [{ accept: false, status: 302, headers: { Location: '/there' } }, 302],
    [{ accept: false, status: 599 }, 599],
  ])('refuses by %j', async (decision, status) => {
    const server = await startWith(async () => decision);
    const { head } = await ask(server);
    expect(head.status).toBe(status);
    expect(server.log.names).toEqual([]);
  });

  it('lets a client of ws in and another one not', async () => {
    const server = await startWith(async ({ query }: Request) =>
      query.get('token') === 'good'
        ? { accept: true, data: 'good' }
        : { accept: false, status: 401 },
    );
    const good = new WebSocket(server.url('/?token=good'));
    onTestFinished(() => good.terminate());
    await within(once(good, 'open'), 'ws to open');
    expect((await server.nextConnect()).data).toBe('good');
    const bad = new WebSocket(server.url('/?token=bad'));
    const [error] = await within(once(bad, 'error'), 'ws to fail');
    expect(String(error)).toContain('401');
  });

  it('works over TLS, and with compression', async () => {
    const made = makeCertificates();
    onTestFinished(() => made.remove());
    const { certPath, keyPath } = made.server;
    const seen: boolean[] = [];
    const hook = async ({ secure }: Request) => seen.push(secure) > 0;
    const config = { serverCert: { certPath, keyPath }, permessageDeflate: true };
    const server = await startWith(hook, config);
    const options = { ca: readPair(made.server).cert, rejectUnauthorized: false };
    const client = new WebSocket(`wss://127.0.0.1:${server.port}/`, options);
    onTestFinished(() => client.terminate());
    await within(once(client, 'open'), 'ws to open');
    expect([seen, client.extensions]).toEqual([
      [true],
      expect.stringContaining('permessage-deflate'),
    ]);
    client.send('x'.repeat(5000));
    expect((await server.nextMessage()).data).toBe('x'.repeat(5000));
  });

  it.each([
    ['demand', true],
    ['ask', true],
    ['ask', false],
  ] as const)('sees the certificate of a client: %s, has one: %s', async (clients, has) => {
    const made = makeCertificates();
    const more = makeMoreCertificates(made);
    onTestFinished(() => made.remove());
    const seen: Request['peerCertificate'][] = [];
    const server = await startWith(
      ({ peerCertificate }: Request) => {
        seen.push(peerCertificate);
        return { accept: peerCertificate !== undefined, data: peerCertificate?.subject };
      },
      { serverCert: made.server, clientCertificates: clients, caPath: made.caPath },
    );
    const own = readPair(more.client);
    const peer = await RawPeer.connect({
      port: server.port,
      tls: { rejectUnauthorized: false, ...(has && own) },
    });
    peer.write(upgradeRequest());
    expect((await peer.readHead()).status).toBe(has ? 101 : 403);
    if (!has) {
      expect(seen).toEqual([undefined]);
      return;
    }
    const { fingerprint256, subject, raw } = new X509Certificate(own.cert);
    expect(seen).toMatchObject([{ fingerprint256, subject }]);
    expect(Buffer.from(seen[0]?.raw ?? []).equals(raw)).toBe(true);
    const connection = await server.nextConnect();
    expect(connection.data).toBe(subject);
    expect(connection.clientCertificate?.fingerprint256).toBe(fingerprint256);
  });

  it('may take its time for one, and answer another', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook);
    const first = await RawPeer.connect({ port: server.port });
    first.write(upgradeRequest({ startLine: 'GET /first HTTP/1.1' }));
    const slow = await desk.next(0);
    const second = await RawPeer.connect({ port: server.port });
    second.write(upgradeRequest({ startLine: 'GET /second HTTP/1.1' }));
    (await desk.next(1)).decide({ accept: true, data: 2 });
    expect((await second.readHead()).status).toBe(101);
    expect(await server.nextConnect()).toMatchObject({ path: '/second', data: 2 });
    slow.decide({ accept: true, data: 1 });
    expect((await first.readHead()).status).toBe(101);
    expect(await server.nextConnect()).toMatchObject({ path: '/first', data: 1 });
  });
});

describe('a hook that fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('%s: 500', async (_, hook) => {
    const server = await startWith(hook);
    const { head, body } = await ask(server);
    expect([head.status, body]).toEqual([500, '']);
    const error = await server.log.value<{ code: number; cause: { detail: string } }>('error');
    expect(error).toMatchObject({ code: 200, cause: { phase: 'handshake' } });
    expect(error.cause.detail).toContain('broken');
  });

  it.each([
    [undefined],
    [null],
    [1],
    ['yes'],
    [{}],
    [{ accept: 1 }],
    [{ accept: true, protocol: 'not offered' }],
    [{ accept: true, protocol: 5 }],
    [{ accept: true, headers: 5 }],
    [{ accept: true, headers: { 'X-A': 'a\r\nX-B: b' } }],
    [{ accept: true, headers: { 'X-A': 'a\0' } }],
    [{ accept: true, headers: { 'X-A': 5 } }],
    [{ accept: true, headers: { 'X-A': ['a', 'b\n'] } }],
    [{ accept: true, headers: { 'X A': 'a' } }],
    [{ accept: true, headers: { 'X-A\r\nX-B': 'a' } }],
    [{ accept: true, headers: { 'Sec-WebSocket-Accept': 'mine' } }],
    [{ accept: true, headers: { Upgrade: 'h2c' } }],
    [{ accept: true, headers: { 'X-A': 'a'.repeat(16_384) } }],
    [{ accept: false, status: 200 }],
    [{ accept: false, status: 101 }],
    [{ accept: false, status: 600 }],
    [{ accept: false, status: 403.5 }],
    [{ accept: false, status: '403' }],
    [{ accept: false, headers: { 'Content-Length': '5' } }],
    [{ accept: false, headers: { 'Transfer-Encoding': 'chunked' } }],
    [{ accept: false, body: 5 }],
    [{ accept: false, body: 'x'.repeat(65_537) }],
  ])('decides %j: 500', async (decision) => {
    const server = await startWith(() => decision);
    const { head, body } = await ask(server, { extra: [offering('one')] });
    expect([head.status, body]).toEqual([500, '']);
    expect(head.header('x-b')).toBeUndefined();
    await server.log.value('error');
    expect(server.log.names).toEqual(['error']);
  });

  it('never decides: 503 when the time is up, and what it says then is ignored', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook, {
      ...{ limits: { handshakeTimeoutMs: 300 }, maxConnectionsForOneClient: 1 },
    });
    const { head } = await ask(server);
    expect(head.status).toBe(503);
    expect(await server.log.value('error')).toMatchObject({ code: 200 });
    (await desk.next()).decide({ accept: true, data: 'too late' });
    // It counts no more.
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    (await desk.next(1)).decide({ accept: true, data: 'in time' });
    expect((await peer.readHead()).status).toBe(101);
    expect((await server.nextConnect()).data).toBe('in time');
    expect(server.log.names).toEqual(['error', 'connect']);
  });

  it('decides on a client that has gone: nothing happens, and it counts no more', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook, { maxConnectionsForOneClient: 1 });
    const gone = await RawPeer.connect({ port: server.port });
    gone.write(upgradeRequest());
    const { decide } = await desk.next();
    const closed = once(gone.socket, 'close');
    gone.reset();
    await closed;
    decide({ accept: true, data: 'gone' });
    // Two turns of the engine, at least, since it has heard.
    await turns(await TestServer.start(), 2);
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    (await desk.next(1)).decide(true);
    expect((await peer.readHead()).status).toBe(101);
    expect((await server.nextConnect()).data).toBeUndefined();
    expect(server.log.names).toEqual(['connect']);
  });
});
