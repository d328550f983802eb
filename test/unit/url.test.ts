/**
 * URLs: what is accepted and what it means, what is refused, and where the profiles differ (§2.2.1,
 * C8, C9).
 */

import { describe, expect, it } from 'vitest';
import { documented, netstack } from '../../lib/profile.js';
import { MAX_URL_BYTES, parseUrl, type Target } from '../../lib/url.js';

function parsed(url: string, profile = documented): Target {
  const target = parseUrl(url, profile);
  if (typeof target === 'string') throw new Error(`${url}: ${target}`);
  return target;
}

describe('a URL', () => {
  it('has host, port, path and scheme', () => {
    expect(parsed('wss://example.com:9001/a/b?c=d')).toEqual({
      tls: true,
      hostname: 'example.com',
      port: 9001,
      host: 'example.com:9001',
      bareHost: 'example.com',
      path: '/a/b?c=d',
    });
  });

  it.each([
    ['ws://h', 80, 'h'],
    ['ws://h:80', 80, 'h'],
    ['ws://h:443', 443, 'h:443'],
    ['wss://h', 443, 'h'],
    ['wss://h:443/', 443, 'h'],
    ['wss://h:80/', 80, 'h:80'],
    ['ws://h:1/', 1, 'h:1'],
    ['ws://h:65535/', 65535, 'h:65535'],
    ['ws://h:0080/', 80, 'h'],
  ])('%s goes to port %i and names %s', (url, port, host) => {
    expect(parsed(url)).toMatchObject({ port, host });
  });

  it.each([
    ['ws://h', '/'],
    ['ws://h/', '/'],
    ['ws://h?x=1/2', '/?x=1/2'],
    ['ws://h/?', '/?'],
    ['ws://h#frag', '/'],
    ['ws://h/p?q=1#frag', '/p?q=1'],
    ['ws://h/p#a?b', '/p'],
    ['ws://h/a/../b/./c', '/a/../b/./c'],
    ['ws://h//a', '//a'],
    ['ws://h/%41%zz', '/%41%zz'],
    ['ws://h/a[]=1', '/a[]=1'],
    ['ws://h/grüße?ä=😀', '/gr%C3%BC%C3%9Fe?%C3%A4=%F0%9F%98%80'],
    ['ws://h/"<>\\^`{|}', '/%22%3C%3E%5C%5E%60%7B%7C%7D'],
    ['ws://h/\u0085\u2028', '/%C2%85%E2%80%A8'],
  ])('%s asks for %s', (url, path) => {
    expect(parsed(url).path).toBe(path);
  });

  it.each([
    ['ws://[::1]:9001/', '::1', '[::1]:9001', '[::1]'],
    ['ws://[2001:db8::7]/', '2001:db8::7', '[2001:db8::7]', '[2001:db8::7]'],
    ['ws://127.0.0.1/', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['ws://Some_Host.example./', 'Some_Host.example.', 'Some_Host.example.', 'Some_Host.example.'],
    [
      'ws://münchen.example/',
      'xn--mnchen-3ya.example',
      'xn--mnchen-3ya.example',
      'xn--mnchen-3ya.example',
    ],
  ])('%s names the host %s', (url, hostname, host, bareHost) => {
    expect(parsed(url)).toMatchObject({ hostname, host, bareHost });
  });

  it('may have its scheme in any case', () => {
    expect(parsed('WS://h').tls).toBe(false);
    expect(parsed('wSs://h').tls).toBe(true);
  });

  it('may lack a host, which is for the resolver to refuse', () => {
    expect(parsed('ws://').hostname).toBe('');
    expect(parsed('ws://:81/').hostname).toBe('');
  });
});

describe('not a URL', () => {
  it.each([
    [''],
    ['   '],
    ['hello'],
    ['127.0.0.1:80/'],
    ['http://h/'],
    ['https://h/'],
    ['ws:h'],
    ['ws:/h'],
    ['wsss://h'],
    [' ws://h'],
    ['ws://h/ '],
    ['ws://h/a b'],
    ['ws://h/a\r\nX-Inj: 1'],
    ['ws://h/a\nb'],
    ['ws://h/a\tb'],
    ['ws://h/a\0b'],
    ['ws://h/a\x7fb'],
    ['ws://h/#\n'],
    ['ws://h/\ud800'],
    ['ws://user:pw@h/'],
    ['ws://user@h/'],
    ['ws://h\\@evil/'],
    ['ws://h:/'],
    ['ws://h:0/'],
    ['ws://h:-1/'],
    ['ws://h:+80/'],
    ['ws://h:80x/'],
    ['ws://h:abc/'],
    ['ws://h:65536/'],
    ['ws://h:99999/'],
    ['ws://h:1e3/'],
    ['ws://h:80:80/'],
    ['ws://::1/'],
    ['ws://[]/'],
    ['ws://[::1/'],
    ['ws://::1]/'],
    ['ws://[::1]x/'],
    ['ws://[127.0.0.1]/'],
    ['ws://[::1%25lo]/'],
    ['ws://[fe80::1%lo]/'],
    ['ws://+socket:/'],
    ['ws://ex%41mple/'],
    ['ws://h<x>/'],
    ['ws://a,b/'],
    ['ws://\u00ad/'],
  ])('%j', (url) => {
    expect(parseUrl(url, documented)).toBeTypeOf('string');
  });

  it('beyond the limit, which counts bytes', () => {
    const ascii = 'ws://h/'.padEnd(MAX_URL_BYTES, 'a');
    expect(parsed(ascii).path).toHaveLength(MAX_URL_BYTES - 'ws://h'.length);
    expect(parseUrl(`${ascii}a`, documented)).toBeTypeOf('string');
    const umlauts = `ws://h/${'ü'.repeat((MAX_URL_BYTES - 7) / 2)}`;
    expect(parseUrl(umlauts, documented)).toBeTypeOf('object');
    expect(parseUrl(`${umlauts}ü`, documented)).toBeTypeOf('string');
  });
});

describe("netstack's reading", () => {
  it.each([
    ['ws://h:9301x/', 9301],
    ['ws://h:abc/', 0],
    ['ws://h:/', 0],
    ['ws://h:0/', 0],
    ['ws://h:-1/', 65535],
    ['ws://h:99999/', 99999 - 65536],
  ])('of %s has port %i', (url, port) => {
    expect(parsed(url, netstack).port).toBe(port);
  });

  it('sends the fragment and drops one of several slashes', () => {
    expect(parsed('ws://h/p?q=1#frag', netstack).path).toBe('/p?q=1#frag');
    expect(parsed('ws://h//a"b', netstack).path).toBe('/a"b');
  });

  it('has no brackets in Host and Origin', () => {
    const target = { host: '::1:9001', bareHost: '::1' };
    expect(parsed('ws://[::1]:9001/', netstack)).toMatchObject(target);
  });

  it.each([['WS://h/'], ['Ws://h/'], ['ws://h/a b'], ['ws://h/a\r\nX: 1'], ['ws://h/\0']])(
    'refuses %j',
    (url) => {
      expect(parseUrl(url, netstack)).toBeTypeOf('string');
    },
  );
});
