/**
 * Bad arguments of every method, by table: the documented code, and nothing changed (§2.2–§2.4,
 * §3.3).
 */

import { describe, expect, it, vi } from 'vitest';
import { netstack } from '../../lib/profile.js';
import {
  call,
  newClient,
  newServer,
  nobody,
  openClient,
  runningServer,
  url,
} from '../helpers/fake-endpoints.js';
import { accepted, rejection, settled } from '../helpers/fake-transport.js';

describe('bad arguments of the client', () => {
  const fn = (): void => {};
  it.each<['connect' | 'send' | 'close', string, unknown[]]>([
    ['connect', 'nothing', []],
    ['connect', 'a number', [5]],
    ['connect', 'null', [null]],
    ['connect', 'an object', [{}]],
    ['connect', 'a number for options', [url, 5]],
    ['connect', 'a string for options', [url, 'x']],
    ['connect', 'a callback before options', [url, fn, {}]],
    ['connect', 'no function for callback', [url, {}, 5]],
    ['connect', 'four arguments', [url, {}, fn, 1]],
    ['connect', 'a wrong proxy', [url, { proxy: 'direct' }]],
    ['connect', 'a wrong protocol', [url, { protocol: 1 }]],
    ['connect', 'a header of the handshake', [url, { header: { Host: 'x' } }]],
    ['send', 'nothing', []],
    ['send', 'undefined', [undefined]],
    ['send', 'null', [null]],
    ['send', 'a number', [5]],
    ['send', 'an object', [{}]],
    ['send', 'an array', [[1]]],
    ['send', 'shared memory', [new SharedArrayBuffer(1)]],
    ['send', 'a view of shared memory', [new Uint8Array(new SharedArrayBuffer(1))]],
    ['send', 'no function for callback', ['x', 5]],
    ['send', 'three arguments', ['x', fn, 1]],
    ['send', 'a text that is too long', ['s'.repeat(5_242_865)]],
    ['send', 'a text of too many bytes', ['ü'.repeat(2_621_433)]],
    ['send', 'a buffer that is too long', [new ArrayBuffer(5_242_865)]],
    ['close', 'a number', [5]],
    ['close', 'a string', ['x']],
    ['close', 'no function for callback', [{}, 5]],
    ['close', 'a callback before options', [fn, {}]],
    ['close', 'three arguments', [{}, fn, 1]],
  ])('of %s: %s is 401, in any state, and changes nothing', async (method, _what, args) => {
    const idle = newClient();
    const open = openClient();
    for (const { ws, transport } of [idle, open]) {
      const before = transport.clients.length;
      const error = await rejection(call(ws, method, ...args));
      expect(error).toMatchObject({ code: 401, message: 'Parameter error' });
      expect(error.cause).toMatchObject({ phase: 'arguments', detail: expect.stringMatching(/./) });
      expect(transport.clients).toHaveLength(before);
    }
    expect(open.connection.sent).toEqual([]);
    expect(open.connection.closes).toEqual([]);
  });

  it.each<['connect' | 'send' | 'close', unknown[]]>([
    ['connect', []],
    ['connect', [5]],
    ['connect', [{}, {}]],
    ['connect', [url, 5]],
    ['send', []],
    ['send', [5]],
    ['close', [5]],
  ])('of %s(%j, callback) go to the callback', async (method, args) => {
    const callback = vi.fn();
    expect(call(newClient().ws, method, ...args, callback)).toBeUndefined();
    await settled();
    expect(callback.mock.calls).toEqual([[expect.objectContaining({ code: 401 }), undefined]]);
  });

  it.each<['connect' | 'send' | 'close', unknown[]]>([
    ['connect', [url, undefined]],
    ['connect', [url, {}, undefined]],
    ['send', ['x', undefined]],
    ['send', [new Uint8Array(1)]],
    ['close', [null]],
  ])('of %s in netstack: %j', async (method, args) => {
    const { ws } = openClient(netstack);
    expect((await rejection(call(ws, method, ...args))).code).toBe(401);
  });
});

describe('bad arguments of the server', () => {
  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['no connection', ['x']],
    ['null', ['x', null]],
    ['a number', [5, nobody]],
    ['the arguments swapped', [nobody, 'x']],
    ['an address that is no text', ['x', { clientIP: 1, clientPort: 1 }]],
    ['no port', ['x', { clientIP: '127.0.0.1' }]],
    ['a port that is no number', ['x', { clientIP: '127.0.0.1', clientPort: '1' }]],
    ['three arguments', ['x', nobody, 5]],
    ['a text that is too long', ['s'.repeat(5_242_865), nobody]],
    ['a buffer that is too long', [new ArrayBuffer(5_242_865), nobody]],
    ['shared memory', [new SharedArrayBuffer(1), nobody]],
  ])('of send: %s is 401, running or not', async (_what, args) => {
    const { server, transport } = await runningServer();
    const { connection } = accepted(transport.server, '127.0.0.1', 1);
    for (const each of [server, newServer().server]) {
      const error = await rejection(call(each, 'send', ...args));
      expect(error).toMatchObject({ code: 401, cause: { detail: expect.stringMatching(/./) } });
    }
    expect(connection.sent).toEqual([]);
  });

  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['null', [null]],
    ['no port', [{ clientIP: '127.0.0.1' }]],
    ['a number for options', [nobody, 5]],
    ['a function for options', [nobody, () => {}]],
    ['a code that is no number', [nobody, { code: '1001' }]],
    ['a reason that is no text', [nobody, { reason: 5 }]],
    ['three arguments', [nobody, {}, 1]],
  ])('of close: %s is 401', async (_what, args) => {
    const { server, transport } = await runningServer();
    const { connection } = accepted(transport.server, '127.0.0.1', 1);
    expect((await rejection(call(server, 'close', ...args))).code).toBe(401);
    expect(connection.closes).toEqual([]);
  });
});
