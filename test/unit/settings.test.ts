/** The policy of a device: which calls 201 and 2302998 come from, and before what they are checked. */

import { describe, expect, it, vi } from 'vitest';
import { netstack } from '../../lib/profile.js';
import { dangerouslyUseNetstackTls, processSettings, Settings } from '../../lib/settings.js';
import { call, newClient, newServer, nobody, openClient, url } from '../helpers/fake-endpoints.js';
import { rejection } from '../helpers/fake-transport.js';

const noop = () => undefined;

describe('without the permission', () => {
  it.each([
    ['connect', [url], 201],
    ['connect', ['http://', { caPath: '/none' }], 201],
    ['connect', [5], 401],
    ['send', ['x'], 201],
    ['send', [5], 401],
    ['close', [], 201],
    ['close', [5], 401],
  ] as const)('%s(%j) of a client is %i', async (method, args, code) => {
    const { ws, settings, transport } = newClient();
    settings.setPolicy({ internetPermission: false });
    const error = await rejection(call(ws, method, ...args));
    expect(error.code).toBe(code);
    if (code === 201) expect(error.message).toBe('Permission denied');
    expect(transport.clients).toHaveLength(0);
  });

  it.each([
    ['start', [{ serverPort: 0 }], 201],
    ['start', [{ serverPort: 70_000 }], 201],
    ['start', [{ serverPort: 0, protocol: 'a b' }], 401],
    ['start', [], 401],
    ['send', ['x', nobody], 201],
    ['send', [5, nobody], 401],
    ['close', [nobody], 201],
    ['close', [{}], 401],
    ['listAllConnections', [], 201],
    ['listAllConnections', [1], 2302999],
    ['stop', [], 201],
    ['stop', [1], 2302999],
  ] as const)('%s(%j) of a server is %i', async (method, args, code) => {
    const { server, settings } = newServer();
    settings.setPolicy({ internetPermission: false });
    expect((await rejection(call(server, method, ...args))).code).toBe(code);
  });

  it('a callback is told', async () => {
    const { ws, settings } = newClient();
    settings.setPolicy({ internetPermission: false });
    const callback = vi.fn();
    call(ws, 'connect', url, callback);
    await vi.waitFor(() => expect(callback).toHaveBeenCalled());
    expect(callback).toHaveBeenCalledWith(expect.objectContaining({ code: 201 }), undefined);
  });

  it('listeners can still be set, and a connection goes on when it is back', async () => {
    const { ws, settings, connection } = openClient();
    settings.setPolicy({ internetPermission: false });
    ws.on('close', noop);
    ws.off('close');
    expect((await rejection(ws.send('x'))).code).toBe(201);
    settings.setPolicy();
    await expect(ws.send('x')).resolves.toBe(true);
    expect(connection.sent).toEqual(['x']);
  });
});

describe('with allowed domains', () => {
  it.each([
    ['ws://example.com/', true],
    ['ws://a.EXAMPLE.com:9/', true],
    ['ws://badexample.com/', false],
    ['ws://example.com.evil.org/', false],
    ['ws://127.0.0.1/', true],
    ['ws://127.0.0.2/', false],
    ['ws://', false],
  ])('%s is allowed: %s', async (to, isAllowed) => {
    const { ws, settings, platform, transport } = newClient();
    platform.gate = new Promise(() => undefined);
    settings.setPolicy({ allowedDomains: ['Example.com', '127.0.0.1'] });
    const connected = ws.connect(to);
    if (isAllowed) {
      expect((await rejection(ws.connect(to))).code).toBe(2302003);
      return;
    }
    const error = await rejection(connected);
    expect(error).toMatchObject({
      code: 2302998,
      message: 'It is not allowed to access this domain',
    });
    expect(transport.clients).toHaveLength(0);
  });

  it('the domain comes before files and state, the URL after them', async () => {
    const { ws, settings } = newClient();
    settings.setPolicy({ allowedDomains: [] });
    expect((await rejection(ws.connect('ws://h/', { caPath: '/none' }))).code).toBe(2302998);
    expect((await rejection(ws.connect('http://h/', { caPath: '/none' }))).code).toBe(2302002);
    expect((await rejection(ws.connect('http://h/'))).code).toBe(2302001);
  });

  it('a server is not concerned', () => {
    const { server, settings, transport } = newServer();
    settings.setPolicy({ allowedDomains: [] });
    void server.start({ serverPort: 0 });
    expect(transport.servers).toHaveLength(1);
  });
});

describe('setPolicy', () => {
  it.each([
    null,
    5,
    { internetPermission: 'no' },
    { allowedDomains: 'a' },
    { allowedDomains: [1] },
  ])('refuses %j', (policy) => {
    expect(() => call(new Settings(), 'setPolicy', policy)).toThrow(TypeError);
  });

  it('does not follow changes of the list', () => {
    const settings = new Settings();
    const allowedDomains = ['a'];
    settings.setPolicy({ allowedDomains });
    allowedDomains.push('b');
    expect(settings.domainDenied('a')).toBeUndefined();
    expect(settings.domainDenied('b')?.code).toBe(2302998);
  });
});

describe('dangerouslyUseNetstackTls', () => {
  it('warns, and can be taken back', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    dangerouslyUseNetstackTls();
    dangerouslyUseNetstackTls();
    expect(processSettings.netstackTls).toBe(true);
    expect(warn).toHaveBeenCalledTimes(1);
    dangerouslyUseNetstackTls(false);
    expect(processSettings.netstackTls).toBe(false);
    warn.mockRestore();
  });

  it('reaches the engine in the netstack profile only', () => {
    for (const [profile, trust] of [
      [netstack, 'lax'],
      [undefined, 'verify'],
    ] as const) {
      const { ws, settings, transport } = newClient(profile);
      settings.netstackTls = true;
      void ws.connect('wss://127.0.0.1/');
      expect(transport.client.config.trust).toBe(trust);
    }
  });
});
