/**
 * The hook that decides who may connect: what it is told, what it may answer, what is made of wrong answers, and
 * that nobody waits for ever, gets past the limits or is let in by mistake.
 */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { webSocket } from 'ohos-websocket';
import * as parity from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { makeCertificates, makeMoreCertificates, readPair } from '../helpers/certificates.js';
import { within } from '../helpers/deadline.js';
import { rejection, type ServerConfig, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer, upgradeRequest } from '../helpers/peers.js';
import { turns } from '../helpers/turns.js';

type Hook = webSocket.UpgradeHook;
type Request = webSocket.UpgradeRequest;
type Decision = webSocket.UpgradeDecision;

/** A hook whose answers the test gives. */
class Desk {
  readonly asked: { request: Request; decide: (decision: Decision) => void }[] = [];
  #notify: () => void = () => undefined;

  readonly hook: Hook = (request) =>
    new Promise((decide) => {
      this.asked.push({ request, decide });
      this.#notify();
    });

  /** The request number `n`, from 0. */
  async next(n = 0) {
    const there = (async () => {
      while (this.asked.length <= n) {
        await new Promise<void>((resolve) => {
          this.#notify = resolve;
        });
      }
    })();
    await within(there, `request ${n} to reach the hook`);
    return this.asked[n] as (typeof this.asked)[number];
  }
}

function startWith(onUpgrade: unknown, config: Partial<ServerConfig> = {}): Promise<TestServer> {
  return TestServer.start({ onUpgrade: onUpgrade as Hook, ...config });
}

function offering(protocols: string): string {
  return `Sec-WebSocket-Protocol: ${protocols}`;
}

/** Sends a request, and reads the answer with its body. */
async function ask(server: TestServer, request: Parameters<typeof upgradeRequest>[0] = {}) {
  const peer = await RawPeer.connect({ port: server.port });
  peer.write(upgradeRequest(request));
  const head = await peer.readHead();
  const body = head.status === 101 ? '' : String((await peer.readBytesToEnd()).bytes);
  return { peer, head, body };
}

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

describe('a request', () => {
  it('may come in any pieces', async () => {
    const server = await startWith(async () => true);
    const bytes = Buffer.from(upgradeRequest());
    for (const cut of [1, 2, 3, bytes.length - 2, bytes.length - 1]) {
      const peer = await RawPeer.connect({ port: server.port });
      peer.write(bytes.subarray(0, cut));
      await peer.flushed();
      // The engine has seen the first piece when it has answered somebody who came later.
      await (await RawPeer.open({ port: server.port })).flushed();
      peer.write(bytes.subarray(cut));
      expect((await peer.readHead()).status).toBe(101);
    }
    const slow = await RawPeer.connect({ port: server.port });
    await slow.writeInPieces(bytes, 1);
    expect((await slow.readHead()).status).toBe(101);
  });

  it.each(['with', 'behind'])('may have frames %s it', async (where) => {
    const desk = new Desk();
    const server = await startWith(desk.hook);
    const peer = await RawPeer.connect({ port: server.port });
    const frames = peer.encode([
      { opcode: Opcode.text, payload: 'early' },
      { opcode: Opcode.text, payload: 'bird' },
    ]);
    const request = Buffer.from(upgradeRequest());
    if (where === 'with') {
      peer.write(Buffer.concat([request, frames]));
    } else {
      peer.write(request);
      await desk.next();
      peer.write(frames);
      await peer.flushed();
    }
    (await desk.next()).decide(true);
    expect((await peer.readHead()).status).toBe(101);
    expect((await server.nextMessage()).data).toBe('early');
    expect((await server.nextMessage()).data).toBe('bird');
  });

  it('with more behind it than a head may have is refused', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook, { limits: { headerBytes: 1000 } });
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(Buffer.concat([Buffer.from(upgradeRequest()), Buffer.alloc(2000)]));
    expect((await peer.readHead()).status).toBe(400);
    expect(desk.asked).toEqual([]);
  });

  it('that is none, or not allowed, does not reach the hook', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook, { allowedOrigins: ['https://example.com'] });
    expect((await ask(server, { extra: ['Origin: https://other.example'] })).head.status).toBe(403);
    expect((await ask(server, { extra: [' folded'] })).head.status).toBe(400);
    expect(desk.asked).toEqual([]);
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

