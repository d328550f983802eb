/**
 * `threads`: one server over several engine threads. Its connections, events, limits, topics, counters and
 * ends are those of one server, whichever thread a connection is on.
 */

import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../helpers/certificates.js';
import { PATIENT, poll, within } from '../helpers/deadline.js';
import { rejection, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer, upgradeRequest } from '../helpers/peers.js';
import { Room } from '../helpers/room.js';

const THREADS = 3;
/** So many that no thread is left out by chance: less than once in 10^12. */
const CROWD = 75;

const countThreads = () => readdirSync('/proc/self/task').length;

describe('a server of several threads', PATIENT, () => {
  it.runIf(process.platform === 'linux')('has as many threads as it was told', async () => {
    await TestServer.start();
    const before = countThreads();

    const three = await TestServer.start({ threads: THREADS });

    expect(countThreads() - before).toBe(THREADS);
    await three.stop();
  });

  it('is one server: one port, one list, messages in order, each answered where it came from', async () => {
    const room = await Room.open(CROWD, { threads: THREADS });
    const { server } = room;
    server.on('messageReceive', ({ data, clientConnection }) => {
      void server.send(data, clientConnection);
    });

    for (const [n, { peer }] of room.guests.entries()) {
      for (let m = 0; m < 20; m++) peer.sendText(`${n} ${m}`);
    }

    for (const [n, { peer }] of room.guests.entries()) {
      for (let m = 0; m < 20; m++) expect(await peer.expectText()).toBe(`${n} ${m}`);
    }
    expect(await room.test.list()).toHaveLength(CROWD);
    const stats = await server.stats();
    expect(stats.connections.open).toBe(CROWD);
    expect(stats.received.messages).toBe(20 * CROWD);
    expect(stats.memory.rings).toBe(THREADS * 2 * (2 ** 22 + 256));
  });

  it('publishes to subscribers on every thread, and not to `except`', async () => {
    const room = await Room.open(CROWD, { threads: THREADS });
    for (const { connection } of room.guests) await room.server.subscribe(connection, 'news');

    await room.server.publish('news', 'one');
    await room.server.publish('news', 'two', { except: room.connection(7) });

    const got = await room.received();
    expect(got[7]).toEqual(['one']);
    for (const [n, texts] of got.entries()) if (n !== 7) expect(texts).toEqual(['one', 'two']);
  });

  it('holds its limits over all threads', async () => {
    const server = await TestServer.start({ threads: THREADS, maxConnectionsForOneClient: 5 });
    for (let n = 0; n < 5; n++) {
      await RawPeer.open({ port: server.port });
      await server.nextConnect();
    }

    for (let n = 0; n < 10; n++) {
      await expect(RawPeer.open({ port: server.port })).rejects.toThrow(' 503 ');
    }
    expect(await server.list()).toHaveLength(5);
  });

  it('lets nobody past its limits, however many come at once', async () => {
    const most = 5;
    const server = await TestServer.start({ threads: THREADS, maxConnectionsForOneClient: most });
    const statuses = await Promise.all(
      Array.from({ length: CROWD }, async () => {
        const peer = await RawPeer.connect({ port: server.port });
        peer.write(upgradeRequest());
        return (await peer.readHead()).status;
      }),
    );

    expect(statuses.filter((status) => status === 101)).toHaveLength(most);
    for (let n = 0; n < most; n++) await server.nextConnect();
    expect(await server.list()).toHaveLength(most);
  });

  it('lets so many be in handshake and not one more, whichever threads they are on', async () => {
    const most = 30;
    const server = await TestServer.start({ threads: THREADS, limits: { handshakes: most } });
    const begun: RawPeer[] = [];
    for (let n = 0; n < most; n++) begun.push(await RawPeer.connect({ port: server.port }));
    await poll(
      async () => (await server.server.stats()).handshakes.pending === most,
      () => `${most} connections in handshake`,
    );

    for (let n = 0; n < 10; n++) {
      const extra = await RawPeer.connect({ port: server.port });
      expect((await extra.readHead()).status).toBe(503);
    }

    for (const peer of begun) await peer.upgrade();
    const another = await RawPeer.open({ port: server.port });
    another.sendClose(1000);
    expect((await server.server.stats()).handshakes.pending).toBe(0);
  });

  it('holds the rate of an address over all threads', async () => {
    const room = await Room.open(CROWD, {
      threads: THREADS,
      ratePolicy: 'refuse',
      limits: { messagesPerSecondOfAddress: 1 },
    });

    const begun = performance.now();
    for (const { peer } of room.guests) {
      peer.sendText('one');
      peer.send({ opcode: Opcode.ping });
    }
    for (const { peer } of room.guests) await peer.expectFrame(Opcode.pong);
    const { rates, received } = await room.server.stats();
    const most = 1 + (performance.now() - begun) / 1000;

    expect(received.messages).toBeGreaterThanOrEqual(1);
    expect(received.messages).toBeLessThanOrEqual(most);
    expect(received.messages + rates.refusedMessages).toBe(CROWD);
  });

  it('stops as one: every connection is told, every close event comes, the port is free', async () => {
    const room = await Room.open(CROWD, { threads: THREADS });
    const { port } = room.test;

    const stopped = room.test.stop();
    for (const { peer } of room.guests)
      expect(await peer.expectClose()).toMatchObject({ code: 1001 });

    expect(await stopped).toBe(true);
    expect(room.test.log.all('close')).toHaveLength(CROWD);
    await room.test.start({ serverPort: port, threads: THREADS });
    expect(room.test.port).toBe(port);
  });

  it('drains as one, and sums up', async () => {
    const room = await Room.open(CROWD, { threads: THREADS });

    const drained = within(room.server.stop({ drain: 30 }), 'the drain');
    for (const { peer } of room.guests) {
      await peer.expectClose();
      peer.sendClose(1001);
      peer.halfClose();
    }

    expect(await drained).toMatchObject({ closed: CROWD, cut: 0, refused: 0 });
  });

  it('lets nobody in before it has started, on whichever thread', async () => {
    const server = await TestServer.start();
    const { port } = server;
    await server.stop();
    const seen: unknown[] = [];
    server.log.onEntry(({ event }) => seen.push([event, server.server.port]));
    const peers: Socket[] = [];
    onTestFinished(() => {
      for (const peer of peers) peer.destroy();
    });
    // Somebody comes all the time, so as soon as anybody listens.
    const knock = () => {
      const socket = connect(port, '127.0.0.1', () => socket.write(upgradeRequest()));
      peers.push(socket);
      socket.on('error', () => setImmediate(knock));
    };
    for (let n = 0; n < 8; n++) knock();

    await server.start({ serverPort: port, threads: 16 });
    seen.push('started');

    await server.log.count('connect', 8);
    expect(seen[0]).toBe('started');
    expect(seen.slice(1)).toEqual(Array(8).fill(['connect', port]));
  });

  it('shows renewed certificates on every thread, or on none', async () => {
    const made = makeCertificates();
    onTestFinished(() => made.remove());
    const server = await TestServer.start({ threads: THREADS, serverCert: made.server });
    const seen = async () => {
      const peers = Array.from({ length: CROWD }, () =>
        RawPeer.connect({ port: server.port, tls: { rejectUnauthorized: false } }),
      );
      const shown = await Promise.all(peers).then((all) =>
        all.map(({ socket }) => (socket as TLSSocket).getPeerCertificate().fingerprint256),
      );
      return [...new Set(shown)];
    };
    const before = await seen();
    expect(before).toHaveLength(1);

    const bad = { serverCert: { ...made.secondServer, keyPath: made.garbagePath } };
    expect((await rejection(server.server.reloadCertificates(bad))).code).toBe(2302002);
    expect(await seen()).toEqual(before);

    expect(await server.server.reloadCertificates({ serverCert: made.secondServer })).toBe(true);
    const after = await seen();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });

  it('is refused as a whole where its port is taken, and can be started elsewhere', async () => {
    const other = await TestServer.start();
    const server = new TestServer();

    const refused = rejection(server.start({ serverPort: other.port, threads: THREADS }));

    expect(await refused).toMatchObject({ code: 2302007 });
    await server.start({ threads: THREADS });
    await RawPeer.open({ port: server.port });
    await server.nextConnect();
  });

  it.each([65, 1.5, -1, '2', null, Number.NaN])(
    'is refused with 401 for %j threads',
    async (threads) => {
      const { server } = new TestServer();
      const config = { serverPort: 0, threads } as { serverPort: number; threads: number };

      expect(await rejection(server.start(config))).toMatchObject({
        code: 401,
        cause: { detail: expect.stringContaining('threads') },
      });
    },
  );
});
