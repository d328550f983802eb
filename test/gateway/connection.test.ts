/**
 * What a server's connections can do beyond OpenHarmony: their own fields, pause and resume, ping, terminate, what
 * waits to be sent, and the events of these.
 */

import { deepStrictEqual } from 'node:assert';
import { once } from 'node:events';
import { webSocket } from 'ohos-websocket';
import * as parity from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Certificates, makeCertificates } from '../helpers/certificates.js';
import { VERY_PATIENT } from '../helpers/deadline.js';
import {
  bytesOf,
  type ClientAddress,
  callWith,
  EventLog,
  rejection,
  type ServerConfig,
  TestServer,
} from '../helpers/endpoints.js';
import { encodeFrame, Opcode, RawPeer } from '../helpers/peers.js';
import { turns } from '../helpers/turns.js';

interface Pair {
  readonly server: TestServer;
  readonly peer: RawPeer;
  readonly connection: ClientAddress;
}

async function pair(config: Partial<ServerConfig> = {}, tls = false): Promise<Pair> {
  const server = await TestServer.start(config);
  const options = tls ? { tls: { rejectUnauthorized: false } } : {};
  const peer = await RawPeer.open({ port: server.port, ...options });
  return { server, peer, connection: await server.nextConnect() };
}

/** Pauses, and waits until the engine has heard of it. */
async function pause({ server, peer, connection }: Pair): Promise<void> {
  expect(await server.server.pause(connection)).toBe(true);
  await server.server.ping(connection);
  await peer.expectFrame(Opcode.ping);
}

/** The values of `drain`, `ping` and `pong`. */
function logOf({ server }: TestServer, ...events: ('drain' | 'ping' | 'pong')[]): EventLog {
  const log = new EventLog('server');
  for (const event of events) {
    callWith(server, 'on', [event, (...args: unknown[]) => log.add(event, args)]);
  }
  return log;
}

function certificate(): { made: Certificates; serverCert: webSocket.ServerCert } {
  const made = makeCertificates();
  onTestFinished(() => made.remove());
  const { certPath, keyPath } = made.server;
  return { made, serverCert: { certPath, keyPath } };
}

describe('the object of a connection', () => {
  it('has a number and data of its own, and they stay', async () => {
    const { server, peer, connection } = await pair();
    const other = await RawPeer.open({ port: server.port });
    const second = await server.nextConnect();

    expect(connection.id).toBeGreaterThan(0);
    expect(second.id).toBe((connection.id ?? 0) + 1);
    expect(connection.data).toBeUndefined();
    connection.data = { user: 'one' };
    peer.sendText('hello');
    expect((await server.nextMessage()).clientConnection.data).toEqual({ user: 'one' });
    expect(second.data).toBeUndefined();
    other.sendClose(1000);
    peer.sendClose(1000);
    await server.log.count('close', 2);
    expect(connection.data).toEqual({ user: 'one' });
    expect(connection.id).toBe((second.id ?? 0) - 1);
  });

  it.each([
    ['documented', webSocket],
    ['netstack', parity.webSocket],
  ] as const)('is equal to one with two fields (%s)', async (_, { createWebSocketServer }) => {
    const server = createWebSocketServer();
    onTestFinished(() => void server.stop());
    const connected = new Promise<ClientAddress>((resolve) => server.on('connect', resolve));
    await server.start({
      ...{ serverIP: '127.0.0.1', serverPort: 0 },
      ...{ maxConcurrentClientsNumber: 1, maxConnectionsForOneClient: 1 },
    });
    const peer = await RawPeer.open({ port: server.port ?? 0 });
    const connection = await connected;
    connection.data = 'unseen';

    deepStrictEqual(connection, peer.address);
    deepStrictEqual({ ...connection }, peer.address);
    expect(Object.keys(connection)).toEqual(['clientIP', 'clientPort']);
    expect(JSON.stringify(connection)).toBe(JSON.stringify(peer.address));
    const names = [];
    for (const name in connection) names.push(name);
    expect(names).toEqual(['clientIP', 'clientPort']);
  });
});

