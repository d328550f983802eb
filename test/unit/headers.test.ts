/** Headers of the handshake, both ways (§2.2.2, §2.5; C11, C12, C36). */

import { describe, expect, it } from 'vitest';
import { readHeaders, readProtocols, responseHeaders } from '../../lib/headers.js';
import { documented, netstack } from '../../lib/profile.js';

function lines(header: unknown, profile = documented): unknown {
  const read = readHeaders(header, profile);
  return typeof read === 'string' ? read : read.lines;
}

describe('request headers', () => {
  it('are in lower case, sorted by code unit, values verbatim', () => {
    const header = { 'X-Zed': '1', Authorization: 'Bearer  T ', 'x-alpha': 'ü', _b: '2' };
    expect(lines(header)).toEqual([
      ['_b', '2'],
      ['authorization', 'Bearer  T '],
      ['x-alpha', 'ü'],
      ['x-zed', '1'],
    ]);
  });

  it('of names that differ in case are the last one', () => {
    expect(lines({ 'X-A': '1', 'x-a': '2' })).toEqual([['x-a', '2']]);
  });

  it('convert scalars, join arrays, and leave out what is empty', () => {
    const header = {
      a: 5,
      b: true,
      c: ['x', 1],
      cookie: ['k=v', 'l=w'],
      e: '',
      n: null,
      u: undefined,
    };
    expect(lines(header)).toEqual([
      ['a', '5'],
      ['b', 'true'],
      ['c', 'x, 1'],
      ['cookie', 'k=v; l=w'],
    ]);
    expect(lines({ ...header, kept: 'k' }, netstack)).toEqual([['kept', 'k']]);
  });

  it.each([['x'], [5], [undefined], [null], [() => {}]])(
    'are none if the option is %j',
    (header) => {
      expect(lines(header)).toEqual([]);
    },
  );

  it('of an array are its elements', () => {
    expect(lines(['v'])).toEqual([['0', 'v']]);
  });

  it.each([
    [{ 'a b': '1' }],
    [{ '': '1' }],
    [{ 'a:': '1' }],
    [{ ä: '1' }],
    [{ 'a\r\nb': '1' }],
    [{ a: '1\r\nb: 2' }],
    [{ a: '1\n' }],
    [{ a: '\0' }],
    [{ a: '\x7f' }],
    [{ 'Content-Length': '5' }],
    [{ 'transfer-encoding': 'chunked' }],
  ])('%j are refused in both profiles', (header) => {
    expect(lines(header)).toBeTypeOf('string');
    expect(lines(header, netstack)).toBeTypeOf('string');
  });

  it.each([[{ a: {} }], [{ a: [{}] }], [{ a: () => {} }], [{ a: Symbol('s') }], [{ a: [['x']] }]])(
    'whose value is no text are refused (%#)',
    (header) => {
      expect(lines(header)).toBeTypeOf('string');
      expect(lines(header, netstack)).toEqual([]);
    },
  );

  it.each([
    ['Host'],
    ['connection'],
    ['Upgrade'],
    ['Sec-WebSocket-Key'],
    ['sec-websocket-protocol'],
    ['Sec-WebSocket-Anything'],
  ])('may not repeat %s, except in netstack', (name) => {
    expect(lines({ [name]: 'v' })).toBeTypeOf('string');
    expect(lines({ [name]: 'v' }, netstack)).toEqual([[name.toLowerCase(), 'v']]);
  });

  it('may replace Origin; in netstack there are two', () => {
    const header = { Origin: 'http://me.example', a: '1' };
    expect(readHeaders(header, documented)).toEqual({
      lines: [['a', '1']],
      origin: 'http://me.example',
    });
    expect(readHeaders(header, netstack)).toEqual({
      lines: [
        ['a', '1'],
        ['origin', 'http://me.example'],
      ],
      origin: undefined,
    });
  });

  it('come from own properties only', () => {
    expect(lines(Object.create({ inherited: '1' }))).toEqual([]);
  });
});

describe('a list of subprotocols', () => {
  it.each([
    ['', []],
    ['chat', ['chat']],
    ['a,b', ['a', 'b']],
    [' a ,\tb ', ['a', 'b']],
  ])('%j', (text, names) => {
    expect(readProtocols(text)).toEqual(names);
  });

  it.each([[','], ['a,,b'], ['a b'], ['a;b'], ['ü'], ['a\r\nb'], [' ']])('is not %j', (text) => {
    expect(readProtocols(text)).toBeTypeOf('string');
  });
});

describe('response headers', () => {
  const received = [
    ['upgrade', 'websocket'],
    ['set-cookie', 'a=1; Path=/'],
    ['vary', 'x'],
    ['set-cookie', 'b=2'],
    ['vary', 'y'],
    ['__proto__', 'p'],
  ] as const;

  it('are sorted; cookies are an array, other repeated ones are joined', () => {
    const headers = responseHeaders(received, documented);
    expect(Object.keys(headers)).toEqual(['__proto__', 'set-cookie', 'upgrade', 'vary']);
    expect(Object.values(headers)).toEqual(['p', ['a=1; Path=/', 'b=2'], 'websocket', 'x, y']);
  });

  it('are all joined in netstack, with two blanks', () => {
    const headers = responseHeaders(received, netstack);
    expect(headers['set-cookie']).toBe('a=1; Path=/;  b=2');
    expect(headers['vary']).toBe('x,  y');
  });

  it('of 1024 bytes are empty in netstack', () => {
    const long = [
      ['a', 'ü'.repeat(511)],
      ['b', 'ü'.repeat(512)],
    ] as const;
    expect(responseHeaders(long, netstack)).toEqual({ a: 'ü'.repeat(511), b: '' });
    expect(responseHeaders(long, documented)['b']).toHaveLength(512);
  });

  it('with one cookie have a string', () => {
    expect(responseHeaders([['set-cookie', 'a=1']], documented)).toEqual({ 'set-cookie': 'a=1' });
  });
});