describe('the signal of a request', () => {
  /** Resolves when it aborts. */
  const aborted = ({ signal }: Request) =>
    within<unknown>(
      signal.aborted ? Promise.resolve() : once(signal, 'abort'),
      'the signal to abort',
    );

  it.each(['end', 'reset'])('aborts when the client goes away, by %s', async (how) => {
    const desk = new Desk();
    const server = await startWith(desk.hook, { maxConnectionsForOneClient: 1 });
    const gone = await RawPeer.connect({ port: server.port });
    gone.write(upgradeRequest());
    const { request, decide } = await desk.next();
    expect(request.signal.aborted).toBe(false);
    if (how === 'end') gone.socket.end();
    else gone.reset();
    await aborted(request);
    expect(request.signal.reason).toMatchObject({ name: 'AbortError' });
    // It counts no more, whatever is decided.
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    const later = await desk.next(1);
    decide(true);
    later.decide(true);
    expect((await peer.readHead()).status).toBe(101);
    await server.nextConnect();
    expect(later.request.signal.aborted).toBe(false);
    expect(server.log.names).toEqual(['connect']);
  });

  it('aborts when a client of TLS goes away', async () => {
    const made = makeCertificates();
    onTestFinished(() => made.remove());
    const desk = new Desk();
    const server = await startWith(desk.hook, { serverCert: made.server });
    const tls = { rejectUnauthorized: false };
    const peer = await RawPeer.connect({ port: server.port, tls });
    peer.write(upgradeRequest());
    const { request } = await desk.next();
    peer.socket.end();
    await aborted(request);
  });

  it('is aborted for a client that was gone before anybody looked', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook);
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    peer.socket.end();
    await aborted((await desk.next()).request);
  });

  it('does not abort because frames come early', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook);
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    const { request, decide } = await desk.next();
    peer.sendText('early');
    await peer.flushed();
    await turns(await TestServer.start(), 2);
    expect(request.signal.aborted).toBe(false);
    decide(true);
    expect((await server.nextMessage()).data).toBe('early');
    peer.socket.end();
    await server.nextClose();
    expect(request.signal.aborted).toBe(false);
  });

  it.each<[string, Partial<ServerConfig>, (server: TestServer) => unknown]>([
    ['the time is up', { limits: { handshakeTimeoutMs: 200 } }, () => undefined],
    ['the server stops', {}, (server) => server.stop()],
    ['the server drains', {}, (server) => server.server.stop({ drain: 60 })],
  ])('aborts when %s; the client is told 503 at once', async (_why, config, act) => {
    const desk = new Desk();
    const server = await startWith(desk.hook, config);
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    const { request } = await desk.next();
    const acted = act(server);
    expect((await peer.readHead()).status).toBe(503);
    await aborted(request);
    await acted;
  });
});

