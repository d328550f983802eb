/** start: what the configuration means, what is refused and in which order (§3.1). */

import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../lib/limits.js';
import { tcpAddress } from '../../lib/listen.js';
import { netstack } from '../../lib/profile.js';
import { call, newServer } from '../helpers/fake-endpoints.js';
import { failure, rejection, settled } from '../helpers/fake-transport.js';

describe('start', () => {
  it('has every default, and tells the port', async () => {
    const { server, transport } = newServer();
    expect(server.port).toBeUndefined();
    const started = call(server, 'start', {});
    expect(transport.server.config).toEqual({
      rules: 'documented',
      listen: [tcpAddress('0.0.0.0', 0)],
      tls: undefined,
      protocols: ['lws_server'],
      maxClients: 10,
      maxConnectionsPerClient: 10,
      connectRateLimit: false,
      limits: defaultLimits('server'),
      heartbeat: { pingIntervalMs: 40_000, pongTimeoutMs: 10_000, pingJitterMs: 0 },
      ratePolicy: 'delay',
      backPressure: 'wait',
      binaryType: 'arraybuffer',
      threads: 0,
      admissionName: '',
      holds: false,
      allowedOrigins: undefined,
      trustedProxies: { networks: [], header: 'x-forwarded-for' },
      asksUpgrades: false,
      keepsHeaders: false,
    });
    expect(server.port).toBeUndefined();
    transport.server.handler.onStarted([54321], undefined);
    await expect(started).resolves.toBe(true);
    expect(server.port).toBe(54321);
  });

  it('listens everywhere in netstack, as far as there is IPv6', () => {
    for (const ipv6 of [true, false]) {
      const { server, transport, platform } = newServer(netstack);
      platform.ipv6 = ipv6;
      void call(server, 'start', { serverIP: '' });
      const { listen, rules } = transport.server.config;
      expect({ listen, rules }).toEqual({
        listen: (ipv6 ? ['0.0.0.0', '::'] : ['0.0.0.0']).map((ip) => tcpAddress(ip, 0)),
        rules: 'netstack',
      });
    }
  });

  it('has every option', async () => {
    const { server, transport, platform } = newServer();
    platform.files.add('/c').add('/k');
    void server.start({
      serverIP: '::1',
      serverPort: 65535,
      serverCert: { certPath: '/c', keyPath: '/k', keyPassword: 'p' },
      protocol: 'chat, superchat',
      maxConcurrentClientsNumber: 5000,
      maxConnectionsForOneClient: 0,
      connectRateLimit: true,
      limits: { connections: 5 },
      heartbeat: { intervalMs: 1000, jitter: 0.5 },
      ratePolicy: 'close',
      allowedOrigins: ['https://A.test:443'],
      trustedProxies: ['10.0.0.0/8'],
      proxyHeader: 'forwarded',
      onUpgrade: () => true,
      keepHeaders: true,
    });
    await settled();
    expect(transport.server.config).toEqual({
      rules: 'documented',
      listen: [tcpAddress('::1', 65535)],
      tls: {
        certificates: [{ hosts: [], certPath: '/c', keyPath: '/k', keyPassword: 'p' }],
        clientCertificates: 'none',
        caPath: '',
      },
      protocols: ['chat', 'superchat'],
      maxClients: 5000,
      maxConnectionsPerClient: 0,
      connectRateLimit: true,
      limits: { ...defaultLimits('server'), connections: 5 },
      heartbeat: { pingIntervalMs: 1000, pongTimeoutMs: 10_000, pingJitterMs: 500 },
      ratePolicy: 'close',
      backPressure: 'wait',
      binaryType: 'arraybuffer',
      threads: 0,
      admissionName: '',
      holds: false,
      allowedOrigins: ['https://a.test'],
      trustedProxies: { networks: ['10.0.0.0/8'], header: 'forwarded' },
      asksUpgrades: true,
      keepsHeaders: true,
    });
  });

  const cert = { certPath: '/none', keyPath: '/none' };
  it.each<[string, unknown[], number]>([
    ['nothing', [], 401],
    ['a string', ['x'], 401],
    ['null', [null], 401],
    ['a number behind', [{ serverPort: 1 }, 5], 401],
    ['three arguments', [{ serverPort: 1 }, true, 1], 401],
    ['a bad protocol', [{ serverPort: 1, protocol: 'a b' }], 401],
    ['a host name', [{ serverIP: 'localhost' }], 2302004],
    ['a short address', [{ serverIP: '127.1' }], 2302004],
    ['a blank', [{ serverIP: ' 127.0.0.1' }], 2302004],
    ['a zone', [{ serverIP: 'fe80::1%lo' }], 2302004],
    ['address before port', [{ serverIP: 'x', serverPort: -1 }], 2302004],
    ['a port too large', [{ serverPort: 65536 }], 2302005],
    ['a negative port', [{ serverPort: -1 }], 2302005],
    ['half a port', [{ serverPort: 80.5 }], 2302005],
    ['no number for a port', [{ serverPort: '80' }], 2302005],
    ['port before limits', [{ serverPort: -1, maxConcurrentClientsNumber: -1 }], 2302005],
    ['a negative limit', [{ maxConcurrentClientsNumber: -1 }], 2302999],
    ['another negative limit', [{ maxConnectionsForOneClient: -1 }], 2302999],
    ['limits before files', [{ maxConnectionsForOneClient: -1, serverCert: cert }], 2302999],
    ['a missing file', [{ serverCert: cert }], 2302002],
    ['a certificate without a key', [{ serverCert: { certPath: '/c' } }], 2302002],
  ])('with %s is refused', async (_what, args, code) => {
    const { server, transport, platform } = newServer();
    platform.files.add('/c');
    const error = await rejection(call(server, 'start', ...args));
    expect(error.code).toBe(code);
    expect(error.cause).toMatchObject({ detail: expect.stringMatching(/./) });
    expect(transport.servers).toHaveLength(0);
  });

  it('takes a boolean or undefined behind the configuration', () => {
    for (const second of [true, undefined]) {
      const { server, transport } = newServer();
      void call(server, 'start', { serverPort: 1 }, second);
      expect(transport.servers).toHaveLength(1);
    }
  });

  it('ignores junk', () => {
    const { server, transport } = newServer();
    const junk = {
      serverIP: 5,
      serverCert: 'x',
      protocol: {},
      maxConcurrentClientsNumber: '5',
      maxConnectionsForOneClient: Number.NaN,
      connectRateLimit: 'yes',
    };
    void call(server, 'start', junk);
    const { config } = transport.server;
    void call(newServer().server, 'start', {});
    expect(config).toMatchObject({
      listen: [tcpAddress('0.0.0.0', 0)],
      maxClients: 10,
      connectRateLimit: false,
    });
  });

  it('has no highest limit', () => {
    const { server, transport } = newServer();
    void call(server, 'start', { maxConcurrentClientsNumber: Number.POSITIVE_INFINITY });
    expect(transport.server.config.maxClients).toBe(0xffffffff);
  });

  it.each([
    ['addressInUse', 2302007],
    ['permission', 2302007],
    ['addressNotLocal', 2302004],
    ['file', 2302002],
    ['key', 2302999],
    ['config', 2302999],
  ] as const)('that fails with %s is %i, and can be tried again', async (kind, code) => {
    const { server, transport } = newServer();
    const started = server.start({ serverPort: 1 });
    transport.server.handler.onStarted([], { ...failure, kind, phase: 'listen' });
    expect((await rejection(started)).code).toBe(code);
    void server.start({ serverPort: 1 });
    expect(transport.servers).toHaveLength(2);
  });

  it('without an engine is 2302999, not an exception', async () => {
    const { server, transport } = newServer();
    transport.broken = new Error('no native module');
    expect((await rejection(server.start({ serverPort: 1 }))).code).toBe(2302999);
  });

  it('of a running server is 2302007 for its port, else 2302999 (S12)', async () => {
    const { server, transport } = newServer();
    const started = server.start({ serverPort: 0 });
    expect((await rejection(server.start({ serverPort: 0 }))).code).toBe(2302999);
    transport.server.handler.onStarted([9001], undefined);
    await started;
    expect((await rejection(server.start({ serverPort: 9001 }))).code).toBe(2302007);
    expect((await rejection(server.start({ serverPort: 9002 }))).code).toBe(2302999);
    expect((await rejection(server.start({ serverPort: -1 }))).code).toBe(2302005);
    const withFiles = { serverPort: 9001, serverCert: cert };
    expect((await rejection(server.start(withFiles))).code).toBe(2302002);
    expect(transport.servers).toHaveLength(1);
  });

  it('in netstack has its own limits, ports and names', async () => {
    const { server, transport } = newServer(netstack);
    expect((await rejection(call(server, 'start', { maxConcurrentClientsNumber: 11 }))).code).toBe(
      2302999,
    );
    const started = call(server, 'start', { serverPort: '80', protocol: 'chat' });
    expect(transport.server.config).toMatchObject({
      listen: [tcpAddress('0.0.0.0', 0), tcpAddress('::', 0)],
      protocols: ['lws_server'],
      maxClients: 0,
      maxConnectionsPerClient: 0,
      connectRateLimit: true,
    });
    const kind = 'addressNotLocal';
    transport.server.handler.onStarted([], { ...failure, kind });
    expect((await rejection(started)).code).toBe(2302007);
  });
});