/** More than the kernel's buffers of a connection hold, in messages that tell their number. */
const FLOOD = 10_000;
const flood = (masked = true) =>
  Buffer.concat(
    Array.from({ length: FLOOD }, (_, n) =>
      encodeFrame({ opcode: Opcode.text, payload: `${n}${'-'.repeat(4000)}` }, masked),
    ),
  );
const numberOf = (data: unknown) => Number.parseInt(String(data), 10);

describe('pause', VERY_PATIENT, () => {
  it.each(['ws', 'wss'])('lets the peer wait, and nothing is lost (%s)', async (scheme) => {
    const { server, peer, connection } =
      scheme === 'wss'
        ? await pair({ serverCert: certificate().serverCert }, true)
        : await pair({});
    const plain = scheme === 'wss' ? await TestServer.start() : server;
    await pause({ server, peer, connection });
    peer.write(flood());
    await turns(plain);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    expect(server.log.all('messageReceive')).toEqual([]);

    expect(await server.server.resume(connection)).toBe(true);
    await peer.flushed();
    await server.log.count('messageReceive', FLOOD);
    const values = server.log.values('messageReceive') as { data: unknown }[];
    expect(values.findIndex(({ data }, n) => numberOf(data) !== n)).toBe(-1);
  });

  it('can be repeated, in the middle of a message too', async () => {
    const { server, peer, connection } = await pair();
    const frame = peer.encode([{ opcode: Opcode.text, payload: 'in two parts' }]);
    peer.write(frame.subarray(0, 9));
    for (let n = 0; n < 3; n++) {
      await pause({ server, peer, connection });
      await pause({ server, peer, connection });
      await turns(server, 2);
      await server.server.resume(connection);
      await server.server.resume(connection);
      await turns(server, 2);
    }
    peer.write(frame.subarray(9));
    expect((await server.nextMessage()).data).toBe('in two parts');
  });

  it('does not keep messages from leaving, nor their drain', async () => {
    const { server, peer, connection } = await pair({ limits: { queuedBytes: 1000 } });
    const log = logOf(server, 'drain');
    await pause({ server, peer, connection });
    peer.stopReading();
    peer.sendText('unread');
    const sent = Array.from({ length: 40 }, () =>
      server.server.send('-'.repeat(1_000_000), connection),
    );
    await turns(server, 3);
    expect(server.server.bufferedAmount(connection)).toBeGreaterThan(1000);
    peer.readOn();
    await Promise.all(sent);
    await log.next('drain');
    for (let n = 0; n < 40; n++) expect((await peer.expectText()).length).toBe(1_000_000);
    await server.server.resume(connection);
    expect((await server.nextMessage()).data).toBe('unread');
  });

  it('ends with close, which the peer answers', async () => {
    const { server, peer, connection } = await pair();
    await pause({ server, peer, connection });
    peer.sendText('dropped');
    await peer.flushed();
    await server.close(connection, { code: 1011, reason: 'enough' });
    expect(await peer.expectClose()).toEqual({ code: 1011, reason: 'enough' });
    peer.sendClose(1011);
    expect(await server.nextClose()).toMatchObject({ code: 1011 });
    expect((await peer.readToEnd()).end).toBe('end');
    expect(server.log.names).toEqual(['connect', 'close']);
  });

  it('ends with stop', async () => {
    const { server, peer, connection } = await pair();
    await pause({ server, peer, connection });
    const stopped = server.stop();
    expect(await peer.expectClose()).toMatchObject({ code: 1001 });
    peer.sendClose(1001);
    expect(await stopped).toBe(true);
  });

  it('does not see the end of the peer, until resume', async () => {
    const { server, peer, connection } = await pair();
    await pause({ server, peer, connection });
    peer.sendText('last words');
    const ended = once(peer.socket, 'finish');
    peer.halfClose();
    await ended;
    await turns(await TestServer.start(), 10);
    expect(server.log.names).toEqual(['connect']);
    await server.server.resume(connection);
    expect((await server.nextMessage()).data).toBe('last words');
    expect(await server.nextClose()).toMatchObject({ connection, code: 0 });
  });

  it('sees that the peer is gone when something is to be written', async () => {
    const { server, peer, connection } = await pair();
    await pause({ server, peer, connection });
    const closed = once(peer.socket, 'close');
    peer.reset();
    await closed;
    await server.server.ping(connection);
    expect(await server.nextClose()).toMatchObject({ connection, code: 0 });
    expect((await rejection(server.server.resume(connection))).code).toBe(2302006);
  });
});

