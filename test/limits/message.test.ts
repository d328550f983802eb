/**
 * Proves the limits of a received message in both roles: one of exactly `messageBytes` bytes, or of
 * exactly `messageFragments` frames, arrives; one beyond ends the connection with the code on the wire
 * and an `error` that says why, before the rest of the message has come.
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { PATIENT, within } from '../helpers/deadline.js';
import { bytesOf, TestClient, TestServer } from '../helpers/endpoints.js';
import { type FrameSpec, Opcode } from '../helpers/peers.js';
import { openPair, ROLES } from './pair.js';

const LINK_DOWN = { code: 0, reason: 'The link is down' };

describe.each(ROLES)('messageBytes of our %s', PATIENT, (role) => {
  it.each([1, 125, 1000, 100_000])('takes a message of exactly %i bytes', async (messageBytes) => {
    const { peer, nextMessage, names } = await openPair(role, { limits: { messageBytes } });

    peer.sendBinary(Buffer.alloc(messageBytes, 7));
    expect(bytesOf(await nextMessage())).toEqual(Buffer.alloc(messageBytes, 7));
    peer.sendText('x'.repeat(messageBytes));
    expect(await nextMessage()).toBe('x'.repeat(messageBytes));
    expect(names).not.toContain('error');
  });

  it.each([1, 125, 1000, 100_000])('ends at one byte more than %i', async (messageBytes) => {
    const { peer, nextErrorDetail, nextClose } = await openPair(role, { limits: { messageBytes } });

    peer.sendBinary(Buffer.alloc(messageBytes + 1));

    expect(await peer.expectClose()).toEqual({ code: 1009, reason: 'message too large' });
    expect(await nextErrorDetail()).toBe('message too large');
    expect(await nextClose()).toMatchObject(LINK_DOWN);
  });

  it('counts bytes, not characters, and all fragments together', async () => {
    const limits = { messageBytes: 10 };
    const { peer, nextMessage } = await openPair(role, { limits });

    peer.sendText('äöüäö');
    expect(await nextMessage()).toBe('äöüäö');
    peer.send(
      { opcode: Opcode.text, payload: 'abcde', fin: false },
      { opcode: Opcode.continuation, payload: 'fghij' },
    );
    expect(await nextMessage()).toBe('abcdefghij');
    peer.send(
      { opcode: Opcode.text, payload: 'abcde', fin: false },
      { opcode: Opcode.continuation, payload: 'fghijk' },
    );
    expect((await peer.expectClose()).code).toBe(1009);
  });

  it('judges a length that is only announced', async () => {
    const { peer } = await openPair(role, { limits: { messageBytes: 100_000 } });

    const payload = Buffer.alloc(70_000);
    peer.send({ opcode: Opcode.binary, payload, announcedLength: 100_001 });

    expect((await peer.expectClose()).code).toBe(1009);
  });

  // Large frames are received where their message gathers: never behind the end of that memory.
  it('judges the length of a continuation whose header came alone', async () => {
    const { peer } = await openPair(role, { limits: { messageBytes: 300_000 } });
    const tooMuch = { opcode: Opcode.continuation, payload: Buffer.alloc(250_000, 7) };
    const frame = peer.encode([tooMuch]);
    const headerBytes = frame.length - tooMuch.payload.length;

    peer.send({ opcode: Opcode.binary, payload: Buffer.alloc(250_000), fin: false });
    peer.write(
      Buffer.concat([peer.encode([{ opcode: Opcode.ping }]), frame.subarray(0, headerBytes)]),
    );
    await peer.expectFrame(Opcode.pong);
    peer.write(frame.subarray(headerBytes));

    expect((await peer.expectClose()).code).toBe(1009);
  });
});

describe.each(ROLES)('messageFragments of our %s', PATIENT, (role) => {
  it.each([1, 2, 50])('takes a message of exactly %i frames', async (messageFragments) => {
    const { peer, nextMessage, names } = await openPair(role, { limits: { messageFragments } });

    for (let n = 0; n < 2; n++) {
      peer.send(...fragments(messageFragments, 'ab'));
      expect(await nextMessage()).toBe('ab'.repeat(messageFragments));
    }
    expect(names).not.toContain('error');
  });

  it.each([
    ['with bytes', 'a'],
    ['without', ''],
  ])('ends at one frame more, %s', async (_what, payload) => {
    const { peer, nextErrorDetail, nextClose } = await openPair(role, {
      limits: { messageFragments: 50 },
    });

    peer.send(...fragments(51, payload));

    const reason = 'message of too many fragments';
    expect(await peer.expectClose()).toEqual({ code: 1008, reason });
    expect(await nextErrorDetail()).toBe(reason);
    expect(await nextClose()).toMatchObject(LINK_DOWN);
  });

  it('does not count pings between the frames, nor the pieces that a frame comes in', async () => {
    const { peer, nextMessage } = await openPair(role, { limits: { messageFragments: 3 } });
    const [first, second, third] = fragments(3, 'x'.repeat(100)) as [
      FrameSpec,
      FrameSpec,
      FrameSpec,
    ];
    const ping = { opcode: Opcode.ping, payload: 'p' };

    await peer.writeInPieces(peer.encode([first, ping, second, ping, ping, third]), 7);

    expect(await nextMessage()).toBe('x'.repeat(300));
  });
});

describe('a peer that is the package ws', PATIENT, () => {
  it('is told 1009 by our server', async () => {
    const server = await TestServer.start({ limits: { messageBytes: 2000 } });
    const socket = new WsClient(server.url());
    onTestFinished(() => socket.terminate());
    await within(once(socket, 'open'), 'ws to open');

    socket.send(Buffer.alloc(2000));
    expect(bytesOf((await server.nextMessage()).data)).toHaveLength(2000);
    socket.send(Buffer.alloc(2001));

    const [code] = await within(once(socket, 'close'), 'ws to close');
    expect(code).toBe(1009);
  });

  it('is told 1009 by our client', async () => {
    const server = new WsServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => server.close());
    await within(once(server, 'listening'), 'ws to listen');
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'connection');
    const client = await TestClient.open(`ws://127.0.0.1:${port}/`, {
      limits: { messageBytes: 2000 },
    });
    const [socket] = (await within(connected, 'our client')) as [WsClient];

    socket.send(Buffer.alloc(2000));
    expect(bytesOf(await client.nextMessage())).toHaveLength(2000);
    socket.send(Buffer.alloc(2001));

    const [code] = await within(once(socket, 'close'), 'ws to close');
    expect(code).toBe(1009);
  });
});

/** A text message of so many frames. */
function fragments(count: number, payload: string): FrameSpec[] {
  return Array.from({ length: count }, (_, n) => ({
    opcode: n === 0 ? Opcode.text : Opcode.continuation,
    payload,
    fin: n === count - 1,
  }));
}
