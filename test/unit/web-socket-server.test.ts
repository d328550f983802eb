/** The server over a transport that the test plays: calls, states, connections and events. */

import { describe, expect, it, vi } from 'vitest';
import { documented, netstack } from '../../lib/profile.js';
import type { WebSocketConnection, WebSocketMessage } from '../../lib/types.js';
import { call, newServer, nobody, runningServer } from '../helpers/fake-endpoints.js';
import {
  accepted,
  brokenClose,
  cleanClose,
  type FakeServer,
  failure,
  rejection,
  settled,
} from '../helpers/fake-transport.js';
import { uncaughtExceptions } from '../helpers/uncaught.js';

describe('a connection', () => {
  it('is a plain object, the same one in every event', async () => {
    const { log, transport } = await runningServer();
    const { handler } = accepted(transport.server, '127.0.0.1', 40001);
    handler.onMessage('text');
    const bytes = new ArrayBuffer(1);
    handler.onMessage(bytes);
    handler.onClosed(cleanClose);
    const connection = log[0]?.[1];
    expect(connection).toEqual({ clientIP: '127.0.0.1', clientPort: 40001 });
    expect(Object.getPrototypeOf(connection)).toBe(Object.prototype);
    expect(JSON.stringify(connection)).toBe('{"clientIP":"127.0.0.1","clientPort":40001}');
    expect(log).toEqual([
      ['connect', connection],
      ['messageReceive', { data: 'text', clientConnection: connection }],
      ['messageReceive', { data: bytes, clientConnection: connection }],
      ['close', connection, { code: 1000, reason: 'bye', closeReason: 'bye' }],
    ]);
    const messages = log.slice(1, 3).map(([, message]) => message as WebSocketMessage);
    for (const message of messages) expect(message.clientConnection).toBe(connection);
    expect(log[3]?.[1]).toBe(connection);
  });

  it('that ends without a close frame raises error, then close', async () => {
    const { log, transport } = await runningServer();
    accepted(transport.server, '::1', 5).handler.onClosed(brokenClose);
    const error = { code: 200, message: 'The connection of ::1:5 ended without a close frame' };
    const result = { code: 0, reason: 'The link is down', closeReason: 'The link is down' };
    expect(log.slice(1)).toEqual([
      ['error', expect.objectContaining(error)],
      ['close', { clientIP: '::1', clientPort: 5 }, result],
    ]);
  });

  it('of netstack has closeReason only, and texts up to a NUL', async () => {
    const { log, transport } = await runningServer(netstack);
    const { handler } = accepted(transport.server, '127.0.0.1', 5);
    handler.onMessage('x\0y');
    handler.onMessage(new ArrayBuffer(0));
    handler.onClosed(cleanClose);
    const address = { clientIP: '127.0.0.1', clientPort: 5 };
    expect(log.slice(1)).toEqual([
      ['messageReceive', { data: 'x', clientConnection: address }],
      ['messageReceive', { data: new ArrayBuffer(0), clientConnection: address }],
      ['close', address, { code: 1000, closeReason: 'bye' }],
    ]);
  });

  it('that is refused raises one error, in netstack two (S8)', async () => {
    for (const [profile, count] of [
      [documented, 1],
      [netstack, 2],
    ] as const) {
      const { log, transport } = await runningServer(profile);
      transport.server.handler.onRefused('127.0.0.9', 503, 'too many clients');
      expect(log).toHaveLength(count);
      expect(log[0]).toEqual([
        'error',
        expect.objectContaining({
          code: 200,
          message: 'A connection of 127.0.0.9 was refused with HTTP status 503',
        }),
      ]);
    }
  });

  it('survives listeners that throw', async () => {
    const { server, transport, log } = await runningServer();
    const fail = (): never => {
      throw new Error('of a listener');
    };
    server.on('connect', fail);
    server.on('error', fail);
    const thrown = uncaughtExceptions(2);
    const { handler } = accepted(transport.server, '::1', 5);
    handler.onMessage('x');
    handler.onClosed(brokenClose);
    expect(await thrown).toHaveLength(2);
    expect(log.map(([event]) => event)).toEqual(['messageReceive', 'close']);
  });
});

