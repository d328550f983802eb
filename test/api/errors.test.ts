/**
 * Proves that bad arguments and impossible requests of every method give the documented code and text,
 * asynchronously and through the form that the caller chose, and that such a call changes nothing.
 */

import { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { callback, callWith, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';

const TEXTS = {
  [-1]: 'Websocket Unknown Other Error',
  401: 'Parameter error',
  2302001: 'Websocket url error',
  2302002: 'Websocket certificate file does not exist',
  2302004: "Can't listen to the given NIC",
  2302005: "Can't listen to the given Port",
  2302006: 'websocket connection does not exist',
  2302007: 'Websocket port already occupied',
  2302999: 'Websocket Unknown Other Error',
} as const;

const noop = () => undefined;

const certificates = certificatesOfFile();

/** The promise of this call rejects with this code and its text, as an Error. */
async function expectError(promise: unknown, code: keyof typeof TEXTS): Promise<void> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(Error);
  expect({ code: error.code, message: error.message }).toEqual({ code, message: TEXTS[code] });
}

describe('connect', PATIENT, () => {
  const url = 'ws://127.0.0.1:1/';

  it.each([
    ['no arguments', []],
    ['a number', [5]],
    ['a boolean', [true]],
    ['an array', [[]]],
    ['an object', [{}]],
    ['null', [null]],
    ['four arguments', [url, {}, noop, 1]],
    ['a number for the options', [url, 5]],
    ['a string for the options', [url, 'x']],
    ['a proxy that is no proxy', [url, { proxy: 'direct' }]],
    ['a number as proxy', [url, { proxy: 1 }]],
    ['a proxy port above 65535', [url, { proxy: { host: 'p', port: 65_536, exclusionList: [] } }]],
    ['a negative proxy port', [url, { proxy: { host: 'p', port: -1, exclusionList: [] } }]],
    ['a protocol that is no string', [url, { protocol: 1 }]],
  ])('with %s gives 401', async (_what, args) => {
    await expectNothingOf(async (ws) => expectError(callWith(ws, 'connect', args), 401));
  });

  it.each([
    '',
    'x',
    'http://127.0.0.1/',
    'https://127.0.0.1/',
    'ws:127.0.0.1',
    '//127.0.0.1/',
    ' ws://127.0.0.1/',
    'ws://127.0.0.1/\r\nX-Injected: 1',
    'ws://127.0.0.1/a\nb',
    `ws://127.0.0.1/${'a'.repeat(8196 - 15)}`,
  ])('with the url %j gives 2302001', async (bad) => {
    await expectNothingOf(async (ws) => expectError(ws.connect(bad), 2302001));
  });

  it('accepts a url of 8195 bytes', async () => {
    const listener = await RawListener.listen();
    const base = listener.url();
    const path = 'a'.repeat(8195 - base.length);
    const client = new TestClient();

    await client.connect(base + path);
    const request = await (await listener.accept()).acceptUpgrade();

    expect(request.startLine).toBe(`GET /${path} HTTP/1.1`);
    await client.log.next('open');
  });

  it.each([
    ['caPath', { caPath: '/nonexistent/ca.pem' }],
    [
      'clientCert',
      { clientCert: { certPath: '/nonexistent/c.pem', keyPath: '/nonexistent/k.pem' } },
    ],
  ])('with a missing file as %s gives 2302002, for ws too', async (_what, options) => {
    await expectNothingOf(async (ws) => expectError(ws.connect(url, options), 2302002));
    await expectNothingOf(async (ws) =>
      expectError(ws.connect('wss://127.0.0.1:1/', options), 2302002),
    );
  });

  it('with a caPath that is no certificate gives 2302002', async () => {
    const options = { caPath: certificates.garbagePath };
    await expectNothingOf(async (ws) =>
      expectError(ws.connect('wss://127.0.0.1:1/', options), 2302002),
    );
  });

  it('gives the error to a callback in the last place', async () => {
    const ws = webSocket.createWebSocket();
    for (const args of [[], [5], [{}, {}]]) {
      const failed = callback();
      expect(callWith(ws, 'connect', [...args, failed.fn])).toBeUndefined();
      const [error, value] = await failed.called;
      expect(error).toMatchObject({ code: 401, message: TEXTS[401] });
      expect(value).toBeUndefined();
    }
  });

  it('ignores options of a wrong type that it cannot use, and explicit undefined', async () => {
    const server = await TestServer.start();
    const client = new TestClient();

    const connected = callWith(client.ws, 'connect', [
      server.url(),
      {
        header: 'x',
        caPath: 1,
        clientCert: 'x',
        skipServerCertVerification: 'true',
        supportOriginPort: 'yes',
        pingInterval: '5',
        pongTimeout: 'x',
        minSupportTlsProtocol: '1.2',
      },
    ]);
    expect(await connected).toBe(true);
    await client.log.next('open');

    const other = new TestClient();
    expect(await callWith(other.ws, 'connect', [server.url(), undefined])).toBe(true);
    await other.log.next('open');
  });

  /** After a refused connect the object has raised nothing and can connect. */
  async function expectNothingOf(attempt: (ws: TestClient['ws']) => Promise<void>): Promise<void> {
    const client = new TestClient();
    await attempt(client.ws);
    expect(client.log.entries).toEqual([]);
    const server = await TestServer.start();
    await client.open(server.url());
  }
});

describe('send and close of a client', PATIENT, () => {
  it.each([
    ['send()', 'send', []],
    ['send(number)', 'send', [5]],
    ['send(object)', 'send', [{}]],
    ['send(null)', 'send', [null]],
    ['send(undefined)', 'send', [undefined]],
    ['send(array)', 'send', [[1, 2]]],
    ['send(text, number)', 'send', ['x', 5]],
    ['send(text, function, number)', 'send', ['x', noop, 1]],
    ['close(number)', 'close', [5]],
    ['close(string)', 'close', ['x']],
    ['close(options, number)', 'close', [{}, 5]],
    ['close(options, function, number)', 'close', [{}, noop, 1]],
  ])('%s gives 401 and leaves the connection as it was', async (_what, method, args) => {
    const server = await TestServer.startEcho();
    const client = await TestClient.open(server.url());

    await expectError(callWith(client.ws, method, args), 401);

    await client.send('still here');
    expect(await client.nextMessage()).toBe('still here');
    expect(client.log.names).not.toContain('close');
    expect(client.log.names).not.toContain('error');
  });

  it('gives the error to a callback', async () => {
    const server = await TestServer.start();
    const client = await TestClient.open(server.url());

    for (const [method, args] of [
      ['send', [5]],
      ['close', [5]],
    ] as const) {
      const failed = callback();
      expect(callWith(client.ws, method, [...args, failed.fn])).toBeUndefined();
      expect((await failed.called)[0]).toMatchObject({ code: 401, message: TEXTS[401] });
    }
  });
});

describe('start', PATIENT, () => {
  it.each([
    ['no arguments', []],
    ['a string', ['x']],
    ['a number', [5]],
    ['null', [null]],
    ['a number behind the config', [{ serverPort: 0 }, 5]],
    ['three arguments', [{ serverPort: 0 }, true, true]],
  ])('with %s gives 401', async (_what, args) => {
    await expectRefused(args, 401);
  });

  it.each([
    'localhost',
    'lo',
    '127.1',
    '256.0.0.1',
    ' ',
    '::1::',
    '127.0.0.1:80',
    '192.0.2.1',
    '2001:db8::1',
  ])('on the address %j gives 2302004', async (serverIP) => {
    await expectRefused([{ serverIP, serverPort: 0 }], 2302004);
  });

  it.each([65_536, 100_000, -1])('on the port %i gives 2302005', async (serverPort) => {
    await expectRefused([{ serverIP: '127.0.0.1', serverPort }], 2302005);
  });

  it('judges the address before the port, and the port before the certificate', async () => {
    const serverCert = { certPath: '/nonexistent/c.pem', keyPath: '/nonexistent/k.pem' };
    await expectRefused([{ serverIP: 'lo', serverPort: -1, serverCert }], 2302004);
    await expectRefused([{ serverIP: '127.0.0.1', serverPort: -1, serverCert }], 2302005);
  });

  it('on a busy port gives 2302007', async () => {
    const busy = await RawListener.listen();
    await expectRefused([{ serverIP: '127.0.0.1', serverPort: busy.port }], 2302007);

    const ours = await TestServer.start();
    await expectRefused([{ serverIP: '127.0.0.1', serverPort: ours.port }], 2302007);
    await TestClient.open(ours.url());
  });

  it('a second time gives 2302007 on the same port, else 2302999, and the first goes on', async () => {
    const server = await TestServer.startEcho();
    const { port } = server;

    await expectError(server.server.start(config({ serverPort: port })), 2302007);
    await expectError(server.server.start(config({ serverPort: 0 })), 2302999);

    expect(server.port).toBe(port);
    const client = await TestClient.open(server.url());
    await client.send('x');
    expect(await client.nextMessage()).toBe('x');
  });

  it('with missing certificate files gives 2302002', async () => {
    const { certPath, keyPath } = certificates.server;
    for (const serverCert of [
      { certPath: '/nonexistent/c.pem', keyPath: '/nonexistent/k.pem' },
      { certPath, keyPath: '/nonexistent/k.pem' },
      { certPath: '/nonexistent/c.pem', keyPath },
    ]) {
      await expectRefused([config({ serverCert })], 2302002);
    }
  });

  it('with files that are no certificate or no key gives 2302002', async () => {
    const { certPath, keyPath } = certificates.server;
    for (const serverCert of [
      { certPath: certificates.garbagePath, keyPath },
      { certPath, keyPath: certificates.garbagePath },
      { certPath: certificates.folder, keyPath },
    ]) {
      await expectRefused([config({ serverCert })], 2302002);
    }
  });

  it('with a key that does not match the certificate gives 2302999', async () => {
    await expectRefused([config({ serverCert: certificates.mismatched })], 2302999);
  });

  it('with an encrypted key and no password gives 2302999 and asks nobody', async () => {
    const { certPath, keyPath } = certificates.encryptedKey;
    await expectRefused([config({ serverCert: { certPath, keyPath } })], 2302999);
  });

  it('takes a free port for 0 and for none, and tells it', async () => {
    const zero = await TestServer.start({ serverPort: 0 });
    expect(zero.port).toBeGreaterThan(0);
    await TestClient.open(zero.url());

    const none = new TestServer();
    await none.server.start({ serverIP: '127.0.0.1' } as webSocket.WebSocketServerConfig);
    expect(none.port).toBeGreaterThan(0);
    expect(none.port).not.toBe(zero.port);
    await TestClient.open(none.url());
  });

  it('tells no port before the start and after the stop', async () => {
    const server = new TestServer();
    expect(server.server.port).toBeUndefined();
    await server.start();
    await server.stop();
    expect(server.server.port).toBeUndefined();
  });

  it('accepts a boolean behind the config', async () => {
    const server = new TestServer();
    expect(await callWith(server.server, 'start', [config({}), true])).toBe(true);
  });

  function config(more: Partial<webSocket.WebSocketServerConfig>): webSocket.WebSocketServerConfig {
    return {
      serverIP: '127.0.0.1',
      serverPort: 0,
      maxConcurrentClientsNumber: 10,
      maxConnectionsForOneClient: 10,
      ...more,
    };
  }

  /** After a refused start the object has raised nothing and can start. */
  async function expectRefused(args: readonly unknown[], code: keyof typeof TEXTS): Promise<void> {
    const server = new TestServer();
    await expectError(callWith(server.server, 'start', args), code);
    await expectError(server.server.stop(), 2302999);
    await server.start();
    const client = await TestClient.open(server.url());
    expect(server.log.names).toEqual(['connect']);
    await client.close();
    await server.nextClose();
    await server.stop();
  }
});

describe('send, close, listAllConnections and stop of a server', PATIENT, () => {
  const somebody = { clientIP: '127.0.0.1', clientPort: 1 };

  it('before a start give 2302006 or 2302999', async () => {
    const { server } = new TestServer();

    await expectError(server.listAllConnections(), 2302999);
    await expectError(server.stop(), 2302999);
    await expectError(server.send('x', somebody), 2302006);
    await expectError(server.close(somebody), 2302006);
  });

  it.each([
    ['send(text)', 'send', ['x'], 401],
    ['send(number, connection)', 'send', [5, 'HERE'], 401],
    ['send(connection)', 'send', ['HERE'], 401],
    ['send(text, number IP)', 'send', ['x', { clientIP: 1, clientPort: 1 }], 401],
    ['send(text, no port)', 'send', ['x', { clientIP: '127.0.0.1' }], 401],
    ['send(text, null)', 'send', ['x', null], 401],
    ['send(text, connection, number)', 'send', ['x', 'HERE', 5], 401],
    ['send(too long, connection)', 'send', ['w'.repeat(5_242_865), 'HERE'], 401],
    ['send(text, empty IP)', 'send', ['x', { clientIP: '', clientPort: 1 }], -1],
    ['send(text, nobody)', 'send', ['x', somebody], 2302006],
    ['close()', 'close', [], 401],
    ['close(number)', 'close', [5], 401],
    ['close(no IP)', 'close', [{ clientPort: 1 }], 401],
    ['close(connection, number)', 'close', ['HERE', 5], 401],
    ['close(empty IP)', 'close', [{ clientIP: '', clientPort: 1 }], 2302999],
    ['close(nobody)', 'close', [somebody], 2302006],
    ['listAllConnections(number)', 'listAllConnections', [5], 2302999],
    ['stop(number)', 'stop', [5], 2302999],
  ] as const)('%s gives its code and changes nothing', async (_what, method, args, code) => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const here = await server.nextConnect();

    const real = args.map((arg) => (arg === 'HERE' ? here : arg));
    await expectError(callWith(server.server, method, real), code);

    await server.send('still here', here);
    expect(await peer.expectText()).toBe('still here');
    peer.sendText('me too');
    expect((await server.nextMessage()).data).toBe('me too');
    expect(await server.list()).toEqual([here]);
    expect(server.log.names).toEqual(['connect', 'messageReceive']);
  });

  it('to a connection that is gone give 2302006', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const gone = await server.nextConnect();
    peer.sendClose(1000);
    await server.nextClose();

    await expectError(server.server.send('x', gone), 2302006);
    await expectError(server.server.close(gone), 2302006);
  });

  it('to a connection that was dropped give 2302006', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const gone = await server.nextConnect();
    peer.reset();
    await server.nextClose();

    await expectError(server.server.send('x', gone), 2302006);
    await expectError(server.server.close(gone), 2302006);
  });

  it('after a stop give 2302006 or 2302999', async () => {
    const server = await TestServer.start();
    await RawPeer.open({ port: server.port });
    const gone = await server.nextConnect();
    await server.stop();

    await expectError(server.server.send('x', gone), 2302006);
    await expectError(server.server.close(gone), 2302006);
    await expectError(server.server.listAllConnections(), 2302999);
    await expectError(server.server.stop(), 2302999);
  });

  it('while a connection is closing refuse it', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const closing = await server.nextConnect();
    await server.close(closing);

    const sent = await rejection(server.server.send('x', closing));
    expect([-1, 2302006]).toContain(sent.code);
    const closed = await rejection(server.server.close(closing));
    expect([2302999, 2302006]).toContain(closed.code);

    await peer.expectClose();
    peer.sendClose(1000);
    expect((await server.nextClose()).code).toBe(1000);
  });
});
