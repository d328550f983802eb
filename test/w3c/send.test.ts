/** `send`, `message` and `bufferedAmount` (WebSockets standard §3.1 `send`, §4). */

import { type BinaryType, WebSocket, type WebSocketSendable } from 'ohos-websocket/w3c';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { poll, VERY_PATIENT, within } from '../helpers/deadline.js';
import { RawListener } from '../helpers/peers.js';
import { NOBODY, Socket, thrownName } from './sockets.js';

/** The npm package `ws` as an echo server, so that what comes back is not of our making. */
async function echoUrl(): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  onTestFinished(() => void server.close());
  await within(new Promise((resolve) => server.on('listening', resolve)), 'ws to listen');
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}/`;
}

const bytes = new Uint8Array(64).map((_, index) => index);

describe('what send takes', () => {
  const all = [...bytes];
  const binary: [string, WebSocketSendable, number[]][] = [
    ['an ArrayBuffer', bytes.slice().buffer, all],
    ['an empty ArrayBuffer', new ArrayBuffer(0), []],
    ['an Int8Array', new Int8Array(bytes.buffer), all],
    ['a Uint8Array with offset and length', bytes.subarray(3, 7), [3, 4, 5, 6]],
    ['an Int16Array with offset', new Int16Array(bytes.buffer, 60), [60, 61, 62, 63]],
    ['a Uint32Array', new Uint32Array(bytes.buffer, 0, 1), [0, 1, 2, 3]],
    ['a Float32Array', new Float32Array(bytes.buffer, 0, 1), [0, 1, 2, 3]],
    ['a Float64Array with offset', new Float64Array(bytes.buffer, 56), all.slice(56)],
    ['a DataView', new DataView(bytes.buffer, 1, 2), [1, 2]],
    ['a Buffer', Buffer.from([7, 8]), [7, 8]],
    ['a Blob', new Blob([bytes.subarray(0, 3), 'A']), [0, 1, 2, 65]],
    ['an empty Blob', new Blob([]), []],
  ];
  it.each(binary)('%s travels as binary', async (_what, data, expected) => {
    const socket = await openEcho({ binaryType: 'arraybuffer' });
    const { ws } = socket;
    ws.send(data);
    expect(ws.bufferedAmount).toBe(expected.length);
    const received = await socket.message();
    expect(received).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(received as ArrayBuffer)]).toEqual(expected);
  });

  it.each([
    ['text', 'text', 'text'],
    ['an empty text', '', ''],
    ['text beyond ASCII', 'ünïcödé 🌍', 'ünïcödé 🌍'],
    ['half a surrogate pair', 'a\ud807b', 'a\ufffdb'],
    ['both halves the wrong way round', '\udc07\ud807', '\ufffd\ufffd'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['a number', 3.5, '3.5'],
    ['an object', { toString: () => 'mine' }, 'mine'],
    ['65,536 characters', 'c'.repeat(65_536), 'c'.repeat(65_536)],
    ['200,000 characters beyond ASCII', 'ü'.repeat(200_000), 'ü'.repeat(200_000)],
  ])('%s travels as text', async (_what, data, expected) => {
    const socket = await openEcho();
    const { ws } = socket;
    ws.send(data as string);
    expect(ws.bufferedAmount).toBe(Buffer.byteLength(expected));
    expect((await socket.message()) === expected).toBe(true);
  });

  it('a symbol, nothing, and shared memory are TypeErrors', async () => {
    const { ws } = await openEcho();
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    for (const args of [[Symbol('s')], [], [shared]]) {
      expect(thrownName(() => Reflect.apply(ws.send, ws, args))).toBe('TypeError');
    }
    expect(ws.bufferedAmount).toBe(0);
  });

  it('keeps the order, whatever a Blob has to wait for', async () => {
    const socket = await openEcho({ binaryType: 'arraybuffer' });
    const { ws } = socket;
    const reused = new Uint8Array([1, 2]);
    ws.send('first');
    ws.send(new Blob(['x'.repeat(300_000)]));
    ws.send(reused);
    ws.send(new Blob(['fourth']));
    ws.send('fifth');
    reused.fill(9);
    expect(await socket.message()).toBe('first');
    expect(((await socket.message()) as ArrayBuffer).byteLength).toBe(300_000);
    expect([...new Uint8Array((await socket.message()) as ArrayBuffer)]).toEqual([1, 2]);
    expect(Buffer.from((await socket.message()) as ArrayBuffer).toString()).toBe('fourth');
    expect(await socket.message()).toBe('fifth');
  });

  it('a Blob that cannot be read ends the connection', async () => {
    const socket = await openEcho();
    const broken = new Blob(['x']);
    broken.arrayBuffer = () => Promise.reject(new Error('the file has changed'));
    socket.ws.send(broken);
    socket.ws.send('never');
    expect((await socket.error()).message).toContain('the file has changed');
    expect(await socket.closed()).toMatchObject({ code: 1006, wasClean: false });
    expect(socket.log.all('message')).toEqual([]);
  });

  it('nothing before open', () => {
    const { ws } = new Socket(NOBODY);
    for (const data of ['text', new Blob([]), new ArrayBuffer(1)]) {
      expect(thrownName(() => ws.send(data))).toBe('InvalidStateError');
    }
    expect(ws.bufferedAmount).toBe(0);
  });

  it('messages of every length form', VERY_PATIENT, async () => {
    const socket = await openEcho({ binaryType: 'arraybuffer' });
    const { ws } = socket;
    for (const size of [125, 126, 127, 65_535, 65_536, 1_000_000, 20_000_000]) {
      ws.send(Buffer.alloc(size, size % 251));
      const received = Buffer.from((await socket.message()) as ArrayBuffer);
      expect(received.equals(Buffer.alloc(size, size % 251))).toBe(true);
    }
  });
});

describe('message events', () => {
  it('have data and origin, and Blobs by default', async () => {
    const { ws, log } = await openEcho();
    ws.send(bytes);
    const event = await log.value<MessageEvent>('message');
    expect(event.origin).toBe(new URL(ws.url).origin);
    expect(event.lastEventId).toBe('');
    expect(event.data).toBeInstanceOf(Blob);
    expect(event.data).toMatchObject({ size: 64, type: '' });
    expect([...new Uint8Array(await event.data.arrayBuffer())]).toEqual([...bytes]);
  });

  it('follow binaryType from one message to the next', async () => {
    const socket = await openEcho();
    const { ws } = socket;
    ws.send(bytes);
    expect(await socket.message()).toBeInstanceOf(Blob);
    ws.binaryType = 'arraybuffer';
    ws.send(bytes);
    expect(await socket.message()).toBeInstanceOf(ArrayBuffer);
  });

  it('are tasks of their own: promises of a handler go first', async () => {
    const { ws, log } = await openEcho();
    const order: string[] = [];
    ws.onmessage = ({ data }) => {
      order.push(data);
      Promise.resolve().then(() => order.push(`after ${data}`));
    };
    ws.send('one');
    ws.send('two');
    await log.count('message', 2);
    await Promise.resolve();
    expect(order).toEqual(['one', 'after one', 'two', 'after two']);
  });
});

describe('bufferedAmount', () => {
  it('grows with every send in a task, and is 0 when all has left', async () => {
    const { ws } = await openEcho();
    ws.send('äö');
    expect(ws.bufferedAmount).toBe(4);
    ws.send(new ArrayBuffer(6));
    expect(ws.bufferedAmount).toBe(10);
    ws.send(new Blob(['five!']));
    expect(ws.bufferedAmount).toBe(15);
    await poll(
      () => ws.bufferedAmount === 0,
      () => `bufferedAmount 0, it is ${ws.bufferedAmount}`,
    );
    ws.send('again');
    expect(ws.bufferedAmount).toBe(5);
    await poll(
      () => ws.bufferedAmount === 0,
      () => `bufferedAmount 0 again, it is ${ws.bufferedAmount}`,
    );
  });

  it('stays while the peer does not read, and falls when it does', VERY_PATIENT, async () => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url());
    const peer = await listener.acceptOpen();
    await socket.log.next('open');
    peer.stopReading();
    // More than the buffers of both kernels take.
    const size = 64 * 1024 * 1024;
    socket.ws.send(new ArrayBuffer(size));
    socket.ws.send('behind it');
    // The engine has had its turn when another connection's echo is back.
    const other = await openEcho();
    other.ws.send('turn');
    await other.message();
    expect(socket.ws.bufferedAmount).toBe(size + 9);
    peer.readOn();
    await poll(
      () => socket.ws.bufferedAmount === 0,
      () => `bufferedAmount 0, it is ${socket.ws.bufferedAmount}`,
    );
  });

  it('only grows after the end', async () => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url());
    const peer = await listener.acceptOpen();
    await socket.log.next('open');
    socket.ws.close();
    socket.ws.send('closing');
    expect(socket.ws.bufferedAmount).toBe(7);
    await peer.expectClose();
    peer.sendClose(1000);
    await socket.closed();
    expect(socket.ws.bufferedAmount).toBe(7);
    socket.ws.send(new Blob(['closed']));
    expect(socket.ws.readyState).toBe(WebSocket.CLOSED);
    expect(socket.ws.bufferedAmount).toBe(13);
  });

  it('keeps what was lost', VERY_PATIENT, async () => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url());
    const peer = await listener.acceptOpen();
    await socket.log.next('open');
    peer.stopReading();
    const size = 64 * 1024 * 1024;
    socket.ws.send(new ArrayBuffer(size));
    peer.reset();
    await socket.closed();
    expect(socket.ws.bufferedAmount).toBe(size);
  });
});

async function openEcho({ binaryType = 'blob' as BinaryType } = {}): Promise<Socket> {
  const socket = await Socket.open(await echoUrl());
  socket.ws.binaryType = binaryType;
  return socket;
}
