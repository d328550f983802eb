/**
 * Proves the server's side of the API: what each event carries, sending and closing by address, the
 * list of connections, what the server answers to requests that are no upgrade, and that two servers
 * never get into one another's way.
 */

import { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import {
  arrayBuffer,
  bytesOf,
  callWith,
  rejection,
  TestClient,
  TestServer,
} from '../helpers/endpoints.js';
import { closeBody, Opcode, RawPeer, SAMPLE_KEY, upgradeRequest } from '../helpers/peers.js';

const onLinux = process.platform === 'linux';

describe('server events', PATIENT, () => {
  it('tells connect, messageReceive and close with the address of the client', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });

    await server.nextConnect();
    peer.sendText('täxt');
    peer.sendText('');
    peer.sendClose(1000, 'bye');
    await server.nextClose();

    const clientConnection = peer.address;
    expect(server.log.entries).toEqual([
      { event: 'connect', args: [clientConnection] },
      { event: 'messageReceive', args: [{ data: 'täxt', clientConnection }] },
      { event: 'messageReceive', args: [{ data: '', clientConnection }] },
      {
        event: 'close',
        args: [clientConnection, { code: 1000, reason: 'bye', closeReason: 'bye' }],
      },
    ]);
    expect(await peer.expectClose()).toEqual({ code: 1000, reason: 'bye' });
    await peer.readToEnd();
  });

  it('gives binary as an ArrayBuffer, also when it is empty', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });

    peer.sendBinary(Buffer.from('00ff', 'hex'));
    peer.sendBinary(Buffer.of());

    expect(bytesOf((await server.nextMessage()).data).toString('hex')).toBe('00ff');
    expect(bytesOf((await server.nextMessage()).data)).toHaveLength(0);
  });

  it('delivers a message that came in one piece with the request', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(
      Buffer.concat([
        Buffer.from(upgradeRequest()),
        peer.encode([{ opcode: Opcode.text, payload: 'early' }]),
      ]),
    );

    expect((await server.nextMessage()).data).toBe('early');
    expect(server.log.names).toEqual(['connect', 'messageReceive']);
  });

  it('puts fragments together and answers the ping between them', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });

    peer.send(
      { opcode: Opcode.text, fin: false, payload: 'a' },
      { opcode: Opcode.ping, payload: 'p' },
      { opcode: Opcode.continuation, payload: 'b' },
    );

    expect((await server.nextMessage()).data).toBe('ab');
    expect((await peer.expectFrame(Opcode.pong)).payload.toString()).toBe('p');
  });

  it.each([
    ['FIN', (peer: RawPeer) => peer.halfClose()],
    ['RST', (peer: RawPeer) => peer.reset()],
  ])('raises an error, then close 0, at an end without a close frame (%s)', async (_how, end) => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const connection = await server.nextConnect();

    end(peer);
    await server.nextClose();

    expect(server.log.entries.slice(1)).toEqual([
      { event: 'error', args: [expect.objectContaining({ code: 200 })] },
      {
        event: 'close',
        args: [
          connection,
          { code: 0, reason: 'The link is down', closeReason: 'The link is down' },
        ],
      },
    ]);
    expect(await server.list()).toEqual([]);
  });

  it.each([
    ['a reserved opcode', { opcode: 3, payload: 'x' }, 1002],
    ['RSV1', { opcode: Opcode.text, rsv: 4, payload: 'x' }, 1002],
    ['RSV2', { opcode: Opcode.text, rsv: 2, payload: 'x' }, 1002],
    ['a continuation without a start', { opcode: Opcode.continuation, payload: 'x' }, 1002],
    ['a fragmented ping', { opcode: Opcode.ping, fin: false }, 1002],
    ['a ping of 126 bytes', { opcode: Opcode.ping, payload: Buffer.alloc(126) }, 1002],
    ['invalid UTF-8', { opcode: Opcode.text, payload: Buffer.from('61ff', 'hex') }, 1007],
  ])(
    'ends a connection that sends %s, with this code, and no other',
    async (_what, frame, code) => {
      const server = await TestServer.start();
      const bad = await RawPeer.open({ port: server.port });
      const good = await RawPeer.open({ port: server.port });

      bad.send(frame);

      expect((await bad.expectClose()).code).toBe(code);
      const closed = await server.nextClose();
      expect(closed).toEqual({ connection: bad.address, code: 0, reason: 'The link is down' });
      good.sendText('alive');
      expect((await server.nextMessage()).data).toBe('alive');
      expect(server.log.all('messageReceive')).toHaveLength(1);
    },
  );

  it('a close frame without a body ends only its connection', async () => {
    const server = await TestServer.start();
    const leaving = await RawPeer.open({ port: server.port });
    const staying = await RawPeer.open({ port: server.port });

    leaving.send({ opcode: Opcode.close });

    expect(await server.nextClose()).toMatchObject({ code: 1000, reason: 'The link is down' });
    expect((await leaving.expectFrame(Opcode.close)).payload).toHaveLength(0);
    staying.sendText('alive');
    expect((await server.nextMessage()).clientConnection).toEqual(staying.address);
    expect(await server.list()).toEqual([staying.address]);
  });

  it.each([
    [1001, 'away', 1001],
    [3000, 'x', 3000],
    [1012, 'x', 1012],
    [1005, 'x', 1002],
    [999, 'x', 1002],
  ])('tells the close code %i %j of a client as %i', async (sent, reason, code) => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });

    peer.send({ opcode: Opcode.close, payload: closeBody(sent, reason) });

    expect(await server.nextClose()).toMatchObject({ code, reason });
    expect(await peer.expectClose()).toEqual({ code, reason });
  });
});

