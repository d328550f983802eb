/**
 * Requests that a hook decides on: how they may come, that the hook is told when their client has gone, and that meanwhile
 * nobody waits for ever, gets past the limits or is let in by mistake.
 */

import { once } from 'node:events';
import type { webSocket } from 'ohos-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../helpers/certificates.js';
import { within } from '../helpers/deadline.js';
import { type ServerConfig, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer, upgradeRequest } from '../helpers/peers.js';
import { turns } from '../helpers/turns.js';
import { ask, Desk, startWith } from './upgrade-hook.js';

type Request = webSocket.UpgradeRequest;

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
