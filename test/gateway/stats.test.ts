/**
 * `stats()`: what real peers did is what it tells, of one moment.
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { rejection, TestServer } from '../helpers/endpoints.js';
import { slowReader } from './slow-reader.js';
import { wsClient } from './ws-client.js';

/** Sends a request that is no upgrade and waits for the end. */
async function plainRequest(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.end(text);
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  await once(socket, 'close');
  return Buffer.concat(parts).toString('latin1');
}

describe('stats()', () => {
  test('a fresh server', async () => {
    const { server } = await TestServer.start();
    const stats = await server.stats();
    expect(stats).toMatchObject({
      connections: { open: 0, closing: 0, blocked: 0, total: 0 },
      handshakes: { pending: 0, total: 0 },
      received: { messages: 0, bytes: 0, compressedBytes: 0, compressionRatio: 1 },
      sent: { messages: 0, bytes: 0, queuedBytes: 0, compressionRatio: 1 },
      tls: { version12: 0, version13: 0, resumed: 0 },
    });
    expect(Object.values(stats.refusals).every((count) => count === 0)).toBe(true);
    expect(stats.thread.turns).toBeGreaterThanOrEqual(stats.thread.sleeps);
    expect(stats.memory.rings).toBe(2 * (2 ** 20 + 256));
  });

  test('counts messages and the bytes of their frames, in both directions', async () => {
    const echo = await TestServer.startEcho();
    const client = await wsClient(echo.url());
    const sizes = [0, 5, 125, 126, 4096, 65_535, 65_536, 300_000];
    for (const [index, size] of sizes.entries()) {
      client.send(Buffer.alloc(size, 'a'), { binary: index % 2 === 0 });
      await once(client, 'message');
    }
    // In three frames.
    client.send('one ', { fin: false });
    client.send('', { fin: false });
    client.send('two', { fin: true });
    await once(client, 'message');
    client.ping('12345');
    await once(client, 'pong');

    const payload = sizes.reduce((sum, size) => sum + size, 0);
    const headers = [2, 2, 2, 4, 4, 4, 10, 10].reduce((sum, size) => sum + size, 0);
    const { received, sent } = await echo.server.stats();
    // Masked: four bytes more a frame; and eight, three and nine bytes of fragments and the ping.
    expect(received).toMatchObject({
      messages: sizes.length + 1,
      bytes: payload + headers + 4 * sizes.length + 7 + 3 * 6 + 5 + 6,
    });
    expect(sent).toMatchObject({
      messages: sizes.length + 1,
      bytes: payload + headers + 7 + 2 + 5 + 2,
      queuedBytes: 0,
    });
  });

  test('counts connections through their lives', async () => {
    const { server } = await TestServer.start();
    const url = `ws://127.0.0.1:${server.port}/`;
    const first = await wsClient(url);
    await wsClient(url);
    expect((await server.stats()).connections).toMatchObject({ open: 2, total: 2 });
    const closed = new Promise((resolve) => {
      server.on('close', resolve);
    });
    first.close();
    await closed;
    const { connections, handshakes } = await server.stats();
    expect(connections).toMatchObject({ open: 1, total: 2 });
    expect(handshakes).toEqual({ pending: 0, total: 2 });
  });

  test('a TCP connection that says nothing is a pending handshake', async () => {
    const { server } = await TestServer.start();
    const socket = connect(server.port as number, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    // The engine may not have looked at its listening socket yet.
    let { handshakes } = await server.stats();
    while (handshakes.total === 0) {
      await nextTurn();
      ({ handshakes } = await server.stats());
    }
    expect(handshakes).toEqual({ pending: 1, total: 1 });
  });

  test('refusals by reason', async () => {
    const { server, log } = await TestServer.start({
      maxConnectionsForOneClient: 1,
      allowedOrigins: ['https://example.com', ''],
      limits: { headerLines: 12, handshakeTimeoutMs: 50 },
    });
    const port = server.port as number;
    const url = `ws://127.0.0.1:${port}/`;
    expect(await plainRequest(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(
      /^HTTP\/1.1 426 /,
    );
    expect(await plainRequest(port, 'what?\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    const many = Array.from({ length: 20 }, (_, n) => `x-${n}: 1\r\n`).join('');
    expect(await plainRequest(port, `GET / HTTP/1.1\r\n${many}\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    const refused = async (options: object): Promise<void> => {
      const client = new WsClient(url, options);
      await once(client, 'error');
    };
    await refused({ origin: 'https://evil.example' });
    await wsClient(url);
    await refused({});
    const silent = connect(port, '127.0.0.1');
    silent.resume();
    await once(silent, 'close');
    await log.count('error', 4);
    const { refusals } = await server.stats();
    expect(refusals).toEqual({
      request: 2,
      head: 1,
      timeout: 1,
      handshakes: 0,
      origin: 1,
      connections: 0,
      clients: 0,
      connectionsOfClient: 1,
      rate: 0,
      busy: 0,
      hook: 0,
    });
  });

  test('a slow reader is blocked, and what it does not take is queued', async () => {
    const { server, log } = await TestServer.start();
    const socket = slowReader(server.port as number);
    const connection = (await log.value('connect')) as { clientIP: string; clientPort: number };
    const data = new ArrayBuffer(4 * 1024 * 1024);
    const frame = data.byteLength + 10;
    const sends = Array.from({ length: 4 }, () => server.send(data, connection));
    const before = await server.stats();
    expect(before.connections.blocked).toBe(1);
    expect(before.sent.messages).toBe(4);
    expect(before.sent.queuedBytes).toBe(4 * frame - before.sent.bytes);
    expect(before.sent.queuedBytes).toBeGreaterThan(0);
    socket.resume();
    await Promise.all(sends);
    let after = await server.stats();
    while (after.sent.queuedBytes > 0) {
      await nextTurn();
      after = await server.stats();
    }
    expect(after.connections.blocked).toBe(0);
    expect(after.sent.bytes).toBe(4 * frame);
  });

  test('a blocked connection that ends is blocked no more', async () => {
    const { server, log } = await TestServer.start();
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    client.pause();
    const connection = (await log.value('connect')) as { clientIP: string; clientPort: number };
    const data = new ArrayBuffer(4 * 1024 * 1024);
    for (let n = 0; n < 4; n++) void server.send(data, connection);
    expect((await server.stats()).connections.blocked).toBe(1);
    client.terminate();
    await log.next('close');
    let { connections } = await server.stats();
    while (connections.closing > 0) {
      await nextTurn();
      ({ connections } = await server.stats());
    }
    expect(connections).toEqual({ open: 0, closing: 0, blocked: 0, total: 1 });
  });

  test('compression', async () => {
    const echo = await TestServer.startEcho({ permessageDeflate: { threshold: 0 } });
    const client = await wsClient(echo.url(), { perMessageDeflate: { threshold: 0 } });
    client.send('a'.repeat(100_000));
    await once(client, 'message');
    const { received, sent } = await echo.server.stats();
    expect(received.inflatedBytes).toBe(100_000);
    expect(sent.inflatedBytes).toBe(100_000);
    expect(received.compressedBytes).toBeGreaterThan(0);
    expect(received.compressedBytes).toBeLessThan(1000);
    expect(sent.compressionRatio).toBe(sent.inflatedBytes / sent.compressedBytes);
  });

  test('memory of large messages is kept for the next ones, and not for long', async () => {
    const { server, port } = await TestServer.startEcho();
    const client = await wsClient(`ws://127.0.0.1:${port}/`);
    for (let n = 0; n < 10; n++) {
      client.send('a'.repeat(100_000));
      await once(client, 'message');
    }
    let { payloads } = (await server.stats()).memory;
    expect(payloads).toBeGreaterThanOrEqual(100_000);
    while (payloads > 0) {
      await nextTurn();
      ({ payloads } = (await server.stats()).memory);
    }
  });

  test('each question is answered, in order, also many at once', async () => {
    const echo = await TestServer.startEcho();
    const client = await wsClient(echo.url());
    const answers = Array.from({ length: 50 }, () => echo.server.stats());
    client.send('x');
    const all = await Promise.all(answers);
    const turns = all.map(({ thread }) => thread.turns);
    expect(turns).toEqual([...turns].sort((a, b) => a - b));
  });

  test('is there while the server stops, and refused with 2302999 before start and after', async () => {
    const server = new TestServer();
    expect((await rejection(server.server.stats())).code).toBe(2302999);
    await server.start();
    const stopped = server.stop();
    expect((await server.server.stats()).connections.open).toBe(0);
    await stopped;
    expect((await rejection(server.server.stats())).code).toBe(2302999);
  });
});
