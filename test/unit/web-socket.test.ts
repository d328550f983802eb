/** The client over a transport that the test plays: calls and states. */

import { describe, expect, it, vi } from 'vitest';
import { netstack } from '../../lib/profile.js';
import { call, newClient, openClient, url } from '../helpers/fake-endpoints.js';
import { cleanClose, failure, openInfo, rejection, settled } from '../helpers/fake-transport.js';

describe('connect', () => {
  it('is true when the request is made, before any event', async () => {
    const { ws, transport, log } = newClient();
    const connected = ws.connect(url);
    expect(transport.client.config).toMatchObject({ addresses: ['127.0.0.1'], port: 9001 });
    transport.client.handler.onStarted(undefined);
    await expect(connected).resolves.toBe(true);
    expect(log).toEqual([]);
  });

  it('raises headerReceive, open, openInfo', () => {
    const { ws, transport, log } = newClient();
    void ws.connect(url);
    const headers = [['upgrade', 'websocket']] as const;
    transport.client.handler.onStarted(undefined);
    transport.client.handler.onOpened({ message: 'OK then', protocol: 'chat', headers });
    expect(log).toEqual([
      ['headerReceive', { upgrade: 'websocket' }],
      ['open', undefined, { status: 101, message: 'OK then' }],
      ['openInfo', undefined, { status: 101, message: 'OK then', protocol: 'chat' }],
    ]);
  });

  it('leaves the protocol out of openInfo if there is none', () => {
    const { ws, transport, log } = newClient();
    void ws.connect(url);
    transport.client.handler.onOpened(openInfo);
    expect(log.at(-1)).toEqual(['openInfo', undefined, { status: 101, message: openInfo.message }]);
  });

  it('takes a callback, with and without options', async () => {
    const { ws, transport } = newClient();
    const callback = vi.fn();
    expect(call(ws, 'connect', url, { protocol: 'p' }, callback)).toBeUndefined();
    expect(transport.client.config.protocol).toBe('p');
    transport.client.handler.onStarted(undefined);
    expect(callback).not.toHaveBeenCalled();
    await settled();
    expect(callback.mock.calls).toEqual([[undefined, true]]);
  });

  it('takes explicit undefined and null for missing arguments (C7)', () => {
    for (const args of [
      [undefined],
      [null],
      [undefined, undefined],
      [undefined, () => {}],
      [() => {}, undefined],
    ]) {
      const { ws, transport } = newClient();
      void call(ws, 'connect', url, ...args);
      expect(transport.clients).toHaveLength(1);
    }
  });

  it('refuses a second connection, in the same tick and later, whatever its URL', async () => {
    const { ws, transport, platform } = newClient();
    platform.gate = new Promise(() => {});
    void ws.connect('ws://name/');
    expect((await rejection(ws.connect(url))).code).toBe(2302003);
    expect((await rejection(ws.connect('http://'))).code).toBe(2302003);
    const again = openClient();
    expect((await rejection(again.ws.connect(url))).code).toBe(2302003);
    void again.ws.close();
    expect((await rejection(again.ws.connect(url))).code).toBe(2302003);
    expect(transport.clients).toHaveLength(0);
  });

  it('checks files before state before URL (§2.2)', async () => {
    const { ws, platform } = newClient();
    const missing = { caPath: '/none' };
    expect((await rejection(ws.connect('http://', missing))).code).toBe(2302002);
    expect((await rejection(ws.connect('ws://', missing))).code).toBe(2302002);
    platform.names.set('name', ['192.0.2.1']);
    void ws.connect('ws://name/');
    expect((await rejection(ws.connect('http://', missing))).code).toBe(2302002);
    expect((await rejection(ws.connect('http://'))).code).toBe(2302003);
  });

  it('finds files and addresses, then asks the engine', async () => {
    const { ws, transport, platform } = newClient();
    platform.names.set('name', ['::1', '127.0.0.1']);
    for (const file of ['/ca', '/c', '/k']) platform.files.add(file);
    const clientCert = { certPath: '/c', keyPath: '/k' };
    void ws.connect('wss://name/', { caPath: '/ca', clientCert });
    expect(transport.clients).toHaveLength(0);
    await settled();
    expect(transport.client.config).toMatchObject({
      addresses: ['::1', '127.0.0.1'],
      caPath: '/ca',
      certPath: '/c',
      keyPath: '/k',
    });
  });

  it('through a proxy asks for its addresses only', async () => {
    const { ws, transport, platform } = newClient();
    platform.names.set('proxy', ['192.0.2.1', '::2']);
    void ws.connect('ws://target/', { proxy: { host: 'proxy', port: 3128, exclusionList: [] } });
    await settled();
    expect(transport.client.config).toMatchObject({
      addresses: [],
      serverName: 'target',
      proxy: { addresses: ['192.0.2.1', '::2'], port: 3128 },
    });
  });

  it('through the proxy of the environment, or past it', () => {
    const { ws, transport, platform } = newClient();
    platform.variables.set('http_proxy', '192.0.2.1:3128');
    platform.variables.set('no_proxy', '127.0.0.1');
    void ws.connect('ws://target/');
    expect(transport.client.config.proxy).toMatchObject({ addresses: ['192.0.2.1'], port: 3128 });
    const direct = newClient();
    direct.platform.variables.set('http_proxy', '192.0.2.1:3128');
    direct.platform.variables.set('no_proxy', '127.0.0.1');
    void direct.ws.connect(url);
    expect(direct.transport.client.config).toMatchObject({ addresses: ['127.0.0.1'] });
    expect(direct.transport.client.config.proxy).toBeUndefined();
  });

  it('through a proxy without an address is −1 as for a target, and says so', async () => {
    const { ws, log } = newClient();
    const proxy = { host: 'unknown', port: 3128, exclusionList: [] };
    const error = await rejection(ws.connect('ws://127.0.0.1/', { proxy }));
    expect(error).toMatchObject({
      code: -1,
      cause: {
        phase: 'proxy',
        errno: 'ENOTFOUND',
        detail: expect.stringMatching(/^the proxy: /),
      },
    });
    await settled();
    expect(log).toEqual([['error', expect.objectContaining({ code: 200, data: '0' })]]);
  });

  it('to an unknown host is −1 and one error event; the object is free', async () => {
    for (const host of ['ws://unknown/', 'ws://']) {
      const { ws, log, transport } = newClient();
      const error = await rejection(ws.connect(host));
      expect(error).toMatchObject({ code: -1, message: 'Websocket connect failed' });
      expect(log).toEqual([]);
      await settled();
      expect(log).toEqual([['error', expect.objectContaining({ code: 200, data: '0' })]]);
      void ws.connect(url);
      expect(transport.clients).toHaveLength(1);
    }
  });

  it('to an unknown host raises two error events in netstack (C4)', async () => {
    const { ws, log } = newClient(netstack);
    await rejection(ws.connect('ws://unknown/'));
    await settled();
    expect(log.map(([event]) => event)).toEqual(['error', 'error']);
  });

  it('to port 0 fails like an unreachable one in netstack (C8)', async () => {
    const { ws, log } = newClient(netstack);
    await expect(ws.connect('ws://127.0.0.1:abc/')).resolves.toBe(true);
    await settled();
    expect(log).toEqual([['error', { code: 200, data: '0' }]]);
  });

  it.each([
    ['config', 2302999, 0],
    ['file', 2302002, 0],
    ['key', 2302999, 0],
    ['network', -1, 1],
  ] as const)('that the engine cannot begin (%s) is %i', async (kind, code, count) => {
    const { ws, transport, log } = newClient();
    const connected = ws.connect(url);
    transport.client.handler.onStarted({ ...failure, kind });
    const error = await rejection(connected);
    expect(error.code).toBe(code);
    expect(error.cause).toEqual({
      phase: 'connect',
      errno: 'ECONNREFUSED',
      detail: failure.detail,
    });
    expect(log).toHaveLength(count);
    void ws.connect(url);
    expect(transport.clients).toHaveLength(2);
  });

  it('without an engine is 2302999, not an exception', async () => {
    const { ws, transport } = newClient();
    transport.broken = new Error('no native module');
    const error = await rejection(ws.connect(url));
    expect(error).toMatchObject({ code: 2302999, cause: { detail: 'Error: no native module' } });
  });

  it('that fails raises one error event, and no close', async () => {
    const { ws, transport, log } = newClient();
    void ws.connect(url);
    transport.client.handler.onStarted(undefined);
    transport.client.handler.onConnectFailed(404, failure);
    expect(log).toEqual([['error', expect.objectContaining({ code: 200, data: '404' })]]);
    expect((await rejection(ws.send('x'))).code).toBe(-1);
  });
});

