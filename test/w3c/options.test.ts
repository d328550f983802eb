/** What the second argument can be beyond the standard: headers, a signal, TLS, a proxy, the heartbeat. */

import { setPolicy } from 'ohos-websocket';
import { WebSocket, type WebSocketInit } from 'ohos-websocket/w3c';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { bytesOf, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawListener } from '../helpers/peers.js';
import { NOBODY, Socket, thrownName } from './sockets.js';

const certificates = certificatesOfFile();

describe('bad options', () => {
  it.each([
    [{ headers: 'text' }, 'TypeError'],
    [{ headers: { 'bad name': 'x' } }, 'TypeError'],
    [{ headers: { x: 'a\r\nb: c' } }, 'TypeError'],
    [{ headers: { Host: 'elsewhere' } }, 'TypeError'],
    [{ headers: { 'Sec-WebSocket-Protocol': 'x' } }, 'TypeError'],
    [{ signal: {} }, 'TypeError'],
    [{ proxy: 7 }, 'TypeError'],
    [{ protocols: ['a', 'a'] }, 'SyntaxError'],
    [{ protocols: ['x'.repeat(1024)] }, 'TypeError'],
  ])('%j: %s', (init, name) => {
    expect(thrownName(() => new WebSocket(NOBODY, init as unknown as WebSocketInit))).toBe(name);
  });
});

describe('headers', () => {
  it.each([
    ['an object', { 'X-Token': 'abc', Authorization: 'Bearer t', Origin: 'https://here' }],
    [
      'a Headers',
      new Headers([
        ['x-token', 'abc'],
        ['authorization', 'Bearer t'],
        ['origin', 'https://here'],
      ]),
    ],
  ])('of %s are sent; they replace ours', async (_what, headers) => {
    const listener = await RawListener.listen();
    new Socket(`ws://user:secret@127.0.0.1:${listener.port}/`, { headers });
    const request = await (await listener.accept()).acceptUpgrade();
    expect(request.header('x-token')).toBe('abc');
    expect(request.header('authorization')).toBe('Bearer t');
    expect(request.header('origin')).toBe('https://here');
  });
});

describe('a signal', () => {
  it('that has aborted already: no connection, error with its reason', async () => {
    const listener = await RawListener.listen();
    const reason = new Error('not today');
    const socket = new Socket(listener.url(), { signal: AbortSignal.abort(reason) });
    expect(socket.ws.readyState).toBe(WebSocket.CLOSING);
    expect((await socket.error()).error).toBe(reason);
    expect(await socket.closed()).toMatchObject({ code: 1006, wasClean: false });
    expect(listener.accepted).toBe(0);
  });

  it('that aborts the handshake: error with its reason', async () => {
    const listener = await RawListener.listen();
    const controller = new AbortController();
    const socket = new Socket(listener.url(), { signal: controller.signal });
    const peer = await listener.accept();
    await peer.readHead();
    controller.abort();
    expect((await socket.error()).error).toMatchObject({ name: 'AbortError' });
    await socket.closed();
    await peer.readBytesToEnd();
  });

  it('that aborts an open connection closes it', async () => {
    const server = await TestServer.startEcho();
    const controller = new AbortController();
    const socket = await Socket.open(server.url(), { signal: controller.signal });
    controller.abort();
    expect(socket.ws.readyState).toBe(WebSocket.CLOSING);
    expect(await socket.closed()).toMatchObject({ wasClean: true });
    expect(socket.log.names).toEqual(['open', 'close']);
  });

  it('changes nothing after the end', async () => {
    const server = await TestServer.startEcho();
    const controller = new AbortController();
    const socket = await Socket.open(server.url(), { signal: controller.signal });
    socket.ws.close();
    await socket.closed();
    controller.abort();
    expect(socket.ws.readyState).toBe(WebSocket.CLOSED);
  });
});

describe('TLS', () => {
  it('is verified; caPath says whom to trust', async () => {
    const server = await TestServer.startEcho({ serverCert: certificates.server });
    const url = `https://localhost:${server.port}/`;
    const distrusting = new Socket(url);
    expect((await distrusting.error()).message).toContain('tls');
    const trusting = await Socket.open(url, { caPath: certificates.caPath });
    trusting.ws.binaryType = 'arraybuffer';
    trusting.ws.send(new Blob(['secret']));
    expect(bytesOf(await trusting.message()).toString()).toBe('secret');
  });

  it('fails with a file that is missing', async () => {
    const socket = new Socket('wss://127.0.0.1:9001/', { caPath: '/no/such/file.pem' });
    expect((await socket.error()).error).toMatchObject({ code: 2302002 });
  });
});

it('pingInterval sends pings; without it there are none in the way', async () => {
  const listener = await RawListener.listen();
  new Socket(listener.url(), { pingInterval: 1 });
  const peer = await listener.acceptOpen();
  await peer.expectFrame(Opcode.ping);
});

it('a policy counts here too', async () => {
  onTestFinished(() => setPolicy());
  setPolicy({ allowedDomains: ['example.com'] });
  const socket = new Socket(NOBODY);
  expect((await socket.error()).error).toMatchObject({ code: 2302998 });
});
