/**
 * Proves what a client's `send` puts on the wire: one masked frame a message with exactly the given
 * bytes, in order, up to the limit of 5,242,864 bytes and not a byte more; and when it refuses.
 */

import { createHash } from 'node:crypto';
import { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import {
  arrayBuffer,
  bytesOf,
  callback,
  rejection,
  TestClient,
  TestServer,
} from '../helpers/endpoints.js';
import { openClientPair } from '../helpers/pairs.js';
import { Opcode, RawListener } from '../helpers/peers.js';

const LIMIT_BYTES = 5_242_864;

describe('send: frames', PATIENT, () => {
  it('sends a string as one masked text frame', async () => {
    const { client, peer } = await openClientPair();

    expect(await client.send('hello')).toBe(true);

    expect(await peer.readFrame()).toEqual({
      opcode: Opcode.text,
      fin: true,
      rsv: 0,
      masked: true,
      payload: Buffer.from('hello'),
    });
  });

  it('sends an ArrayBuffer as one masked binary frame', async () => {
    const { client, peer } = await openClientPair();

    await client.send(arrayBuffer(Buffer.from('00ff10', 'hex')));

    expect(await peer.readFrame()).toEqual({
      opcode: Opcode.binary,
      fin: true,
      rsv: 0,
      masked: true,
      payload: Buffer.from('00ff10', 'hex'),
    });
  });

  it('sends empty messages of both kinds', async () => {
    const { client, peer } = await openClientPair();

    await client.send('');
    await client.send(new ArrayBuffer(0));

    expect(await peer.readFrame()).toMatchObject({ opcode: Opcode.text, payload: Buffer.of() });
    expect(await peer.readFrame()).toMatchObject({ opcode: Opcode.binary, payload: Buffer.of() });
  });

  it('sends NUL characters and what follows them', async () => {
    const { client, peer } = await openClientPair();

    await client.send('a\u0000b');

    expect(await peer.expectText()).toBe('a\u0000b');
  });

  it.each([
    ['alone', '\ud800', 'efbfbd'],
    ['a low one', 'a\udc00b', '61efbfbd62'],
    ['in the wrong order', '\udc00\ud800', 'efbfbdefbfbd'],
    ['before a pair', '\ud83d\ud83d\ude00', 'efbfbdf09f9880'],
  ])('sends a lone surrogate (%s) as U+FFFD', async (_what, text, hex) => {
    const { client, peer } = await openClientPair();

    await client.send(text);

    const frame = await peer.expectFrame(Opcode.text);
    expect(frame.payload.toString('hex')).toBe(hex);
  });

  it('masks every frame with another key', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());
    const peer = await listener.acceptOpen();
    await client.log.next('open');

    // Payloads of zeros show the key itself on the wire.
    const keys = new Set<string>();
    peer.socket.prependListener('data', (chunk: Buffer) => {
      for (let at = 0; at + 10 <= chunk.length; at += 10)
        keys.add(chunk.toString('hex', at + 6, at + 10));
    });
    for (let i = 0; i < 20; i++) {
      await client.send(new ArrayBuffer(4));
      await peer.expectFrame(Opcode.binary);
    }

    expect(keys.size).toBeGreaterThan(15);
  });
});

describe('send: views', PATIENT, () => {
  const backing = arrayBuffer(Buffer.from('00112233445566778899', 'hex'));

  it.each([
    ['a Uint8Array', new Uint8Array(backing, 2, 3), '223344'],
    [
      'a Uint8Array with a length of its own',
      Object.defineProperty(new Uint8Array(backing, 2, 3), 'length', { value: 1000 }),
      '223344',
    ],
    ['a Uint16Array', new Uint16Array(backing, 4, 2), '44556677'],
    ['a DataView', new DataView(backing, 1, 2), '1122'],
    ['a Buffer', Buffer.from(backing, 9, 1), '99'],
    ['an empty view', new Uint8Array(backing, 5, 0), ''],
  ])('sends exactly the bytes of %s', async (_what, view, hex) => {
    const { client, peer } = await openClientPair();

    await client.send(view);

    const frame = await peer.expectFrame(Opcode.binary);
    expect(frame.payload.toString('hex')).toBe(hex);
  });

  it.each([16, 1000, 100_000, 1_000_000])(
    'sends the %i bytes that were there at the call, whatever happens to them afterwards',
    async (size) => {
      const { client, peer } = await openClientPair();
      const bytes = new Uint8Array(size).fill(1);

      const sent = client.send(bytes);
      bytes.fill(2);
      await sent;

      const frame = await peer.expectFrame(Opcode.binary);
      expect(frame.payload.equals(Buffer.alloc(size, 1))).toBe(true);
    },
  );
});

