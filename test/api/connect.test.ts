/**
 * Proves what `connect` does: the request on the wire, the order and content of the events of an
 * opening connection in the promise and the callback form, how each failure is told, and that one
 * object holds one session at a time.
 */

import { networkInterfaces } from 'node:os';
import { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { callback, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { askingPair } from '../helpers/pairs.js';
import { Opcode, RawListener, upgradeAnswer } from '../helpers/peers.js';

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

describe('connect: events', PATIENT, () => {
  it('raises headerReceive, open, openInfo in this order', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    const connected = client.connect(listener.url());
    await listener.acceptOpen({ extra: ['X-Custom: some Value', 'Server: srv/1.0'] });
    await connected;
    await client.log.next('openInfo');

    expect(client.log.entries).toEqual([
      {
        event: 'headerReceive',
        args: [
          {
            upgrade: 'websocket',
            connection: 'Upgrade',
            'sec-websocket-accept': expect.any(String),
            'x-custom': 'some Value',
            server: 'srv/1.0',
          },
        ],
      },
      { event: 'open', args: [undefined, { status: 101, message: 'Switching Protocols' }] },
      { event: 'openInfo', args: [undefined, { status: 101, message: 'Switching Protocols' }] },
    ]);
  });

  it('gives repeated set-cookie lines as an array', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url());
    await listener.acceptOpen({ extra: ['Set-Cookie: a=1; Path=/', 'Set-Cookie: b=2'] });

    const headers = await client.log.value<Record<string, unknown>>('headerReceive');
    expect(headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2']);
  });

  it('gives a long header value in full', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    const long = 's'.repeat(1100);

    await client.connect(listener.url());
    await listener.acceptOpen({ extra: [`Server: ${long}`] });

    const headers = await client.log.value<Record<string, unknown>>('headerReceive');
    expect(headers.server).toBe(long);
  });

  it.each([
    ['HTTP/1.1 101 Hello brave world', 'Hello brave world'],
    ['HTTP/1.1 101', ''],
  ])('tells the reason phrase of %j', async (startLine, message) => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url());
    await listener.acceptOpen({ startLine });

    expect(await client.log.value('open')).toEqual({ status: 101, message });
  });

  it('delivers a message that came in one piece with the answer, behind the open events', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url());
    const peer = await listener.accept();
    await peer.acceptUpgrade({ frames: [{ opcode: Opcode.text, payload: 'early' }] });

    expect(await client.nextMessage()).toBe('early');
    expect(client.log.names.slice(0, 4)).toEqual(['headerReceive', 'open', 'openInfo', 'message']);
  });

  it('accepts an answer that arrives byte by byte', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url());
    const peer = await listener.accept();
    const key = (await peer.readHead()).header('sec-websocket-key') ?? '';
    await peer.writeInPieces(Buffer.from(upgradeAnswer(key)), 1);

    await client.log.next('open');
  });
});

describe('connect: forms', PATIENT, () => {
  it('resolves true, before or after the events', async () => {
    const server = await TestServer.start();
    const client = new TestClient();

    await expect(client.ws.connect(server.url())).resolves.toBe(true);
    await client.log.next('open');
  });

  it('calls back with (undefined, true) and returns undefined', async () => {
    const server = await TestServer.start();
    const withUrl = new TestClient();
    const withOptions = new TestClient();
    const first = callback();
    const second = callback();

    expect(withUrl.ws.connect(server.url(), first.fn)).toBeUndefined();
    expect(await first.called).toEqual([undefined, true]);
    await withUrl.log.next('open');

    expect(withOptions.ws.connect(server.url(), { header: {} }, second.fn)).toBeUndefined();
    expect(await second.called).toEqual([undefined, true]);
    await withOptions.log.next('open');
  });

  it('calls back with an error', async () => {
    const client = new TestClient();
    const failed = callback();

    expect(client.ws.connect('http://127.0.0.1/', failed.fn)).toBeUndefined();

    const [error, value] = await failed.called;
    expect(error).toMatchObject({ code: 2302001, message: 'Websocket url error' });
    expect(error).toBeInstanceOf(Error);
    expect(value).toBeUndefined();
  });

  it('does not settle synchronously and calls no handler inside the call', async () => {
    const client = new TestClient();
    let settled = false;

    const failed = rejection(client.ws.connect('http://127.0.0.1/')).then((error) => {
      settled = true;
      return error;
    });

    expect(settled).toBe(false);
    expect(client.log.entries).toEqual([]);
    expect((await failed).code).toBe(2302001);
  });

  it('works without any listener', async () => {
    const server = await TestServer.start();
    const ws = webSocket.createWebSocket();

    await ws.connect(server.url());
    const connection = await server.nextConnect();
    await ws.send('quiet');

    expect((await server.nextMessage()).data).toBe('quiet');
    await server.close(connection);
    await server.nextClose();
  });
});