describe('ping', () => {
  it.each([
    ['nothing', [], ''],
    ['text', ['grüße'], 'grüße'],
    ['125 bytes', [Buffer.alloc(125, 'x')], 'x'.repeat(125)],
    ['an ArrayBuffer', [new Uint8Array([65, 66]).buffer], 'AB'],
    ['a part of a buffer', [Buffer.from('abcdef').subarray(2, 4)], 'cd'],
  ])('carries %s, and the pong is heard', async (_, data, text) => {
    const { server, peer, connection } = await pair();
    const log = logOf(server, 'pong');
    expect(await callWith(server.server, 'ping', [connection, ...data])).toBe(true);
    const ping = await peer.expectFrame(Opcode.ping);
    expect(ping.payload.toString()).toBe(text);
    peer.send({ opcode: Opcode.pong, payload: ping.payload });
    const [who, pong] = await log.next('pong');
    expect(who).toBe(connection);
    expect(bytesOf(pong).toString()).toBe(text);
  });

  it('is what it was at the call', async () => {
    const { server, peer, connection } = await pair();
    const bytes = Buffer.from('before');
    const pinged = server.server.ping(connection, bytes);
    bytes.fill('!');
    await pinged;
    expect((await peer.expectFrame(Opcode.ping)).payload.toString()).toBe('before');
  });

  it('of the peer is heard as long as somebody listens, and answered always', async () => {
    const { server, peer, connection } = await pair();
    const ask = async (payload: string) => {
      peer.send({ opcode: Opcode.ping, payload });
      expect((await peer.expectFrame(Opcode.pong)).payload.toString()).toBe(payload);
    };
    await ask('unheard');
    const log = logOf(server, 'ping');
    // So that the engine has heard of it.
    await server.send('now', connection);
    await peer.expectText();
    await ask('heard');
    const [who, data] = await log.next('ping');
    expect([who, bytesOf(data).toString()]).toEqual([connection, 'heard']);
    server.server.off('ping');
    await server.send('no more', connection);
    await peer.expectText();
    await ask('unheard again');
    peer.sendText('end');
    await server.nextMessage();
    expect(log.all('ping').length).toBe(1);
  });

  it('of 126 bytes is refused, and so is what is no data', async () => {
    const { server, connection } = await pair();
    for (const data of ['x'.repeat(126), 'ü'.repeat(63), Buffer.alloc(126), 5, {}, null]) {
      const error = await rejection(callWith(server.server, 'ping', [connection, data]));
      expect(error.code).toBe(401);
    }
  });
});

describe('terminate', () => {
  it('cuts TCP, and says so', async () => {
    const { server, peer, connection } = await pair();
    peer.stopReading();
    void server.server.send('-'.repeat(5_000_000), connection);
    expect(await server.server.terminate(connection)).toBe(true);
    expect(await server.nextClose()).toEqual({ connection, code: 1006, reason: 'terminated' });
    peer.readOn();
    const { frames } = await peer.readToEnd();
    expect(frames.map(({ opcode }) => opcode)).not.toContain(Opcode.close);
    expect(server.log.names).toEqual(['connect', 'close']);
    expect(await server.list()).toEqual([]);
  });

  it('of a paused connection', async () => {
    const { server, peer, connection } = await pair();
    await pause({ server, peer, connection });
    peer.sendText('unread');
    await peer.flushed();
    await server.server.terminate(connection);
    expect(await server.nextClose()).toMatchObject({ code: 1006 });
    await peer.readToEnd();
  });

  it('behind close, whose frame cannot leave', async () => {
    const { server, peer, connection } = await pair({ limits: { closeTimeoutMs: 600_000 } });
    peer.stopReading();
    for (let n = 0; n < 8; n++) void server.server.send('-'.repeat(5_000_000), connection);
    await server.close(connection);
    await server.server.terminate(connection);
    expect(await server.nextClose()).toMatchObject({ code: 1006, reason: 'terminated' });
    peer.readOn();
    await peer.readToEnd();
  });
});

