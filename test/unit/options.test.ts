/**
 * The options of connect: defaults, what is ignored, what is refused, and what the engine gets
 * (§2.2).
 */

import { describe, expect, it } from 'vitest';
import { BusinessError } from '../../lib/errors.js';
import {
  type ConnectOptions,
  clientConfig,
  filesOf,
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

function config(url: string, options: Record<string, unknown> = {}): ClientConfig {
  const request = makeRequest(url, read(options), documented);
  if (request instanceof BusinessError) throw request;
  return clientConfig(request, ['192.0.2.1']);
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
      minTlsVersion: undefined,
      proxy: undefined,
      rules: 'documented',
      pingIntervalSeconds: 10,
      pongTimeoutSeconds: 5,
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

describe('a request', () => {
  it('of a bad URL is 2302001, with the reason', () => {
    expect(makeRequest('http://h', read({}), documented)).toMatchObject({
      code: 2302001,
      cause: { phase: 'arguments', detail: expect.stringContaining('ws://') },
    });
  });

  it.each([
    ['none', 'ws://h/', { proxy: 'system' }],
    ['one without a host', 'ws://h/', { proxy: { host: '', port: 1, exclusionList: [] } }],
    ['one without a port', 'ws://h/', { proxy: { host: 'p', port: 0, exclusionList: [] } }],
    [
      'one that excludes the host',
      'ws://a.h:1/',
      { proxy: { host: 'p', port: 1, exclusionList: ['H'] } },
    ],
  ])('through %s goes directly', (_what, url, options) => {
    expect(makeRequest(url, read(options), documented)).not.toBeInstanceOf(BusinessError);
  });

  it('through a proxy is 2302999 and says that this is missing', () => {
    const options = read({ proxy: { host: 'p', port: 1, exclusionList: ['x'] } });
    expect(makeRequest('ws://h/', options, documented)).toMatchObject({
      code: 2302999,
      cause: { phase: 'proxy', detail: 'connections through a proxy are not supported yet' },
    });
  });
});