describe('server send', PATIENT, () => {
  it('reaches the connection that it names, and no other', async () => {
    const server = await TestServer.start();
    const first = await RawPeer.open({ port: server.port });
    const second = await RawPeer.open({ port: server.port });
    await server.log.count('connect', 2);

    expect(await server.send('for the second', second.address)).toBe(true);
    expect(await server.send('for the first', first.address)).toBe(true);

    expect(await first.readFrame()).toEqual({
      opcode: Opcode.text,
      fin: true,
      rsv: 0,
      masked: false,
      payload: Buffer.from('for the first'),
    });
    expect(await second.expectText()).toBe('for the second');
  });

  it('accepts additional fields beside the address', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });

    const target = { ...(await server.nextConnect()), extra: 1 };
    await server.send('x', target);

    expect(await peer.expectText()).toBe('x');
  });

  it('brings rapid sends in order', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const to = await server.nextConnect();

    for (let i = 0; i < 2000; i++) void server.server.send(`${i}`, to);

    for (let i = 0; i < 2000; i++) expect(await peer.expectText()).toBe(`${i}`);
  });

  it('sends up to the limit, views too', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const to = await server.nextConnect();

    await server.send(new ArrayBuffer(5_242_864), to);
    await server.send(new Uint8Array(arrayBuffer(Buffer.from('0123')), 1, 2), to);

    expect((await peer.expectFrame(Opcode.binary)).payload).toHaveLength(5_242_864);
    expect((await peer.expectFrame(Opcode.binary)).payload.toString()).toBe('12');
    const refused = await rejection(server.server.send('w'.repeat(5_242_865), to));
    expect(refused.code).toBe(401);
  });
});

describe('server close', PATIENT, () => {
  it.each([
    [undefined, 1000, 'CLOSE_NORMAL'],
    [{ code: 1001, reason: 'moving' }, 1001, 'moving'],
    [{ code: 1001 }, 1001, 'CLOSE_NORMAL'],
    [{ reason: 'only words' }, 1000, 'only words'],
    [{ code: 3001, reason: 'bye' }, 1000, 'bye'],
    [{ code: 1000, reason: '' }, 1000, 'CLOSE_NORMAL'],
  ])('close(connection, %j) sends and tells %i %j', async (options, code, reason) => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const connection = await server.nextConnect();

    expect(await server.close(connection, options)).toBe(true);

    expect(await peer.expectClose()).toEqual({ code, reason });
    peer.sendClose(1000);
    expect(await server.nextClose()).toEqual({ connection, code, reason });
    await peer.readToEnd();
    expect(server.log.names).not.toContain('error');
  });

  it('comes behind everything that was sent', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const connection = await server.nextConnect();

    for (let i = 0; i < 100; i++) void server.server.send(`${i}`, connection);
    await server.close(connection);

    for (let i = 0; i < 100; i++) expect(await peer.expectText()).toBe(`${i}`);
    await peer.expectClose();
  });
});

