/** The constructor (WebSockets standard §3.1): URLs, subprotocols, and what travels because of them. */

import { WebSocket } from 'ohos-websocket/w3c';
import { describe, expect, it } from 'vitest';
import { TestServer } from '../helpers/endpoints.js';
import { RawListener } from '../helpers/peers.js';
import { NOBODY, Socket, thrownName } from './sockets.js';

describe('URLs', () => {
  it.each([
    'ws://foo bar.com/',
    'wss://foo bar.com/',
    'ftp://127.0.0.1/',
    'mailto:example@example.org',
    'about:blank',
    'ws://127.0.0.1:1/#',
    'ws://127.0.0.1:1/#test',
    '#test',
    '?test',
    '/echo',
    'ws:',
    'ws://127.0.0.1:65536/',
    '',
  ])('%s is a SyntaxError', (url) => {
    expect(thrownName(() => new WebSocket(url))).toBe('SyntaxError');
    expect(() => new WebSocket(url)).toThrow(DOMException);
  });

  it.each([
    ['http://127.0.0.1:9001/a', 'ws://127.0.0.1:9001/a'],
    ['https://127.0.0.1:9001/a', 'wss://127.0.0.1:9001/a'],
    ['ws://127.0.0.1:80/', 'ws://127.0.0.1/'],
    ['wss://127.0.0.1:443', 'wss://127.0.0.1/'],
    ['WS://LOCALHOST:9001', 'ws://localhost:9001/'],
    [' ws:127.0.0.1:9001/a b?c d\n', 'ws://127.0.0.1:9001/a%20b?c%20d'],
    ['ws://127.0.0.1:9001/?', 'ws://127.0.0.1:9001/?'],
  ])('%s reads back as %s', (url, normal) => {
    const { ws } = new Socket(url);
    expect(ws.url).toBe(normal);
  });

  it('may be a URL object, and wants one at least', () => {
    const { ws } = new Socket(new URL(NOBODY) as unknown as string);
    expect(ws.url).toBe(NOBODY);
    expect(thrownName(() => Reflect.construct(WebSocket, []))).toBe('TypeError');
    expect(thrownName(() => Reflect.apply(WebSocket, undefined, [NOBODY]))).toBe('TypeError');
    expect(WebSocket.length).toBe(1);
  });

  it('ignores further arguments', () => {
    const ws: unknown = Reflect.construct(WebSocket, [NOBODY, 'echo', 'stray']);
    expect(ws).toBeInstanceOf(WebSocket);
    (ws as WebSocket).close();
  });

  it('send path and query, and neither user nor fragment but as a header', async () => {
    const listener = await RawListener.listen();
    const url = `ws://us%C3%A9r:p%w@127.0.0.1:${listener.port}/a/../b%zz?q=ü`;
    const socket = new Socket(url);
    const request = await (await listener.accept()).acceptUpgrade();
    expect(request.startLine).toBe('GET /b%zz?q=%C3%BC HTTP/1.1');
    expect(request.header('host')).toBe(`127.0.0.1:${listener.port}`);
    const credentials = Buffer.from('usér:p%w').toString('base64');
    expect(request.header('authorization')).toBe(`Basic ${credentials}`);
    await socket.log.next('open');
  });

  it('at a port of another protocol fail without a connection', async () => {
    const socket = new Socket('ws://127.0.0.1:25/');
    expect((await socket.error()).message).toContain('port 25 is blocked');
    expect(await socket.closed()).toMatchObject({ code: 1006, wasClean: false });
  });

  it.each(['ws://[::1]:9001/', 'ws://name.invalid./'])('%s is taken', (url) => {
    expect(new Socket(url).ws.url).toBe(url);
  });
});

describe('subprotocols', () => {
  it.each([
    [['']],
    ['a b'],
    ['/echo'],
    ['a,b'],
    ['\u0080proto'],
    ['ünï'],
    [['echo', 'echo']],
    [['echo', 'Echo']],
    [['good', 'not good']],
  ])('%j is a SyntaxError', (protocols) => {
    expect(thrownName(() => new WebSocket(NOBODY, protocols))).toBe('SyntaxError');
  });

  it('are none before the connection is open', () => {
    const { ws } = new Socket(NOBODY, 'echo');
    expect(ws.protocol).toBe('');
    expect(ws.extensions).toBe('');
    expect(ws.readyState).toBe(WebSocket.CONNECTING);
  });

  it.each([' two', '\t two \t'])('are sent in order; the chosen one, %j, is told', async (two) => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url(), ['one', 'two', 'three']);
    const request = await (await listener.accept()).acceptUpgrade({
      extra: [`Sec-WebSocket-Protocol:${two}`],
    });
    expect(request.header('sec-websocket-protocol')).toBe('one, two, three');
    await socket.log.next('open');
    expect(socket.ws.protocol).toBe('two');
  });

  it('work with the server of this package', async () => {
    const server = await TestServer.start({ protocol: 'chat' });
    const socket = await Socket.open(server.url(), ['superchat', 'chat']);
    expect(socket.ws.protocol).toBe('chat');
  });

  it.each([
    ['asked for and not acknowledged', ['echo'], undefined],
    ['never asked for', [], 'echo'],
    ['of another name', ['echo'], 'Echo'],
  ])('%s fail the connection', async (_what, protocols, answer) => {
    const listener = await RawListener.listen();
    const socket = new Socket(listener.url(), protocols);
    const peer = await listener.accept();
    await peer.acceptUpgrade({
      extra: answer === undefined ? [] : [`Sec-WebSocket-Protocol: ${answer}`],
    });
    peer.halfClose();
    const close = await socket.closed();
    expect(close).toMatchObject({ code: 1006, reason: '', wasClean: false });
    expect(socket.log.names).toEqual(['error', 'close']);
    expect(socket.ws.protocol).toBe('');
  });
});