describe('bufferedAmount and drain', VERY_PATIENT, () => {
  it.each(['wait', 'fail'] as const)(
    'tell what waits, and when less does (%s)',
    async (backPressure) => {
      const limits = { queuedBytes: 100_000 };
      const { server, peer, connection } = await pair({ backPressure, limits });
      const log = logOf(server, 'drain');
      expect(server.server.bufferedAmount(connection)).toBe(0);
      peer.stopReading();
      const outcomes: Promise<unknown>[] = [];
      let refused = false;
      for (let n = 0; n < 10_000 && !refused; n++) {
        const sent = server.server.send('-'.repeat(50_000), connection).catch(() => {
          refused = true;
        });
        outcomes.push(sent);
        if (backPressure === 'fail') await turns(server, 1);
        else refused = server.server.bufferedAmount(connection) > 20_000_000;
        await Promise.resolve();
      }
      expect(refused).toBe(true);
      const waiting = server.server.bufferedAmount(connection);
      expect(waiting).toBeGreaterThan(50_000);
      if (backPressure === 'fail') expect(waiting).toBeLessThanOrEqual(100_000);

      peer.readOn();
      expect(await log.next('drain')).toEqual([connection]);
      await Promise.all(outcomes);
      for (;;) {
        if (server.server.bufferedAmount(connection) === 0) break;
        await turns(server, 1);
      }
    },
  );

  it('say nothing of one that has ended', async () => {
    const { server, peer, connection } = await pair({ limits: { queuedBytes: 1000 } });
    const log = logOf(server, 'drain');
    peer.stopReading();
    for (let n = 0; n < 10; n++) void server.server.send('-'.repeat(5_000_000), connection);
    await server.server.terminate(connection);
    await server.nextClose();
    expect(server.server.bufferedAmount(connection)).toBe(0);
    expect(log.entries).toEqual([]);
  });
});

describe('wrong calls', () => {
  const methods = ['pause', 'resume', 'ping', 'terminate'] as const;
  const nobody = { clientIP: '127.0.0.1', clientPort: 1 };

  it.each(methods)('of %s are told, and change nothing', async (method) => {
    const { server, peer, connection } = await pair();
    for (const args of [[], [null], ['x'], [{ clientIP: 1, clientPort: 1 }], [connection, 1, 2]]) {
      expect((await rejection(callWith(server.server, method, args))).code).toBe(401);
    }
    expect((await rejection(server.server[method](nobody))).code).toBe(2302006);
    peer.sendText('as before');
    expect((await server.nextMessage()).data).toBe('as before');
  });

  it('of bufferedAmount throw', async () => {
    const { server, connection } = await pair();
    for (const args of [[], [null], [5], [connection, 1]]) {
      expect(() => callWith(server.server, 'bufferedAmount', args)).toThrow(
        expect.objectContaining({ code: 401 }),
      );
    }
    expect(server.server.bufferedAmount(nobody)).toBe(0);
  });

  it('of a closing connection are told, but for terminate', async () => {
    const { server, connection } = await pair();
    void server.server.close(connection);
    const codes = methods.map(async (method) =>
      server.server[method](connection).then(
        () => 0,
        ({ code }) => code,
      ),
    );
    expect(await Promise.all(codes)).toEqual([2302999, 2302999, -1, 0]);
  });
});