describe('send', () => {
  it('finds the connection by its own object and by any equal one', async () => {
    const { server, transport, log } = await runningServer();
    const a = accepted(transport.server, '127.0.0.1', 1).connection;
    const b = accepted(transport.server, '127.0.0.1', 2).connection;
    const own = log[0]?.[1] as WebSocketConnection;
    const first = server.send('1', own);
    expect(server.send('2', { ...own })).toBe(first);
    void call(server, 'send', '3', { clientIP: '127.0.0.1', clientPort: 2, note: 'n' });
    // The fields count, not the object.
    own.clientPort = 2;
    void server.send('4', own);
    expect(a.sent).toEqual(['1', '2']);
    expect(b.sent).toEqual(['3', '4']);
    await expect(first).resolves.toBe(true);
  });

  it('hands over every type of message, and waits where the queue is full', async () => {
    const { server, transport } = await runningServer();
    const { connection } = accepted(transport.server, '127.0.0.1', 1);
    const messages = ['', 'text', new ArrayBuffer(0), new Uint8Array(2), Buffer.from('b')];
    for (const message of messages) void server.send(message, nobody);
    expect(connection.sent).toEqual(messages);
    let drain = (): void => {};
    connection.pending = new Promise((resolve) => {
      drain = resolve;
    });
    const settledWith = vi.fn();
    void server.send('x', nobody).then(settledWith);
    await settled();
    expect(settledWith).not.toHaveBeenCalled();
    drain();
    await settled();
    expect(settledWith).toHaveBeenCalledWith(true);
  });

  it('to nobody is 2302006, to no address −1', async () => {
    const { server, transport, log } = await runningServer();
    const code = async (connection: WebSocketConnection): Promise<number> =>
      (await rejection(server.send('x', connection))).code;
    expect(await code(nobody)).toBe(2302006);
    expect(await code({ clientIP: '', clientPort: 1 })).toBe(-1);
    accepted(transport.server, '127.0.0.1', 1).handler.onClosed(cleanClose);
    expect(await code(log[0]?.[1] as WebSocketConnection)).toBe(2302006);
    expect((await rejection(newServer().server.send('x', nobody))).code).toBe(2302006);
  });

  it('to a connection whose address came back reaches the new one', async () => {
    const { server, transport, log } = await runningServer();
    const old = accepted(transport.server, '127.0.0.1', 1);
    old.handler.onClosed(cleanClose);
    const next = accepted(transport.server, '127.0.0.1', 1);
    void server.send('x', log[0]?.[1] as WebSocketConnection);
    expect(old.connection.sent).toEqual([]);
    expect(next.connection.sent).toEqual(['x']);
  });

  it('to a connection of another server is 2302006', async () => {
    const { transport, log } = await runningServer();
    accepted(transport.server, '127.0.0.1', 1);
    const other = await runningServer();
    const error = await rejection(other.server.send('x', log[0]?.[1] as WebSocketConnection));
    expect(error.code).toBe(2302006);
  });
});

describe('close', () => {
  it.each<[unknown[], number, string]>([
    [[], 1000, 'CLOSE_NORMAL'],
    [[undefined], 1000, 'CLOSE_NORMAL'],
    [[null], 1000, 'CLOSE_NORMAL'],
    [[{}], 1000, 'CLOSE_NORMAL'],
    [[{ code: 1001 }], 1001, 'CLOSE_NORMAL'],
    [[{ reason: 'r' }], 1000, 'r'],
    [[{ code: 3001, reason: '' }], 1000, 'CLOSE_NORMAL'],
  ])('with %j', async (options, code, reason) => {
    const { server, transport } = await runningServer();
    const { connection } = accepted(transport.server, '127.0.0.1', 1);
    await expect(call(server, 'close', nobody, ...options)).resolves.toBe(true);
    expect(connection.closes).toEqual([{ code, reason, wireCode: code }]);
  });

  it('makes the connection refuse calls and drop messages until it has gone', async () => {
    const { server, transport, log } = await runningServer();
    const { handler } = accepted(transport.server, '127.0.0.1', 1);
    await server.close(nobody);
    expect((await rejection(server.send('x', nobody))).code).toBe(-1);
    expect((await rejection(server.close(nobody))).code).toBe(2302999);
    handler.onMessage('late');
    handler.onClosed(cleanClose);
    expect((await rejection(server.close(nobody))).code).toBe(2302006);
    expect((await rejection(server.close({ ...nobody, clientIP: '' }))).code).toBe(2302999);
    expect(log.map(([event]) => event)).toEqual(['connect', 'close']);
  });

  it('in netstack needs both options, and calls a function back', async () => {
    const { server, transport } = await runningServer(netstack);
    accepted(transport.server, '127.0.0.1', 1);
    for (const options of [undefined, { code: 1001 }, { reason: 'r' }]) {
      expect((await rejection(call(server, 'close', nobody, options))).code).toBe(401);
    }
    const callback = vi.fn();
    expect(call(server, 'close', nobody, callback)).toBeUndefined();
    await settled();
    expect(callback.mock.calls).toEqual([[expect.objectContaining({ code: 401 }), undefined]]);
  });
});

describe('listAllConnections', () => {
  it('is sorted by text (S14)', async () => {
    const { server, transport } = await runningServer();
    const addresses = [
      ['127.0.0.3', 1],
      ['127.0.0.20', 9],
      ['127.0.0.1', 80],
      ['127.0.0.1', 443],
    ] as const;
    expect(await server.listAllConnections()).toEqual([]);
    for (const [ip, port] of addresses) accepted(transport.server, ip, port);
    const texts = (await server.listAllConnections()).map((c) => `${c.clientIP}:${c.clientPort}`);
    expect(texts).toEqual(['127.0.0.1:443', '127.0.0.1:80', '127.0.0.20:9', '127.0.0.3:1']);
  });
});

