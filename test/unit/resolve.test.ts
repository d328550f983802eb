/** From hosts to addresses: literals, names, failures. */

import { describe, expect, it } from 'vitest';
import { literalAddress, resolve } from '../../lib/resolve.js';
import { FakePlatform } from '../helpers/fake-transport.js';

const failed = { kind: 'network', phase: 'resolve' };

describe('a host', () => {
  it('that is an address needs no resolver', () => {
    expect(literalAddress('127.0.0.1')).toEqual(['127.0.0.1']);
    expect(literalAddress('::1')).toEqual(['::1']);
    expect(literalAddress('localhost')).toBeUndefined();
  });

  it('has all its addresses, each once, in order', async () => {
    const platform = new FakePlatform();
    platform.names.set('h', ['::1', '127.0.0.1', '::1']);
    expect(await resolve('h', platform)).toEqual(['::1', '127.0.0.1']);
  });

  it('that is unknown, or has no address, is a failure', async () => {
    const platform = new FakePlatform();
    platform.names.set('empty', []);
    const unknown = { ...failed, errno: 'ENOTFOUND', detail: 'getaddrinfo ENOTFOUND h' };
    expect(await resolve('h', platform)).toEqual(unknown);
    expect(await resolve('empty', platform)).toMatchObject({ ...failed, errno: 'ENOTFOUND' });
    expect(await resolve('', platform)).toMatchObject({ ...failed, errno: '' });
  });
});
