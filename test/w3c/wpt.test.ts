/**
 * What the other files here do not ask yet of the web-platform tests' `websockets/` folder: each case is named
 * after the file there that it follows, in words and code of our own.
 */

import { CloseEvent, WebSocket } from 'ohos-websocket/w3c';
import { describe, expect, it } from 'vitest';
import { VERY_PATIENT } from '../helpers/deadline.js';
import { acceptFor, Opcode, RawListener, SAMPLE_KEY } from '../helpers/peers.js';
import { EVENTS, NOBODY, openWithPeer, Socket } from './sockets.js';

/** A socket whose request is answered with these header lines. */
async function answered(lines: (accept: string) => readonly string[], startLine?: string) {
  const listener = await RawListener.listen();
  const socket = new Socket(listener.url());
  const peer = await listener.accept();
  const request = await peer.readHead();
  const accept = acceptFor(request.header('sec-websocket-key') ?? '');
  const head = [startLine ?? 'HTTP/1.1 101 Switching Protocols', ...lines(accept)];
  peer.write(`${head.join('\r\n')}\r\n\r\n`);
  return { socket, peer, request };
}

describe('opening-handshake', () => {
  it.each<[string, (accept: string) => readonly string[]]>([
    [
      'any case, any order, more in Connection',
      (accept) => [
        `sec-websocket-ACCEPT:${accept}`,
        'CONNECTION: keep-alive, uPgRaDe',
        'upgrade:  WebSocket',
      ],
    ],
    [
      'headers that nobody asked for',
      (accept) => [
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${accept}`,
        'X-Other: 1',
        'Set-Cookie: a=b',
      ],
    ],
  ])('001: is right with %s', async (_what, lines) => {
    const { socket, request } = await answered(lines);
    await socket.log.next('open');
    expect(request.header('sec-websocket-version')).toBe('13');
    expect(socket.ws.extensions).toBe('');
  });

  it.each<[string, (accept: string) => readonly string[], string?]>([
    ['no Upgrade', (accept) => ['Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]],
    ['no Connection', (accept) => ['Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`]],
    ['no Accept', () => ['Upgrade: websocket', 'Connection: Upgrade']],
    [
      'the Accept of another key',
      () => [
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${acceptFor(SAMPLE_KEY)}`,
      ],
    ],
    [
      'another protocol',
      (accept) => ['Upgrade: h2c', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`],
    ],
    [
      'an extension that was not offered',
      (accept) => [
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${accept}`,
        'Sec-WebSocket-Extensions: permessage-unheard-of',
      ],
    ],
    ['a redirect', () => ['Location: /other', 'Content-Length: 0'], 'HTTP/1.1 302 Found'],
    ['what is all right, but 200', () => ['Content-Length: 0'], 'HTTP/1.1 200 OK'],
  ])('002: fails with %s', async (_what, lines, startLine) => {
    const { socket, peer } = await answered(lines, startLine);
    expect(await socket.closed()).toMatchObject({ code: 1006, reason: '', wasClean: false });
    expect(socket.log.names).toEqual(['error', 'close']);
    peer.socket.destroy();
  });

  it('003-sets-origin: sends one Origin, of the URL', async () => {
    const { request, socket } = await answered(() => []);
    expect(request.all('origin')).toHaveLength(1);
    socket.ws.close();
  });

  it('messages in the packet of the answer come behind open', async () => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url());
    const peer = await listener.accept();
    await peer.acceptUpgrade({
      frames: [
        { opcode: Opcode.text, payload: 'one' },
        { opcode: Opcode.text, payload: 'two' },
        { opcode: Opcode.close, payload: Buffer.from([3, 232]) },
      ],
    });
    await socket.closed();
    expect(socket.log.names).toEqual(['open', 'message', 'message', 'close']);
    expect(socket.states).toEqual([
      WebSocket.OPEN,
      WebSocket.OPEN,
      WebSocket.OPEN,
      WebSocket.CLOSED,
    ]);
  });
});

describe('the constructor', () => {
  it.each<[string, unknown, string | undefined]>([
    ['undefined', undefined, undefined],
    ['an empty list', [], undefined],
    ['null', null, 'null'],
    ['a number', 42, '42'],
    ['numbers', [1, 2], '1, 2'],
    ['a Set', new Set(['a', 'b']), 'a, b'],
    ['what has a toString', [{ toString: () => 'mine' }], 'mine'],
  ])('Create-valid-url-protocol: subprotocols may be %s', async (_what, protocols, sent) => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url(), protocols as string[]);
    const request = await (await listener.accept()).readHead();
    expect(request.header('sec-websocket-protocol')).toBe(sent);
    socket.ws.close();
  });
});

describe('interfaces', () => {
  it.each(['close', 'send'])('WebSocket/%s: an own property hides the method', (name) => {
    const { ws } = new Socket(NOBODY);
    expect(Reflect.set(ws, name, 5)).toBe(true);
    expect(Reflect.get(ws, name)).toBe(5);
    Reflect.deleteProperty(ws, name);
    expect(Reflect.get(ws, name)).toBe(Reflect.get(WebSocket.prototype, name));
  });

  it('WebSocket/events: they neither bubble nor can be cancelled, and know their target', async () => {
    const { socket, peer } = await openWithPeer();
    peer.sendText('hello');
    await socket.log.next('message');
    peer.sendClose(1000);
    await socket.closed();
    const events = socket.log.entries.map(({ args: [event] }) => event as Event);
    expect(events.map(({ type }) => type)).toEqual(['open', 'message', 'close']);
    for (const event of events) {
      expect([event.bubbles, event.cancelable, event.target]).toEqual([false, false, socket.ws]);
    }
  });

  it('WebSocket/events: a listener is called once, and not after it was removed', async () => {
    const { socket, peer } = await openWithPeer();
    let calls = 0;
    const listener = () => {
      calls += 1;
    };
    socket.ws.addEventListener('message', listener);
    socket.ws.addEventListener('message', listener);
    peer.sendText('one');
    await socket.log.next('message');
    socket.ws.removeEventListener('message', listener);
    peer.sendText('two');
    await socket.log.next('message');
    expect(calls).toBe(1);
  });

  it('WebSocket/events: a handler that throws keeps nobody from the next event', async () => {
    const { socket, peer } = await openWithPeer();
    const thrown: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => thrown.push(error));
    socket.ws.onmessage = () => {
      socket.ws.onmessage = null;
      throw new Error('mine');
    };
    peer.sendText('one');
    peer.sendText('two');
    await socket.log.count('message', 2);
    for (const other of others) process.on('uncaughtException', other);
    expect(thrown).toMatchObject([{ message: 'mine' }]);
  });

  it('WebSocket/readyState: is CLOSING until the peer has answered', async () => {
    const { socket, peer } = await openWithPeer();
    socket.ws.close();
    await peer.expectClose();
    expect(socket.ws.readyState).toBe(WebSocket.CLOSING);
    peer.sendClose(1000);
    await socket.closed();
    expect(socket.ws.readyState).toBe(WebSocket.CLOSED);
    expect(socket.log.names).toEqual(['open', 'close']);
  });

  it('CloseEvent/historical: nothing of what there once was', () => {
    expect('initCloseEvent' in CloseEvent.prototype).toBe(false);
    for (const name of ['URL', 'disconnect', ...EVENTS.map((type) => `add${type}`)]) {
      expect(name in WebSocket.prototype).toBe(false);
    }
  });
});

describe('binary', () => {
  it('binaryType counts when a message is told of, not when it came', async () => {
    const { socket, peer } = await openWithPeer();
    socket.ws.onmessage = () => {
      socket.ws.binaryType = 'arraybuffer';
    };
    peer.write(
      peer.encode([
        { opcode: Opcode.binary, payload: 'one' },
        { opcode: Opcode.binary, payload: 'two' },
      ]),
    );
    expect(await socket.message()).toBeInstanceOf(Blob);
    expect(await socket.message()).toBeInstanceOf(ArrayBuffer);
  });

  it(
    'Send-many-64K-messages-with-backpressure: all arrive in order, then the close',
    VERY_PATIENT,
    async () => {
      const { socket, peer } = await openWithPeer();
      peer.stopReading();
      const count = 200;
      for (let n = 0; n < count; n++) socket.ws.send(new Uint8Array(65_536).fill(n));
      socket.ws.close(3000, 'all');
      expect(socket.ws.readyState).toBe(WebSocket.CLOSING);
      expect(socket.ws.bufferedAmount).toBe(count * 65_536);
      peer.readOn();
      for (let n = 0; n < count; n++) {
        const { binary, data } = await peer.readMessage();
        expect([binary, data.length, data[0], data.at(-1)]).toEqual([true, 65_536, n, n]);
      }
      expect(await peer.expectClose()).toEqual({ code: 3000, reason: 'all' });
      peer.sendClose(3000, 'all');
      expect(await socket.closed()).toMatchObject({ code: 3000, wasClean: true });
    },
  );
});