describe('stop', () => {
  it('closes, then is true when everything has gone; then start works again', async () => {
    const { server, transport, log } = await runningServer();
    const { handler } = accepted(transport.server, '127.0.0.1', 1);
    const stopped = server.stop();
    expect(transport.server.stops).toEqual([{ code: 1001, reason: 'server is going away' }]);
    expect((await rejection(server.send('x', nobody))).code).toBe(-1);
    expect((await rejection(server.stop())).code).toBe(2302999);
    expect((await rejection(server.listAllConnections())).code).toBe(2302999);
    expect((await rejection(server.start({ serverPort: 9001 }))).code).toBe(2302007);
    // Accepted before the engine knew.
    const late = accepted(transport.server, '127.0.0.2', 2);
    handler.onClosed({ code: 1001, reason: 'server is going away', abnormal: false });
    late.handler.onMessage('late');
    late.handler.onClosed({ code: 1001, reason: 'server is going away', abnormal: false });
    transport.server.handler.onStopped();
    await expect(stopped).resolves.toBe(true);
    expect(log.map(([event]) => event)).toEqual(['connect', 'connect', 'close', 'close']);
    expect(server.port).toBeUndefined();
    expect((await rejection(server.send('x', nobody))).code).toBe(2302006);
    void server.start({ serverPort: 9001 });
    expect(transport.servers).toHaveLength(2);
  });

  it('while starting waits for it', async () => {
    const { server, transport } = newServer();
    const started = server.start({ serverPort: 1 });
    const stopped = server.stop();
    expect((await rejection(server.stop())).code).toBe(2302999);
    expect(transport.server.stops).toEqual([]);
    transport.server.handler.onStarted([1], undefined);
    await expect(started).resolves.toBe(true);
    expect(transport.server.stops).toHaveLength(1);
    transport.server.handler.onStopped();
    await expect(stopped).resolves.toBe(true);
  });

  it('drains, and reports what the engine says', async () => {
    const { server, transport } = await runningServer();
    const report = { closed: 3, cut: 2, refused: 1, milliseconds: 250 };
    const stopped = server.stop({ drain: 0.25, code: 4000, reason: 'r' });
    expect(transport.server.stops).toEqual([{ code: 4000, reason: 'r', drainMs: 250 }]);
    transport.server.handler.onStopped(report);
    await expect(stopped).resolves.toEqual(report);
  });

  it('of a server that does not start is 2302999', async () => {
    const { server } = newServer();
    const serverCert = { certPath: '/none', keyPath: '/none' };
    const started = server.start({ serverPort: 1, serverCert });
    const stopped = server.stop();
    expect((await rejection(started)).code).toBe(2302002);
    expect((await rejection(stopped)).code).toBe(2302999);
  });
});

describe('a server that does not run', () => {
  it.each(['listAllConnections', 'stop'] as const)('refuses %s', async (method) => {
    const expected = { code: 2302999, message: 'Websocket Unknown Other Error' };
    expect(await rejection(call(newServer().server, method))).toMatchObject(expected);
  });

  it.each(['listAllConnections', 'stop'] as const)(
    'and one that does refuse arguments of %s with 2302999',
    async (method) => {
      const { server } = await runningServer();
      for (const arg of [1, 'x', {}, null]) {
        expect((await rejection(call(server, method, arg))).code).toBe(2302999);
      }
      await expect(call(server, 'listAllConnections', undefined)).resolves.toEqual([]);
    },
  );
});

describe('a second start in netstack (S12)', () => {
  it('listens on another port as well; stop stops both', async () => {
    const { server, transport } = await runningServer(netstack);
    const again = server.start({ serverPort: 9002 });
    transport.server.handler.onStarted([9002], undefined);
    await expect(again).resolves.toBe(true);
    expect((await rejection(server.start({ serverPort: 9002 }))).code).toBe(2302007);
    expect(server.port).toBe(9002);

    const [first, second] = transport.servers as [FakeServer, FakeServer];
    accepted(first, '192.0.2.1', 1);
    accepted(second, '192.0.2.2', 2);
    await expect(server.listAllConnections()).resolves.toHaveLength(2);

    const stopped = server.stop();
    expect([first.stops, second.stops].map((stops) => stops.length)).toEqual([1, 1]);
    first.handler.onStopped();
    second.handler.onStopped();
    await expect(stopped).resolves.toBe(true);
    expect((await rejection(server.stop())).code).toBe(2302999);
  });

  it('that fails leaves the first one as it was', async () => {
    const { server, transport } = await runningServer(netstack);
    const again = server.start({ serverPort: 9002 });
    transport.server.handler.onStarted([], { ...failure, kind: 'addressInUse' });
    expect((await rejection(again)).code).toBe(2302007);
    expect(server.port).toBe(9001);
    await expect(server.listAllConnections()).resolves.toEqual([]);
  });
});
