/**
 * The options of connect: defaults, what is ignored, what is refused, and what the engine gets
 * (§2.2).
 */

import { describe, expect, it } from 'vitest';
import { BusinessError } from '../../lib/errors.js';
import { defaultLimits } from '../../lib/limits.js';
import {
  type ConnectOptions,
  type ConnectRequest,
  clientConfig,
  filesOf,
  hostToResolve,
  makeRequest,
  readOptions,
} from '../../lib/options.js';
import { documented, netstack } from '../../lib/profile.js';
import type { ClientConfig } from '../../lib/transport.js';

function read(options: Record<string, unknown>, profile = documented): ConnectOptions {
  const result = readOptions(options, profile);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

function request(
  url: string,
  options: Record<string, unknown> = {},
  profile = documented,
  variables: Record<string, string> = {},
): ConnectRequest {
  const made = makeRequest(url, read(options, profile), profile, (name) => variables[name]);
  if (made instanceof BusinessError) throw made;
  return made;
}

function config(
  url: string,
  options: Record<string, unknown> = {},
  profile = documented,
): ClientConfig {
  return clientConfig(request(url, options, profile), ['192.0.2.1'], profile);
}

describe('what the engine gets', () => {
  it('has every default', () => {
    expect(config('ws://example.com/')).toEqual({
      addresses: ['192.0.2.1'],
      port: 80,
      tls: false,
      host: 'example.com',
      serverName: 'example.com',
      path: '/',
      origin: 'http://example.com',
      protocol: '',
      headers: [],
      caPath: '',
      certPath: '',
      keyPath: '',
      keyPassword: '',
      caAddsToSystem: false,
      trust: 'verify',
      minTlsVersion: undefined,
      proxy: undefined,
      rules: 'documented',
      pingIntervalSeconds: 30,
      pongTimeoutSeconds: 30,
      limits: defaultLimits('client'),
      backPressure: 'wait',
      binaryType: 'arraybuffer',
    });
  });

  it('has every option', () => {
    const options = {
      header: { B: '2', a: '1' },
      caPath: '/ca',
      clientCert: { certPath: '/c', keyPath: '/k', keyPassword: 'p' },
      proxy: 'no-proxy',
      protocol: 'chat, superchat',
      skipServerCertVerification: true,
      pingInterval: 10,
      pongTimeout: 5,
      minSupportTlsProtocol: 2,
      supportOriginPort: true,
      limits: { messageBytes: 7 },
    };
    expect(config('wss://example.com.:9001/p', options)).toEqual({
      addresses: ['192.0.2.1'],
      port: 9001,
      tls: true,
      host: 'example.com.:9001',
      serverName: 'example.com',
      path: '/p',
      origin: 'https://example.com.:9001',
      protocol: 'chat, superchat',
      headers: [
        ['a', '1'],
        ['b', '2'],
      ],
      caPath: '/ca',
      certPath: '/c',
      keyPath: '/k',
      keyPassword: 'p',
      caAddsToSystem: false,
      trust: 'skip',
      minTlsVersion: 2,
      proxy: undefined,
      rules: 'documented',
      pingIntervalSeconds: 10,
      pongTimeoutSeconds: 5,
      limits: { ...defaultLimits('client'), messageBytes: 7 },
      backPressure: 'wait',
      binaryType: 'arraybuffer',
    });
  });

  it('has the Origin of the application in place of ours', () => {
    const header = { Origin: 'null' };
    expect(config('ws://h:81/', { header, supportOriginPort: true }).origin).toBe('null');
  });

  it('has IPv6 addresses in brackets where HTTP has them', () => {
    const { host, origin, serverName } = config('ws://[::1]:81/', { supportOriginPort: false });
    expect({ host, origin, serverName }).toEqual({
      host: '[::1]:81',
      origin: 'http://[::1]',
      serverName: '::1',
    });
  });
});

describe('options', () => {
  it('of a wrong type count as missing (C17)', () => {
    const junk = {
      header: 'x',
      caPath: 1,
      clientCert: 'x',
      skipServerCertVerification: 'true',
      supportOriginPort: 'yes',
      pingInterval: '5',
      pongTimeout: 'x',
      minSupportTlsProtocol: '1.2',
      unknown: {},
    };
    expect(read(junk)).toEqual(read({}));
    expect(read({ clientCert: { certPath: '', keyPath: '/k', keyPassword: 'p' } })).toEqual(
      read({}),
    );
    expect(read({ clientCert: { keyPath: '/k' } })).toEqual(read({}));
  });

  it.each([
    [{ proxy: 'direct' }],
    [{ proxy: 1 }],
    [{ proxy: null }],
    [{ proxy: { host: 'h', port: 65536, exclusionList: [] } }],
    [{ proxy: { host: 'h', port: -1, exclusionList: [] } }],
    [{ proxy: { host: 'h', port: Number.NaN } }],
    [{ proxy: { host: 'h', port: '8080' } }],
    [{ proxy: { host: 'h', port: 1, exclusionList: 'x' } }],
    [{ proxy: { host: 'h'.repeat(2048), port: 1 } }],
    [{ proxy: { host: 'h', port: 1, username: 'a:b' } }],
    [{ proxy: { host: 'h', port: 1, password: 'p'.repeat(4097) } }],
    [{ protocol: 1 }],
    [{ protocol: {} }],
    [{ protocol: null }],
    [{ protocol: 'a b' }],
    [{ protocol: 'a\r\nX-Inj: 1' }],
    [{ protocol: 'p'.repeat(1024) }],
    [{ header: { host: 'x' } }],
  ])('%j is refused', (options) => {
    expect(readOptions(options, documented)).toBeTypeOf('string');
  });

  it('accept the longest protocol', () => {
    expect(read({ protocol: 'p'.repeat(1023) }).protocol).toHaveLength(1023);
  });

  it('that are undefined are missing, but seen by netstack (C7)', () => {
    const options = { proxy: undefined, protocol: undefined, header: undefined };
    expect(read(options)).toEqual(read({}));
    expect(readOptions({ proxy: undefined }, netstack)).toBeTypeOf('string');
    expect(readOptions({ protocol: undefined }, netstack)).toBeTypeOf('string');
  });

  it('name the files that must exist; a certificate needs a key', () => {
    expect(filesOf(read({}))).toEqual([]);
    expect(filesOf(read({ caPath: '/ca', clientCert: { certPath: '/c' } }))).toEqual([
      '/ca',
      '/c',
      '',
    ]);
  });
});

describe('TLS', () => {
  it.each([
    [0, 0, undefined],
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
    [4, undefined, undefined],
    [-1, undefined, undefined],
    [1.5, undefined, undefined],
    [Number.NaN, undefined, undefined],
    ['2', undefined, undefined],
  ])('of at least version %j is %j, in netstack %j (C17)', (version, here, there) => {
    const options = { minSupportTlsProtocol: version };
    expect(config('wss://h/', options).minTlsVersion).toBe(here);
    expect(config('wss://h/', options, netstack).minTlsVersion).toBe(there);
  });

  it('trusts caPath alone, in netstack the system too (C16)', () => {
    expect(config('wss://h/').caAddsToSystem).toBe(false);
    expect(config('wss://h/', {}, netstack).caAddsToSystem).toBe(true);
  });

  it.each([
    [false, documented, false, 'verify'],
    [true, documented, false, 'skip'],
    [false, documented, true, 'verify'],
    [true, documented, true, 'skip'],
    [false, netstack, false, 'verify'],
    [true, netstack, false, 'skip'],
    [false, netstack, true, 'lax'],
    [true, netstack, true, 'laxSkip'],
  ] as const)(
    'skipping %j, profile %#, netstack TLS %j (C14, C15)',
    (skip, profile, lax, trust) => {
      const options = { skipServerCertVerification: skip };
      expect(readOptions(options, profile, lax)).toMatchObject({ trust });
    },
  );

  it('is for the engine to rule in its own matters', () => {
    expect(config('ws://h/', {}, netstack).rules).toBe('netstack');
  });
});

describe('a request', () => {
  it('of a bad URL is 2302001, with the reason', () => {
    expect(makeRequest('http://h', read({}), documented, () => undefined)).toMatchObject({
      code: 2302001,
      cause: { phase: 'arguments', detail: expect.stringContaining('ws://') },
    });
  });

  it.each([
    ['no system proxy', 'ws://h/', { proxy: 'system' }],
    ['no proxy', 'ws://h/', { proxy: 'no-proxy' }],
    ['one without a host', 'ws://h/', { proxy: { host: '', port: 1, exclusionList: [] } }],
    ['one without a port', 'ws://h/', { proxy: { host: 'p', port: 0, exclusionList: [] } }],
    [
      'one that excludes the host',
      'ws://a.h:1/',
      { proxy: { host: 'p', port: 1, exclusionList: ['H'] } },
    ],
  ])('through %s goes directly', (_what, url, options) => {
    expect(request(url, options).proxy).toBeUndefined();
    expect(hostToResolve(request(url, options))).not.toBe('p');
  });

  it('through a proxy needs its address and leaves the name of the target to it', () => {
    const proxy = {
      host: 'proxy.example',
      port: 3128,
      username: 'u',
      password: 'p',
      exclusionList: ['x'],
    };
    expect(hostToResolve(request('wss://h:9/', { proxy }))).toBe('proxy.example');
    expect(config('wss://h:9/', { proxy })).toMatchObject({
      addresses: [],
      serverName: 'h',
      port: 9,
      host: 'h:9',
      proxy: { addresses: ['192.0.2.1'], port: 3128, user: 'u', password: 'p' },
    });
  });

  it('without a host is not sent to a proxy', () => {
    const proxy = { host: 'p', port: 1, exclusionList: [] };
    expect(hostToResolve(request('ws://', { proxy }))).toBe('');
  });

  it('goes through the proxy of the system by default, never with no-proxy (C20)', () => {
    const variables = { http_proxy: 'http://u:p@sys:8080' };
    const found = { host: 'sys', port: 8080, user: 'u', password: 'p' };
    for (const profile of [documented, netstack]) {
      expect(request('ws://h/', {}, profile, variables).proxy).toEqual(found);
      expect(request('ws://h/', { proxy: 'system' }, profile, variables).proxy).toEqual(found);
      expect(request('ws://h/', { proxy: 'no-proxy' }, profile, variables).proxy).toBeUndefined();
      const excluded = { proxy: { host: 'p', port: 1, exclusionList: ['h'] } };
      expect(request('ws://h/', excluded, profile, variables).proxy).toBeUndefined();
    }
  });

  it('through a proxy of the system that cannot be used is 2302999 and says which', () => {
    const variable = (name: string) => (name === 'ALL_PROXY' ? 'socks5://p:1' : undefined);
    expect(makeRequest('ws://h/', read({}), documented, variable)).toMatchObject({
      code: 2302999,
      cause: { phase: 'proxy', detail: 'ALL_PROXY is not the URL of an HTTP proxy' },
    });
  });
});