describe('connect: the request', PATIENT, () => {
  it('asks for the path and query with the headers of RFC 6455 and Origin', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url('/some/path?a=1&b=%20'));
    const request = await (await listener.accept()).acceptUpgrade();

    expect(request.startLine).toBe('GET /some/path?a=1&b=%20 HTTP/1.1');
    expect(request.all('host')).toEqual([`127.0.0.1:${listener.port}`]);
    expect(request.all('origin')).toEqual(['http://127.0.0.1']);
    expect(request.header('upgrade')?.toLowerCase()).toBe('websocket');
    expect(request.header('connection')?.toLowerCase()).toBe('upgrade');
    expect(request.all('sec-websocket-version')).toEqual(['13']);
    expect(Buffer.from(request.header('sec-websocket-key') ?? '', 'base64')).toHaveLength(16);
    expect(request.all('sec-websocket-protocol')).toEqual([]);
    expect(request.all('sec-websocket-extensions')).toEqual([]);
    await client.log.next('open');
  });

  it('puts a slash before a query and leaves out the fragment', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(`ws://127.0.0.1:${listener.port}?q=1#fragment`);

    const request = await (await listener.accept()).acceptUpgrade();
    expect(request.startLine).toBe('GET /?q=1 HTTP/1.1');
  });

  it('sends the headers of the options, names in lower case, and its own Origin in place of ours', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url(), {
      header: { 'X-Token': 'abc', Authorization: 'Bearer x y', Origin: 'https://app.example' },
    });
    const request = await (await listener.accept()).acceptUpgrade();

    expect(request.lines).toContain('x-token: abc');
    expect(request.lines).toContain('authorization: Bearer x y');
    expect(request.all('origin')).toEqual(['https://app.example']);
  });

  it('uses a different key every time', async () => {
    const listener = await RawListener.listen();
    const keys = new Set<string>();

    for (let i = 0; i < 5; i++) {
      await new TestClient().connect(listener.url());
      const request = await (await listener.accept()).acceptUpgrade();
      keys.add(request.header('sec-websocket-key') ?? '');
    }

    expect(keys.size).toBe(5);
  });

  it('resolves host names', async () => {
    const server = await TestServer.start();

    const client = await TestClient.open(`ws://localhost:${server.port}/`);

    expect(await server.nextConnect()).toMatchObject({ clientIP: '127.0.0.1' });
    expect(client.log.names).toEqual(['headerReceive', 'open', 'openInfo']);
  });

  it.runIf(hasIpv6)('connects to an IPv6 literal and writes it in brackets', async () => {
    const listener = await RawListener.listen({ host: '::1' });
    const client = new TestClient();

    await client.connect(`ws://[::1]:${listener.port}/`);
    const request = await (await listener.accept()).acceptUpgrade();

    expect(request.header('host')).toBe(`[::1]:${listener.port}`);
    await client.log.next('open');
  });
});