describe('requests that are asked about', () => {
  /** A connection, and a client about whom the hook is asked. */
  async function oneInOneAsking() {
    const desk = new Desk();
    const server = await startWith(desk.hook);
    const opening = RawPeer.open({ port: server.port });
    (await desk.next()).decide(true);
    const open = await opening;
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    const { decide } = await desk.next(1);
    return { server, open, peer, decide };
  }

  it('count for the limits, until they are refused', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook, { maxConnectionsForOneClient: 1 });
    const first = await RawPeer.connect({ port: server.port });
    first.write(upgradeRequest());
    const { decide } = await desk.next();
    expect((await ask(server)).head.status).toBe(503);
    decide(false);
    expect((await first.readHead()).status).toBe(403);
    const second = await RawPeer.connect({ port: server.port });
    second.write(upgradeRequest());
    (await desk.next(1)).decide(true);
    expect((await second.readHead()).status).toBe(101);
    expect((await ask(server)).head.status).toBe(503);
    expect(desk.asked.length).toBe(2);
    second.sendClose(1000);
    await server.nextClose();
    const third = await RawPeer.connect({ port: server.port });
    third.write(upgradeRequest());
    (await desk.next(2)).decide(true);
    expect((await third.readHead()).status).toBe(101);
  });

  it('are refused by stop, whatever is decided later', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook);
    const peer = await RawPeer.connect({ port: server.port });
    peer.write(upgradeRequest());
    const { decide } = await desk.next();
    const stopped = server.stop();
    expect((await peer.readHead()).status).toBe(503);
    decide(true);
    expect(await stopped).toBe(true);
    await server.start({ onUpgrade: () => true });
    await RawPeer.open({ port: server.port });
    await server.nextConnect();
    expect(server.log.names).toEqual(['connect']);
  });

  it.each([undefined, { drain: 60 }])(
    'are refused by a stop right behind the decision: %j',
    async (options) => {
      const { server, open, peer, decide } = await oneInOneAsking();
      decide(true);
      // Behind the decision, and in the same batch for the engine.
      await Promise.resolve();
      await Promise.resolve();
      const stopped: Promise<unknown> =
        options === undefined ? server.stop() : server.server.stop(options);
      // In at the last moment, or not in: nobody stays in whom the server does not know of.
      const { status } = await peer.readHead();
      expect([101, 503]).toContain(status);
      if (status === 101) {
        expect((await peer.expectClose()).code).toBe(1001);
        peer.sendClose(1001);
        peer.halfClose();
      }
      await open.expectClose();
      open.sendClose(1001);
      open.halfClose();
      await within(stopped, 'the server to stop');
      expect(server.log.all('connect')).toHaveLength(status === 101 ? 2 : 1);
    },
  );

  it('are refused while the server drains', async () => {
    const { server, open, peer, decide } = await oneInOneAsking();
    const stopped = server.server.stop({ drain: 60 });
    await open.expectClose();
    decide(true);
    const head = await peer.readHead();
    expect([head.status, head.header('retry-after')]).toEqual([503, expect.any(String)]);
    open.sendClose(1001);
    open.halfClose();
    await within(stopped, 'the server to stop');
  });

  it('keep their answers apart on several threads', async () => {
    const desk = new Desk();
    const server = await startWith(desk.hook, { threads: 2 });
    const peers = await Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        const peer = await RawPeer.connect({ port: server.port });
        peer.write(upgradeRequest({ startLine: `GET /${n} HTTP/1.1` }));
        return peer;
      }),
    );
    await desk.next(15);
    for (const { request, decide } of desk.asked) decide({ accept: true, data: request.path });
    for (const peer of peers) expect((await peer.readHead()).status).toBe(101);
    await server.log.count('connect', 16);
    const connections = server.log.values('connect') as webSocket.WebSocketConnection[];
    expect(connections.map(({ data }) => data)).toEqual(connections.map(({ path }) => path));
    expect(new Set(connections.map(({ path }) => path)).size).toBe(16);
  });

  it('are counted by reason', async () => {
    const server = await startWith(() => false);
    await ask(server);
    await ask(server);
    expect((await server.server.stats()).refusals.hook).toBe(2);
  });
});

describe('options', () => {
  it('keepHeaders gives every connection those of its request', async () => {
    for (const onUpgrade of [undefined, () => true]) {
      const server = await TestServer.start({ keepHeaders: true, ...(onUpgrade && { onUpgrade }) });
      const { head } = await ask(server, { extra: ['X-One: 1', 'x-one: 2', 'Cookie: a'] });
      expect(head.status).toBe(101);
      const { headers } = await server.nextConnect();
      expect(headers).toMatchObject({ 'x-one': '1, 2', cookie: 'a' });
      await server.stop();
    }
  });

  it('without a hook a connection knows its path and subprotocol', async () => {
    const server = await TestServer.start({ protocol: 'two' });
    await ask(server);
    expect(await server.nextConnect()).toMatchObject({ path: '/', protocol: '' });
    await ask(server, { startLine: 'GET /a%20b?c HTTP/1.1', extra: [offering('one,two')] });
    const connection = await server.nextConnect();
    const { path, protocol, headers, remoteAddress, data } = connection;
    expect([path, protocol, headers, remoteAddress, data]).toEqual([
      ...['/a%20b?c', 'two', undefined],
      ...['127.0.0.1', undefined],
    ]);
    expect(Object.keys(connection)).toEqual(['clientIP', 'clientPort']);
  });

  it.each([
    ['onUpgrade', 5],
    ['onUpgrade', {}],
    ['onUpgrade', null],
    ['keepHeaders', 'yes'],
    ['keepHeaders', null],
  ])('%s: %j gives 401', async (name, value) => {
    const started = new TestServer().start({ [name]: value });
    expect(await rejection(started)).toMatchObject({ code: 401 });
  });

  it.each(['onUpgrade', 'keepHeaders'])('%s is refused in the netstack profile', async (name) => {
    const server = parity.createWebSocketServer();
    const value = name === 'keepHeaders' ? true : () => false;
    const started = server.start({ serverIP: '127.0.0.1', serverPort: 0, [name]: value });
    expect(await rejection(started)).toMatchObject({
      code: 401,
      cause: { detail: expect.stringContaining(name) },
    });
  });
});