describe('send: sizes', PATIENT, () => {
  const sizes = [1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000, LIMIT_BYTES];

  it.each(sizes)('brings %i bytes of text and of binary there and back', async (size) => {
    const server = await TestServer.startEcho();
    const client = await TestClient.open(server.url());
    const text = 'abcdefghijklmnopq'.repeat(Math.ceil(size / 17)).slice(0, size);
    const bytes = Buffer.alloc(size, createHash('sha256').update(text).digest());

    await client.send(text);
    await client.send(arrayBuffer(bytes));

    expect((await client.nextMessage()) === text).toBe(true);
    expect(bytesOf(await client.nextMessage()).equals(bytes)).toBe(true);
  });

  it('sends the limit as one frame', async () => {
    const { client, peer } = await openClientPair();

    await client.send(new ArrayBuffer(LIMIT_BYTES));

    const frame = await peer.expectFrame(Opcode.binary);
    expect(frame.fin).toBe(true);
    expect(frame.payload).toHaveLength(LIMIT_BYTES);
  });

  it('refuses one byte more with 401 and sends nothing of it', async () => {
    const { client, peer } = await openClientPair();

    for (const data of [
      'w'.repeat(LIMIT_BYTES + 1),
      new ArrayBuffer(LIMIT_BYTES + 1),
      new Uint8Array(LIMIT_BYTES + 1),
    ]) {
      expect(await rejection(client.ws.send(data as ArrayBuffer))).toMatchObject({
        code: 401,
        message: 'Parameter error',
      });
    }

    await client.send('next');
    expect(await peer.expectText()).toBe('next');
  });

  it('counts UTF-8 bytes, not characters', async () => {
    const { client, peer } = await openClientPair();
    const fits = 'é'.repeat(LIMIT_BYTES / 2);

    expect((await rejection(client.ws.send(`${fits}a`))).code).toBe(401);
    await client.send(fits);

    expect((await peer.expectFrame(Opcode.text)).payload).toHaveLength(LIMIT_BYTES);
  });
});

describe('send: order and state', PATIENT, () => {
  it('keeps the order of sends that are not awaited', async () => {
    const { client, peer } = await openClientPair();
    const count = 2000;

    const sends = Array.from({ length: count }, (_, i) =>
      client.ws.send(i % 3 === 0 ? arrayBuffer(Buffer.from(`${i}`)) : `${i}`),
    );

    for (let i = 0; i < count; i++) {
      const frame = await peer.readFrame();
      expect(frame.payload.toString()).toBe(`${i}`);
    }
    expect(await Promise.all(sends)).toEqual(Array(count).fill(true));
  });

  it('keeps the order of small and large messages', async () => {
    const { client, peer } = await openClientPair();
    const sizes = [10, 200_000, 0, 70_000, 1, 1_000_000, 5, 65_536, 65_535, 3];

    for (const [i, size] of sizes.entries()) void client.ws.send(new Uint8Array(size).fill(i));

    for (const [i, size] of sizes.entries()) {
      const { payload } = await peer.expectFrame(Opcode.binary);
      expect(payload.equals(Buffer.alloc(size, i))).toBe(true);
    }
  });

  it('sends at open, in order, what was sent before', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());
    const peer = await listener.accept();

    expect(await client.send('e1')).toBe(true);
    expect(await client.send(arrayBuffer(Buffer.from('e2')))).toBe(true);
    await peer.acceptUpgrade();
    await client.log.next('open');
    await client.send('e3');

    expect(await peer.expectText()).toBe('e1');
    expect((await peer.expectFrame(Opcode.binary)).payload.toString()).toBe('e2');
    expect(await peer.expectText()).toBe('e3');
  });

  it('calls back with (undefined, true)', async () => {
    const { client, peer } = await openClientPair();
    const sent = callback();

    expect(client.ws.send('hi', sent.fn)).toBeUndefined();

    expect(await sent.called).toEqual([undefined, true]);
    expect(await peer.expectText()).toBe('hi');
  });

  it('rejects with -1 without a session', async () => {
    const ws = webSocket.createWebSocket();
    const failed = callback();

    expect(await rejection(ws.send('x'))).toMatchObject({
      code: -1,
      message: 'Websocket Unknown Other Error',
    });
    expect(ws.send('x', failed.fn)).toBeUndefined();
    const [error, value] = await failed.called;
    expect(error).toMatchObject({ code: -1, message: 'Websocket Unknown Other Error' });
    expect(value).toBeUndefined();
  });

  it('rejects with -1 after the connection has ended, and after a failed attempt', async () => {
    const { client, peer } = await openClientPair();
    peer.sendClose(1000, 'bye');
    await client.nextClose();

    expect((await rejection(client.ws.send('x'))).code).toBe(-1);

    const failed = new TestClient();
    await failed.connect('ws://127.0.0.1:1/');
    await failed.nextError();
    expect((await rejection(failed.ws.send('x'))).code).toBe(-1);
  });
});