describe('connect: failures', PATIENT, () => {
  it('resolves true and raises one error when nobody listens', async () => {
    const server = await TestServer.start();
    const url = server.url();
    await server.stop();
    const client = new TestClient();

    await client.connect(url);

    const error = await client.nextError();
    expect(error).toMatchObject({ code: 200, data: '0' });
    expect(error.message).toEqual(expect.stringMatching(/\S/));
    expect(error).toMatchObject({ cause: { phase: 'connect', errno: 'ECONNREFUSED' } });
    await stillUsable(client);
  });

  it.each([200, 302, 400, 404, 503])(
    'raises error %i when the answer has this status',
    async (status) => {
      const { client, peer, listener } = await askingPair();
      peer.write(
        `HTTP/1.1 ${status} Whatever\r\nLocation: ${listener.url('/there')}\r\nContent-Length: 0\r\n\r\n`,
      );

      expect(await client.nextError()).toMatchObject({ code: 200, data: String(status) });
      await stillUsable(client);
      expect(listener.accepted).toBe(1);
    },
  );

  it.each([
    [
      'a wrong accept value',
      ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${'A'.repeat(27)}=`],
    ],
    ['no accept value', ['Upgrade: websocket', 'Connection: Upgrade']],
  ])('raises error 101 for %s', async (_what, lines) => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url());
    await listener.acceptOpen({ lines });

    expect(await client.nextError()).toMatchObject({ code: 200, data: '101' });
    await stillUsable(client);
  });

  it.each([
    ['hangs up', ''],
    ['sends garbage', 'what is this\r\n\r\n'],
  ])('raises error 0 when the peer %s before an answer', async (_what, bytes) => {
    const { client, peer } = await askingPair();
    peer.write(bytes);
    peer.halfClose();

    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    await stillUsable(client);
  });

  it('rejects an empty host with -1 and raises one error', async () => {
    const client = new TestClient();

    const error = await rejection(client.ws.connect('ws://'));

    expect(error).toMatchObject({ code: -1, message: 'Websocket connect failed' });
    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    await stillUsable(client);
  });

  it('rejects an unknown host with -1 and raises one error', async () => {
    const client = new TestClient();

    const error = await rejection(client.ws.connect('ws://no-such-host.invalid/'));

    expect(error).toMatchObject({ code: -1, message: 'Websocket connect failed' });
    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    await stillUsable(client);
  });
});

describe('connect: one session', PATIENT, () => {
  it('refuses a second connect while connected, and the first goes on', async () => {
    const server = await TestServer.startEcho();
    const client = await TestClient.open(server.url());

    const error = await rejection(client.ws.connect(server.url()));

    expect(error).toMatchObject({
      code: 2302003,
      message: 'Websocket connection already exist',
    });
    await client.send('still here');
    expect(await client.nextMessage()).toBe('still here');
    expect(server.log.names).toEqual(['connect']);
  });

  it('refuses the second of two connects in one tick', async () => {
    const server = await TestServer.start();
    const client = new TestClient();

    const first = client.ws.connect(server.url());
    const second = rejection(client.ws.connect(server.url()));

    await expect(first).resolves.toBe(true);
    expect((await second).code).toBe(2302003);
    await client.log.next('open');
  });

  it('connects again after a close, also from inside the close handler; listeners survive', async () => {
    const server = await TestServer.start();
    const client = await TestClient.open(server.url());

    const again = new Promise<boolean>((resolve, reject) => {
      client.ws.on('close', () => client.ws.connect(server.url()).then(resolve, reject));
    });
    await client.close();

    expect(await again).toBe(true);
    await client.log.count('open', 2);
    client.ws.off('close');
  });

  it('connects again after a failed attempt', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());
    (await listener.accept()).reset();
    await client.nextError();

    await client.connect(listener.url());
    await listener.acceptOpen();

    await client.log.next('open');
    expect(client.log.names).not.toContain('close');
  });

  it('does not carry half a message into the next connection', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());
    const first = await listener.acceptOpen();
    await client.log.next('open');
    first.send({ opcode: Opcode.text, fin: false, payload: 'stale ' });
    first.halfClose();
    await client.nextClose();

    await client.connect(listener.url());
    const second = await listener.acceptOpen();
    second.sendText('fresh');

    expect(await client.nextMessage()).toBe('fresh');
  });
});

/** A failed attempt has told one error and no close, and the object can connect. */
async function stillUsable(client: TestClient): Promise<void> {
  const server = await TestServer.start();
  await client.open(server.url());
  expect(client.log.names).toEqual(['error', 'headerReceive', 'open', 'openInfo']);
}
