/** `close` and the ends that nobody asked for (WebSockets standard §3.1 `close`, §4, §6; RFC 6455 §7). */

import { WebSocket } from 'ohos-websocket/w3c';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { Opcode, RawListener, type RawPeer } from '../helpers/peers.js';
import { NOBODY, openWithPeer, Socket, thrownName } from './sockets.js';

describe('the arguments of close', () => {
  it.each([0, 500, 999, 1001, 1005, 2999, 5000, 65_536 + 1000, Number.NaN, 'text', null])(
    'code %s is an InvalidAccessError',
    (code) => {
      const { ws } = new Socket(NOBODY);
      expect(thrownName(() => ws.close(code as number))).toBe('InvalidAccessError');
      expect(ws.readyState).toBe(WebSocket.CONNECTING);
    },
  );

  it('a reason of 124 bytes is a SyntaxError, in any state', async () => {
    const server = await TestServer.startEcho();
    const socket = await Socket.open(server.url());
    for (const reason of ['x'.repeat(124), 'ü'.repeat(62), '\ud800'.repeat(42)]) {
      expect(thrownName(() => socket.ws.close(1000, reason))).toBe('SyntaxError');
      expect(socket.ws.readyState).toBe(WebSocket.OPEN);
    }
    socket.ws.close();
    await socket.closed();
    expect(thrownName(() => socket.ws.close(1000, 'x'.repeat(124)))).toBe('SyntaxError');
    expect(thrownName(() => socket.ws.close(1001))).toBe('InvalidAccessError');
  });

  it.each([
    ['nothing', [], undefined, ''],
    ['undefined', [undefined], undefined, ''],
    ['a code', [3000], 3000, ''],
    ['a code and a reason', [4999, 'ünüsual'], 4999, 'ünüsual'],
    ['a fraction', [2999.7], 3000, ''],
    ['a reason alone', [undefined, 'why'], 1000, 'why'],
    ['half a surrogate pair', [1000, '\ud807'], 1000, '\ufffd'],
    ['123 bytes', [1000, 'x'.repeat(123)], 1000, 'x'.repeat(123)],
  ])('%s travels as it should', async (_what, args, code, reason) => {
    const { socket, peer } = await openWithPeer();
    socket.ws.close(...(args as [number?, string?]));
    expect(socket.ws.readyState).toBe(WebSocket.CLOSING);
    expect(await peer.expectClose()).toEqual({ code, reason });
  });
});

describe('a closing handshake', () => {
  it('of ours reports what the peer answered, not what we said', async () => {
    const { socket, peer } = await openWithPeer();
    socket.ws.close(3001, 'ours');
    await peer.expectClose();
    peer.sendClose(3002, 'theirs');
    peer.halfClose();
    const close = await socket.closed();
    expect(close).toMatchObject({ code: 3002, reason: 'theirs', wasClean: true });
    expect(socket.log.names).toEqual(['open', 'close']);
    expect(socket.states).toEqual([WebSocket.OPEN, WebSocket.CLOSED]);
  });

  it('without codes is 1005', async () => {
    const { socket, peer } = await openWithPeer();
    socket.ws.close();
    expect(await peer.expectClose()).toEqual({ code: undefined, reason: '' });
    peer.send({ opcode: Opcode.close, payload: '' });
    expect(await socket.closed()).toMatchObject({ code: 1005, reason: '', wasClean: true });
  });

  it('works with the server of this package', async () => {
    const server = await TestServer.startEcho();
    const socket = await Socket.open(server.url());
    socket.ws.close(3000, 'done');
    expect(await server.nextClose()).toMatchObject({ code: 3000, reason: 'done' });
    expect(await socket.closed()).toMatchObject({ code: 3000, wasClean: true });
  });

  it.each([
    [1000, ''],
    [1001, 'going'],
    [1011, ''],
    [4321, 'ünüsual'],
  ])('of the peer with %i reports that', async (code, reason) => {
    const { socket, peer } = await openWithPeer();
    peer.sendClose(code, reason);
    expect(await socket.closed()).toMatchObject({ code, reason, wasClean: true });
    expect(await peer.expectClose()).toEqual({ code, reason });
    expect(socket.log.names).toEqual(['open', 'close']);
  });

  it('of the peer without a code is 1005', async () => {
    const { socket, peer } = await openWithPeer();
    peer.send({ opcode: Opcode.close, payload: '' });
    expect(await socket.closed()).toMatchObject({ code: 1005, reason: '', wasClean: true });
  });

  it('happens behind everything sent, Blobs too, and once', async () => {
    const { socket, peer } = await openWithPeer();
    socket.ws.send('first');
    socket.ws.send(new Blob(['second']));
    socket.ws.close(3000);
    socket.ws.close(3001);
    socket.ws.send('never');
    expect(await peer.expectText()).toBe('first');
    expect((await peer.readMessage()).data.toString()).toBe('second');
    expect(await peer.expectClose()).toEqual({ code: 3000, reason: '' });
    peer.sendClose(3000);
    peer.halfClose();
    await socket.closed();
    socket.ws.close(1000);
    expect((await peer.readToEnd()).frames).toEqual([]);
    expect(socket.log.names).toEqual(['open', 'close']);
  });

  it('may be begun in every handler', async () => {
    const server = await TestServer.startEcho();
    const socket = new Socket(server.url());
    socket.ws.onopen = () => socket.ws.close();
    socket.ws.onclose = () => socket.ws.close();
    expect((await socket.closed()).wasClean).toBe(true);
    expect(socket.log.names).toEqual(['open', 'close']);
  });

  it('lets no message through any more', async () => {
    const { socket, peer } = await openWithPeer();
    socket.ws.close();
    peer.sendText('too late');
    await peer.expectClose();
    peer.sendClose(1000);
    await socket.closed();
    expect(socket.log.names).toEqual(['open', 'close']);
  });
});

