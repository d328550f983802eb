/**
 * Proves `pendingControlFrames` in both roles: a peer that pings without reading gets every pong when it reads
 * again, up to the limit; one ping beyond, the connection is closed with 1008. Pongs and the close frame
 * overtake what waits; in the netstack profile the ping is left unanswered.
 */

import { webSocket as netstack } from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Changes, PATIENT } from '../helpers/deadline.js';
import { type Frame, type FrameSpec, Opcode, RawPeer } from '../helpers/peers.js';
import { FLOOD, openPair, type Pair, ROLES, settle } from './pair.js';

const REASON = 'too many pings that nobody reads the answers to';

describe.each(ROLES)('pendingControlFrames of our %s', PATIENT, (role) => {
  it.each([1, 50, 4096])('answers %i pings of a peer that does not read', async (limit) => {
    const pair = await blockedPair(role, limit);

    pair.peer.send(...pings(limit));
    await settle(pair);
    pair.peer.readOn();

    const frames = await readFlood(pair.peer);
    const pongs = frames.filter(({ opcode }) => opcode === Opcode.pong);
    expect(pongs.map(({ payload }) => payload.readUInt32BE())).toEqual(range(limit));
    // They have overtaken messages.
    expect(frames.at(-1)?.opcode).toBe(Opcode.binary);
    expect(pair.names).not.toContain('error');
    // And there is room again.
    pair.peer.send(...pings(limit));
    for (const n of range(limit)) {
      expect((await pair.peer.expectFrame(Opcode.pong)).payload.readUInt32BE()).toBe(n);
    }
  });

  it.each([1, 50, 4096])('closes at one more than %i', async (limit) => {
    const pair = await blockedPair(role, limit);

    pair.peer.send(...pings(limit + 1));

    expect(await pair.nextErrorDetail()).toBe(REASON);
    expect(await pair.nextClose()).toMatchObject({ code: 0, reason: 'The link is down' });
    pair.peer.readOn();
    const { frames } = await pair.peer.readToEnd();
    expect(frames.filter(({ opcode }) => opcode === Opcode.pong)).toHaveLength(limit);
    const last = frames.at(-1);
    expect(last?.opcode).toBe(Opcode.close);
    expect(last?.payload.readUInt16BE()).toBe(1008);
    expect(last?.payload.subarray(2).toString()).toBe(REASON);
  });

  it('does not count what a peer reads', async () => {
    const pair = await openPair(role, { limits: { pendingControlFrames: 1 } });

    for (const n of range(50)) {
      pair.peer.send({ opcode: Opcode.ping, payload: `${n}` });
      expect((await pair.peer.expectFrame(Opcode.pong)).payload.toString()).toBe(`${n}`);
    }
  });
});

describe('pendingControlFrames in the netstack profile', PATIENT, () => {
  it('leaves the pings beyond unanswered', async () => {
    const server = netstack.createWebSocketServer();
    const changes = new Changes();
    const connections: netstack.WebSocketConnection[] = [];
    const events: string[] = [];
    server.on('connect', (connection) => {
      connections.push(connection);
      changes.notify();
    });
    server.on('messageReceive', ({ data }) => {
      events.push(String(data));
      changes.notify();
    });
    server.on('error', () => events.push('error'));
    await server.start({
      serverIP: '127.0.0.1',
      serverPort: 0,
      maxConcurrentClientsNumber: 1,
      maxConnectionsForOneClient: 1,
      limits: { pendingControlFrames: 3 },
    });
    onTestFinished(() => server.stop().then(() => undefined));
    const peer = await RawPeer.open({ port: server.port ?? 0, request: { extra: NETSTACK } });
    const connection = await changes.until(() => connections[0], 'the connection');
    peer.stopReading();
    for (const bytes of FLOOD) void server.send(bytes.buffer as ArrayBuffer, connection);
    for (const text of ['first', 'second']) {
      peer.sendText(text);
      await changes.until(() => (events.at(-1) === text ? true : undefined), text);
    }

    peer.send(...pings(10));
    peer.sendText('third');
    await changes.until(() => (events.at(-1) === 'third' ? true : undefined), 'the third message');
    peer.readOn();

    const frames = await readFlood(peer);
    const pongs = frames.filter(({ opcode }) => opcode === Opcode.pong);
    expect(pongs.map(({ payload }) => payload.readUInt32BE())).toEqual([0, 1, 2]);
    expect(events).toEqual(['first', 'second', 'third']);
  });
});

const NETSTACK = ['Sec-WebSocket-Protocol: lws_server'];

async function blockedPair(role: (typeof ROLES)[number], limit: number): Promise<Pair> {
  const pair = await openPair(role, { limits: { pendingControlFrames: limit } });
  pair.peer.stopReading();
  for (const bytes of FLOOD) void pair.send(bytes);
  await settle(pair);
  return pair;
}

/** All messages of the flood, with what came between. */
async function readFlood(peer: RawPeer): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (let left = FLOOD.length; left > 0; ) {
    const frame = await peer.readFrame();
    frames.push(frame);
    if (frame.opcode === Opcode.binary) left--;
  }
  return frames;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function pings(count: number): FrameSpec[] {
  return range(count).map((n) => {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(n);
    return { opcode: Opcode.ping, payload };
  });
}