describe('send', () => {
  it('hands over every type of message and returns one promise for all', () => {
    const { ws, connection } = openClient();
    const messages = [
      '',
      'text',
      new ArrayBuffer(0),
      new Uint8Array(2),
      Buffer.from('b'),
      new DataView(new ArrayBuffer(1)),
    ];
    const [first, ...others] = messages.map((message) => ws.send(message));
    expect(connection.sent).toEqual(messages);
    for (const promise of others) expect(promise).toBe(first);
  });

  it('takes messages up to the limit, in bytes', () => {
    const { ws, connection } = openClient();
    void ws.send('s'.repeat(5_242_864));
    void ws.send('ü'.repeat(2_621_432));
    void ws.send(new ArrayBuffer(5_242_864));
    expect(connection.sent).toHaveLength(3);
  });

  it('waits where the queue is full', async () => {
    const { ws, connection } = openClient();
    let drain = (): void => {};
    connection.pending = new Promise((resolve) => {
      drain = resolve;
    });
    const callback = vi.fn();
    const sent = ws.send('x');
    ws.send('y', callback);
    await settled();
    expect(callback).not.toHaveBeenCalled();
    drain();
    await expect(sent).resolves.toBe(true);
    await settled();
    expect(callback.mock.calls).toEqual([[undefined, true]]);
  });

  it('without a connection is −1 with the text of 2302999 (C30)', async () => {
    const { ws } = newClient();
    const expected = { code: -1, message: 'Websocket Unknown Other Error' };
    expect(await rejection(ws.send('x'))).toMatchObject(expected);
    const open = openClient();
    void open.ws.close();
    expect(await rejection(open.ws.send('x'))).toMatchObject(expected);
    open.handler.onClosed(cleanClose);
    expect(await rejection(open.ws.send('x'))).toMatchObject(expected);
  });

  it('before open goes to the engine, also from before it was asked, in order', async () => {
    const { ws, transport, platform } = newClient();
    let open = (): void => {};
    platform.gate = new Promise((resolve) => {
      open = resolve;
    });
    platform.names.set('name', ['127.0.0.1']);
    void ws.connect('ws://name/');
    const bytes = new Uint8Array([1, 2, 3, 4]);
    await expect(ws.send('first')).resolves.toBe(true);
    void ws.send(bytes.subarray(1, 3));
    void ws.send(bytes.buffer);
    bytes.fill(0);
    expect(transport.clients).toHaveLength(0);
    open();
    await settled();
    void ws.send('last');
    expect(transport.client.connection.sent).toEqual([
      'first',
      new Uint8Array([2, 3]),
      new Uint8Array([1, 2, 3, 4]).buffer,
      'last',
    ]);
  });

  it('before open waits in netstack for the first one after it (C29)', () => {
    const { ws, transport } = newClient(netstack);
    void ws.connect(url);
    void ws.send('e1');
    const { handler, connection } = transport.client;
    handler.onStarted(undefined);
    handler.onOpened(openInfo);
    expect(connection.sent).toEqual([]);
    void ws.send('late');
    expect(connection.sent).toEqual(['e1', 'late']);
  });
});

