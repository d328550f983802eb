/** The proxy of the system: which variable counts, what it says, which hosts are reached directly. */

import { describe, expect, it } from 'vitest';
import { documented } from '../../lib/profile.js';
import { systemProxy } from '../../lib/system-proxy.js';
import { parseUrl } from '../../lib/url.js';

function found(url: string, variables: Record<string, string>) {
  const target = parseUrl(url, documented);
  if (typeof target === 'string') throw new Error(target);
  return systemProxy(target, (name) => variables[name]);
}

describe('the variable', () => {
  it.each([
    ['ws://h/', { HTTP_PROXY: 'a' }, 'a'],
    ['wss://h/', { HTTPS_PROXY: 'a' }, 'a'],
    ['ws://h/', { https_proxy: 'a' }, undefined],
    ['wss://h/', { http_proxy: 'a' }, undefined],
    ['ws://h/', { http_proxy: 'a', HTTP_PROXY: 'b', ALL_PROXY: 'c' }, 'a'],
    ['wss://h/', { HTTPS_PROXY: 'b', all_proxy: 'c' }, 'b'],
    ['wss://h/', { all_proxy: 'c' }, 'c'],
    ['ws://h/', { http_proxy: '', HTTP_PROXY: ' b ' }, 'b'],
    ['ws://h/', {}, undefined],
  ])('for %s among %j is that of %s', (url, variables, host) => {
    const proxy = found(url, variables);
    expect(typeof proxy === 'object' ? proxy.host : proxy).toBe(host);
  });

  it.each([
    ['p', { host: 'p', port: 80, user: '', password: '' }],
    ['p:3128', { host: 'p', port: 3128, user: '', password: '' }],
    ['http://p:3128/', { host: 'p', port: 3128, user: '', password: '' }],
    ['HTTP://p', { host: 'p', port: 80, user: '', password: '' }],
    [
      'http://u%40x:p%3A%20w@[::1]:8080',
      { host: '::1', port: 8080, user: 'u@x', password: 'p: w' },
    ],
    ['u:p@p:1', { host: 'p', port: 1, user: 'u', password: 'p' }],
  ])('of %j means %j', (value, proxy) => {
    expect(found('ws://h/', { http_proxy: value })).toEqual(proxy);
  });

  it.each(['https://p', 'socks5://p:1', 'http://', 'http://%zz@p', 'p:99999'])(
    'of %j is not usable',
    (value) => {
      expect(found('wss://h/', { https_proxy: value })).toContain('HTTPS_PROXY');
    },
  );
});

describe('NO_PROXY', () => {
  it.each([
    ['*', 'ws://h/', true],
    ['h', 'ws://h/', true],
    ['H', 'ws://h/', true],
    ['x, h', 'ws://h/', true],
    ['x h', 'ws://a.h/', true],
    ['.h', 'ws://a.h/', true],
    ['*.h', 'ws://a.h/', true],
    ['h:80', 'ws://h/', true],
    ['h:81', 'ws://h/', false],
    ['a.h', 'ws://h/', false],
    ['h', 'ws://ah/', false],
    ['127.0.0.1', 'ws://127.0.0.1/', true],
    ['127.0.0.0/8', 'ws://127.1.2.3/', true],
    ['10.0.0.0/8', 'ws://127.1.2.3/', false],
    ['10.0.0.0/99', 'ws://10.1.2.3/', false],
    ['::1', 'ws://[::1]/', true],
    ['[::1]', 'ws://[::1]/', true],
    ['[::1]:80', 'ws://[::1]/', true],
    ['fe80::/10', 'ws://[fe80::2]/', true],
    ['', 'ws://h/', false],
  ])('of %j lets %s through: %s', (entries, url, isDirect) => {
    const variables = { http_proxy: 'p', NO_PROXY: entries };
    expect(found(url, variables) === undefined).toBe(isDirect);
  });
});
