/** The proxy option and its exclusion list (§2.2.4; C18, C19). */

import { describe, expect, it } from 'vitest';
import { documented, netstack } from '../../lib/profile.js';
import { isExcluded, readProxy } from '../../lib/proxy.js';

describe('an exclusion', () => {
  it.each([
    ['target.example', 'target.example', true, true],
    ['target.example', ' target.example ', true, true],
    ['target.example', '*', true, true],
    ['target.example', 'target.*', true, true],
    ['target.example', '*.example', true, true],
    ['target.example', 't*t.ex*e', true, true],
    ['target.example', 't**********example', true, true],
    ['target.example', 'TARGET.EXAMPLE', true, false],
    ['target.example', 'example', true, false],
    ['target.example', '.example', true, false],
    ['target.example', 'target.example.', true, false],
    ['target.example.', 'target.example', true, false],
    ['target.example', 'get.example', false, false],
    ['target.example', 'target', false, false],
    ['target.example', 'target.exampl', false, false],
    ['targetxexample', 'target.example', false, false],
    ['target.example', '', false, false],
    ['target.example', '(target|x).example', false, false],
    ['a+b.example', 'a+*.example', true, false],
    ['a+b.example', 'a+b.example', true, true],
    ['10.0.0.1', '10.0.0.1', true, true],
    ['10.0.0.1', '10.0.*', true, true],
    ['110.0.0.1', '10.0.0.1', false, false],
    ['::1', '*', true, true],
    ['::1', '::1', true, false],
    ['::1', '[::1]', true, false],
  ])('of %s by %j: %s, in netstack %s', (hostname, entry, here, there) => {
    const exclusions = ['other', entry];
    expect(isExcluded(hostname, exclusions, documented)).toBe(here);
    expect(isExcluded(hostname, exclusions, netstack)).toBe(there);
  });
});

describe('a proxy', () => {
  const given = { exclusionList: [], username: 'u', password: 'p w' };

  it('has the user and password of the option (C18)', () => {
    expect(readProxy({ ...given, host: 'h', port: 8080.9 }, documented)).toEqual({
      host: 'h',
      port: 8080,
      user: 'u',
      password: 'p w',
      exclusions: [],
    });
    const untyped = { ...given, host: '[::1]', port: 1, username: 1, password: null };
    expect(readProxy(untyped, documented)).toMatchObject({ host: '::1', user: '', password: '' });
  });

  it.each([
    ['h', 1, { host: 'h', port: 1, user: '', password: '' }],
    ['http://h', 1, { host: 'h', port: 1, user: '', password: '' }],
    ['h:8080', 1, { host: 'h', port: 8080, user: '', password: '' }],
    ['h:8080', 0, { host: 'h', port: 8080, user: '', password: '' }],
    ['a:b@h', 1, { host: 'h', port: 1, user: 'a', password: 'b' }],
    ['a@h', 1, { host: 'h', port: 1, user: 'a', password: '' }],
    ['http://a:b:c@d@[::1]:80', 1, { host: '::1', port: 80, user: 'a', password: 'b:c@d' }],
  ])('of netstack finds all of it in the host %j', (host, port, expected) => {
    expect(readProxy({ ...given, host, port }, netstack)).toMatchObject(expected);
  });

  it.each([
    ['', 1],
    ['h', 0],
    ['h:x', 1],
    ['http://', 1],
  ])('of netstack is none with host %j and port %i', (host, port) => {
    expect(readProxy({ ...given, host, port }, netstack)).toBeUndefined();
  });
});