describe('close', () => {
  it('passes code and reason on and reports what the engine says', async () => {
    const { ws, connection, handler, log } = openClient();
    await expect(ws.close({ code: 1004, reason: 'r' })).resolves.toBe(true);
    expect(connection.closes).toEqual([{ code: 1004, reason: 'r', wireCode: 1000 }]);
    handler.onMessage('late');
    handler.onClosed({ code: 1004, reason: 'r', abnormal: false });
    expect(log).toEqual([['close', undefined, { code: 1004, reason: 'r' }]]);
  });

  it('has defaults, also for null and a bare callback', async () => {
    for (const args of [[], [{}], [null], [undefined], [() => {}], [undefined, () => {}]]) {
      const { ws, connection } = openClient();
      void call(ws, 'close', ...args);
      expect(connection.closes).toEqual([{ code: 1000, reason: 'CLOSE_NORMAL', wireCode: 1000 }]);
    }
  });

  it('without a connection, or twice, is 2302999', async () => {
    expect((await rejection(newClient().ws.close())).code).toBe(2302999);
    const { ws, connection, handler } = openClient();
    void ws.close();
    expect((await rejection(ws.close())).code).toBe(2302999);
    handler.onClosed(cleanClose);
    expect((await rejection(ws.close())).code).toBe(2302999);
    expect(connection.closes).toHaveLength(1);
  });

  it('before open ends the attempt with one close event (C28)', async () => {
    const { ws, transport, log } = newClient();
    const connected = ws.connect(url);
    const { handler, connection } = transport.client;
    await ws.close({ code: 1001, reason: 'no' });
    expect(connection.closes).toEqual([{ code: 1001, reason: 'no', wireCode: 1001 }]);
    // What was under way meanwhile: the object never was open.
    handler.onStarted(undefined);
    handler.onOpened(openInfo);
    handler.onMessage('early');
    handler.onClosed({ code: 1001, reason: 'no', abnormal: false });
    await expect(connected).resolves.toBe(true);
    expect(log).toEqual([['close', undefined, { code: 1001, reason: 'no' }]]);
  });

  it('before open is a close event, even if the attempt fails at that moment', () => {
    for (const fail of ['onConnectFailed', 'onStarted'] as const) {
      const { ws, transport, log } = newClient();
      ws.connect(url).catch(() => {});
      void ws.close({ code: 1001, reason: 'no' });
      const { handler } = transport.client;
      if (fail === 'onStarted') handler.onStarted(failure);
      else handler.onConnectFailed(0, failure);
      expect(log).toEqual([['close', undefined, { code: 1001, reason: 'no' }]]);
    }
  });

  it('before the engine was asked never asks it', async () => {
    const { ws, transport, platform, log } = newClient();
    let open = (): void => {};
    platform.gate = new Promise((resolve) => {
      open = resolve;
    });
    const connected = ws.connect('ws://name/', { caPath: '/none' });
    await expect(ws.close({ code: 1001 })).resolves.toBe(true);
    await expect(connected).resolves.toBe(true);
    expect(log).toEqual([]);
    expect((await rejection(ws.connect(url))).code).toBe(2302003);
    await settled();
    expect(log).toEqual([['close', undefined, { code: 1001, reason: 'CLOSE_NORMAL' }]]);
    open();
    await settled();
    expect(log).toHaveLength(1);
    expect(transport.clients).toHaveLength(0);
  });
});