describe('an unclean end is error, then close with 1006', PATIENT, () => {
  async function expectUnclean(socket: Socket, message: string | RegExp): Promise<void> {
    const error = await socket.error();
    const close = await socket.closed();
    expect(error.message).toMatch(message);
    expect(error.error).toBeInstanceOf(Error);
    expect(close).toMatchObject({ code: 1006, reason: '', wasClean: false });
    expect(socket.states.slice(-2)).toEqual([WebSocket.CLOSED, WebSocket.CLOSED]);
    expect(socket.log.names.slice(-2)).toEqual(['error', 'close']);
  }

  it('when close is called before open', async () => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url());
    socket.ws.close();
    expect(socket.ws.readyState).toBe(WebSocket.CLOSING);
    expect(socket.log.names).toEqual([]);
    await expectUnclean(socket, 'closed before open');
    expect(socket.log.names).toEqual(['error', 'close']);
  });

  it('when close is called during the handshake', async () => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url());
    const peer = await listener.accept();
    await peer.readHead();
    socket.ws.close(1000, 'no more');
    await expectUnclean(socket, 'closed before open');
    await peer.readBytesToEnd();
    expect(socket.log.names).toEqual(['error', 'close']);
  });

  it('when nobody listens', async () => {
    const listener = await RawListener.listen({ onSocket: (socket) => socket.resetAndDestroy() });
    await expectUnclean(new Socket(listener.url()), /connect|handshake/);
  });

  it('when the host does not exist', async () => {
    await expectUnclean(new Socket('ws://nowhere.invalid/'), 'resolve');
  });

  it('when the answer is no upgrade', async () => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url());
    const peer = await listener.accept();
    await peer.readHead();
    peer.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    await expectUnclean(socket, 'HTTP status 404');
  });

  it.each([
    ['is lost', (peer: RawPeer) => peer.halfClose()],
    ['is reset', (peer: RawPeer) => peer.reset()],
  ])('when TCP %s', async (_what, act) => {
    const { socket, peer } = await openWithPeer();
    act(peer);
    await expectUnclean(socket, 'established');
  });

  it.each([
    ['a masked frame', { opcode: Opcode.text, payload: 'x', mask: true }],
    ['a reserved opcode', { opcode: 3, payload: 'x' }],
    ['invalid UTF-8', { opcode: Opcode.text, payload: Buffer.from([0xff]) }],
    ['a close code that nobody may send', { opcode: Opcode.close, payload: Buffer.from([3, 237]) }],
    ['half a close code', { opcode: Opcode.close, payload: Buffer.from([3]) }],
  ])('when the peer sends %s', async (_what, frame) => {
    const { socket, peer } = await openWithPeer();
    peer.send(frame);
    await expectUnclean(socket, 'established');
  });

  it('when the peer ends TCP in place of an answer to close', async () => {
    const { socket, peer } = await openWithPeer();
    socket.ws.close(3000);
    await peer.expectClose();
    peer.halfClose();
    await expectUnclean(socket, 'established');
  });
});