describe('listAllConnections', PATIENT, () => {
  it.runIf(onLinux)(
    'is a promise of the open connections, sorted by the text ip:port',
    async () => {
      const server = await TestServer.start({ serverIP: '0.0.0.0' });
      expect(server.server.listAllConnections()).toBeInstanceOf(Promise);
      expect(await server.list()).toEqual([]);

      const peers: RawPeer[] = [];
      for (const from of ['127.0.0.3', '127.0.0.20', '127.0.0.1', '127.0.0.3']) {
        peers.push(await RawPeer.open({ port: server.port, from }));
        await server.nextConnect();
      }

      const text = ({ clientIP, clientPort }: { clientIP: string; clientPort: number }) =>
        `${clientIP}:${clientPort}`;
      const sorted = peers.map((peer) => text(peer.address)).sort();
      expect((await server.list()).map(text)).toEqual(sorted);
    },
  );

  it('forgets connections that have ended', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    await server.nextConnect();

    peer.sendClose(1000);
    await server.nextClose();

    expect(await server.list()).toEqual([]);
  });
});

describe('requests that are no upgrade', PATIENT, () => {
  const lines = (without: string, ...more: string[]) => [
    ...[
      'Host: 127.0.0.1',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
      'Sec-WebSocket-Version: 13',
    ].filter((line) => !line.startsWith(without)),
    ...more,
  ];

  it.each([
    ['a plain request', { lines: ['Host: 127.0.0.1'] }, [404, 426]],
    [
      'a request that leaves the folder',
      { startLine: 'GET /../../etc/hostname HTTP/1.1', lines: ['Host: 127.0.0.1'] },
      [400, 403, 404, 426],
    ],
    ['POST', { startLine: 'POST / HTTP/1.1' }, [400, 403, 405]],
    ['HTTP/1.0', { startLine: 'GET / HTTP/1.0' }, [400, 426, 505]],
    [
      'version 8',
      { lines: lines('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 8') },
      [400, 426],
    ],
    ['no version', { lines: lines('Sec-WebSocket-Version') }, [400, 426]],
    ['no key', { lines: lines('Sec-WebSocket-Key') }, [400]],
    ['a short key', { lines: lines('Sec-WebSocket-Key', 'Sec-WebSocket-Key: AAAA') }, [400]],
    ['no Connection', { lines: lines('Connection') }, [400, 426]],
  ])('%s gets an HTTP error and the end of the connection', async (_what, request, statuses) => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(upgradeRequest(request));

    expect(statuses).toContain((await peer.readHead()).status);
    await peer.readBytesToEnd();
    await TestClient.open(server.url());
    expect(server.log.names).not.toContain('close');
  });

  it.each([
    ['garbage', 'what is this\r\n\r\n'],
    ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex')],
    ['headers without an end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(100_000)}`],
  ])('%s hurts nobody', async (_what, bytes) => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(bytes);
    peer.halfClose();

    await peer.readBytesToEnd();
    await TestClient.open(server.url());
    expect(server.log.names.filter((name) => name !== 'error')).toEqual(['connect']);
  });

  it('an offered extension is not negotiated', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    const answer = await peer.upgrade({
      extra: ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'],
    });

    expect(answer.all('sec-websocket-extensions')).toEqual([]);
  });
});

describe('two servers', PATIENT, () => {
  it('have connections, events and stops of their own', async () => {
    const first = await TestServer.start();
    const second = await TestServer.start();

    const atFirst = await RawPeer.open({ port: first.port });
    const atSecond = await RawPeer.open({ port: second.port });
    await first.nextConnect();
    await second.nextConnect();

    expect(await first.list()).toEqual([atFirst.address]);
    expect((await rejection(first.server.send('x', atSecond.address))).code).toBe(2302006);
    await first.stop();
    await second.send('still here', atSecond.address);
    expect(await atSecond.expectText()).toBe('still here');
    expect(second.log.names).toEqual(['connect']);
  });

  it.runIf(onLinux)('on different addresses with the same port number stay apart', async () => {
    const first = await TestServer.start({ serverIP: '127.0.0.1' });
    const second = await TestServer.start({ serverIP: '127.0.0.2', serverPort: first.port });
    const { port } = first;

    const atFirst = await RawPeer.open({ port, host: '127.0.0.1' });
    const atSecond = await RawPeer.open({ port, host: '127.0.0.2' });
    atFirst.sendText('to the first');
    atSecond.sendText('to the second');

    expect((await first.nextMessage()).data).toBe('to the first');
    expect((await second.nextMessage()).data).toBe('to the second');
    await first.stop();
    await second.send('still here', atSecond.address);
    expect(await atSecond.expectText()).toBe('still here');
  });
});

describe('objects', () => {
  it('have the methods of the API, and no port before a start', () => {
    const server = webSocket.createWebSocketServer();
    for (const method of ['start', 'stop', 'send', 'close', 'listAllConnections', 'on', 'off']) {
      expect(typeof Reflect.get(server, method)).toBe('function');
    }
    expect(callWith(server, 'on', ['connect', () => undefined])).toBeUndefined();
  });
});
