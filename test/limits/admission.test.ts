/**
 * Proves who is let into a server: `connections` in all, `connectionsPerMinute` of an address, and
 * `allowedOrigins`; what the refused one is answered, and that whoever leaves makes room.
 */

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { PATIENT, within } from '../helpers/deadline.js';
import { rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';

const onLinux = process.platform === 'linux';

/** The status of the answer to an upgrade request. */
async function statusFor(server: TestServer, origin?: string, from = '127.0.0.1'): Promise<number> {
  const peer = await RawPeer.connect({ port: server.port, from });
  peer.write(upgradeRequest({ extra: origin === undefined ? [] : [`Origin: ${origin}`] }));
  return (await peer.readHead()).status;
}

describe('connections', PATIENT, () => {
  it.each([0, 1, 12])('of %i lets in so many and not one more', async (connections) => {
    const server = await TestServer.start({ limits: { connections } });

    for (let n = 0; n < connections; n++) expect(await statusFor(server)).toBe(101);
    expect(await statusFor(server)).toBe(503);

    expect(await server.log.value('error')).toMatchObject({
      code: 200,
      cause: { phase: 'handshake', detail: 'too many connections' },
    });
    expect(await server.list()).toHaveLength(connections);
  });

  it.runIf(onLinux)('counts all addresses together, and whoever leaves makes room', async () => {
    const server = await TestServer.start({ serverIP: '0.0.0.0', limits: { connections: 2 } });
    const first = await RawPeer.open({ port: server.port, from: '127.0.0.1' });
    await RawPeer.open({ port: server.port, from: '127.0.0.2' });
    expect(await statusFor(server, undefined, '127.0.0.3')).toBe(503);

    first.reset();
    await server.nextClose();

    expect(await statusFor(server, undefined, '127.0.0.3')).toBe(101);
    expect(await statusFor(server, undefined, '127.0.0.2')).toBe(503);
  });

  it('tells our own client and ws the status', async () => {
    const server = await TestServer.start({ limits: { connections: 0 } });
    const client = new TestClient();
    await client.connect(server.url());
    expect(await client.nextError()).toMatchObject({ code: 200, data: '503' });

    const socket = new WsClient(server.url());
    const [error] = await within(once(socket, 'error'), 'ws to be refused');
    expect(String(error)).toContain('503');
  });
});

describe.runIf(onLinux)('connectionsPerMinute', PATIENT, () => {
  it.each([1, 60])('of %i lets in so many of one address and not one more', async (limit) => {
    const server = await TestServer.start({
      serverIP: '0.0.0.0',
      limits: { connectionsPerMinute: limit },
    });

    for (let n = 0; n < limit; n++) {
      const peer = await RawPeer.open({ port: server.port });
      peer.reset();
      await server.nextClose();
    }
    expect(await statusFor(server)).toBe(429);
    expect(await statusFor(server)).toBe(429);
    expect(await statusFor(server, undefined, '127.0.0.2')).toBe(101);
    const detail = 'too many connections in a short time';
    expect(server.log.values('error').at(-1)).toMatchObject({ cause: { detail } });
  });

  it('takes the place of connectRateLimit', async () => {
    const server = await TestServer.start({
      connectRateLimit: true,
      limits: { connectionsPerMinute: 3 },
    });

    for (let n = 0; n < 3; n++) expect(await statusFor(server)).toBe(101);
    expect(await statusFor(server)).toBe(429);
  });
});

describe('allowedOrigins', PATIENT, () => {
  const allowedOrigins = [
    'https://example.com',
    'http://localhost:8080',
    'HTTPS://*.Example.org',
    'https://*.example.net:8443',
    'ext+app://*',
    'https://[::1]:444',
  ];
  it.each([
    ['https://example.com', 101],
    ['HTTPS://EXAMPLE.COM', 101],
    ['https://example.com:443', 101],
    ['http://localhost:8080', 101],
    ['https://a.example.org', 101],
    ['https://a.b.example.org', 101],
    ['https://a.example.net:8443', 101],
    ['ext+app://anything', 101],
    ['https://[::1]:444', 101],
    [undefined, 403],
    ['null', 403],
    ['http://example.com', 403],
    ['https://example.com:444', 403],
    ['https://example.com.evil.test', 403],
    ['https://evil.test/https://example.com', 403],
    ['https://sub.example.com', 403],
    ['http://localhost', 403],
    ['http://localhost:80801', 403],
    ['https://example.org', 403],
    ['https://.example.org', 403],
    ['https://evilexample.org', 403],
    ['https://evil.test:1.example.org', 403],
    ['https://evil.test/.example.org', 403],
    ['https://evil.test, https://a.example.org', 403],
    ['https://a.example.org.', 403],
    ['https://a.example.net', 403],
  ])('answers %s with %i', async (origin, status) => {
    const server = await TestServer.start({ allowedOrigins });

    expect(await statusFor(server, origin)).toBe(status);

    if (status === 101) return;
    expect(await server.log.value('error')).toMatchObject({
      code: 200,
      cause: { phase: 'handshake', detail: 'origin not allowed' },
    });
    expect(await server.list()).toEqual([]);
  });

  it('may let in null and requests without the header', async () => {
    const server = await TestServer.start({ allowedOrigins: ['null', ''] });

    expect(await statusFor(server, 'null')).toBe(101);
    expect(await statusFor(server)).toBe(101);
    expect(await statusFor(server, 'https://example.com')).toBe(403);
  });

  it('lets nobody in with an empty list, and everybody without one', async () => {
    const closed = await TestServer.start({ allowedOrigins: [] });
    expect(await statusFor(closed)).toBe(403);
    expect(await statusFor(closed, 'https://example.com')).toBe(403);

    const open = await TestServer.start();
    expect(await statusFor(open)).toBe(101);
    expect(await statusFor(open, 'https://example.com')).toBe(101);
  });

  it('judges two headers as none of the list', async () => {
    const server = await TestServer.start({ allowedOrigins: ['https://*.example.com'] });
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(
      upgradeRequest({ extra: ['Origin: https://evil.test', 'Origin: https://a.example.com'] }),
    );

    expect((await peer.readHead()).status).toBe(403);
  });

  it('sees the origin of our client and of ws', async () => {
    const server = await TestServer.start({ allowedOrigins: ['https://app.test'] });
    await TestClient.open(server.url(), { header: { Origin: 'https://app.test' } });
    const refused = new TestClient();
    await refused.connect(server.url());
    expect(await refused.nextError()).toMatchObject({ data: '403' });

    const socket = new WsClient(server.url(), { origin: 'https://app.test' });
    await within(once(socket, 'open'), 'ws to open');
    socket.terminate();
  });

  it.each([
    ['a string', 'https://example.com'],
    ['a number in it', [5]],
    ['a path', ['https://example.com/']],
    ['no scheme', ['example.com']],
    ['a wildcard inside', ['https://a.*.com']],
    ['a port above 65535', ['https://example.com:65536']],
    ['blanks', ['https://example.com ']],
  ])('gives 401 for %s', async (_what, allowed) => {
    const server = new TestServer();

    const error = await rejection(server.start({ allowedOrigins: allowed as string[] }));

    expect(error).toMatchObject({ code: 401, cause: { phase: 'arguments' } });
  });
});
