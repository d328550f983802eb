/** The options `onUpgrade` and `keepHeaders`: their types, the profile without them, what connections know by them. */

import * as parity from 'ohos-websocket/parity';
import { describe, expect, it } from 'vitest';
import { rejection, TestServer } from '../helpers/endpoints.js';
import { ask, offering } from './upgrade-hook.js';

describe('options', () => {
  it('keepHeaders gives every connection those of its request', async () => {
    for (const onUpgrade of [undefined, () => true]) {
      const server = await TestServer.start({ keepHeaders: true, ...(onUpgrade && { onUpgrade }) });
      const { head } = await ask(server, { extra: ['X-One: 1', 'x-one: 2', 'Cookie: a'] });
      expect(head.status).toBe(101);
      const { headers } = await server.nextConnect();
      expect(headers).toMatchObject({ 'x-one': '1, 2', cookie: 'a' });
      await server.stop();
    }
  });

  it('without a hook a connection knows its path and subprotocol', async () => {
    const server = await TestServer.start({ protocol: 'two' });
    await ask(server);
    expect(await server.nextConnect()).toMatchObject({ path: '/', protocol: '' });
    await ask(server, { startLine: 'GET /a%20b?c HTTP/1.1', extra: [offering('one,two')] });
    const connection = await server.nextConnect();
    const { path, protocol, headers, remoteAddress, data } = connection;
    expect([path, protocol, headers, remoteAddress, data]).toEqual([
      ...['/a%20b?c', 'two', undefined],
      ...['127.0.0.1', undefined],
    ]);
    expect(Object.keys(connection)).toEqual(['clientIP', 'clientPort']);
  });

  it.each([
    ['onUpgrade', 5],
    ['onUpgrade', {}],
    ['onUpgrade', null],
    ['keepHeaders', 'yes'],
    ['keepHeaders', null],
  ])('%s: %j gives 401', async (name, value) => {
    const started = new TestServer().start({ [name]: value });
    expect(await rejection(started)).toMatchObject({ code: 401 });
  });

  it.each(['onUpgrade', 'keepHeaders'])('%s is refused in the netstack profile', async (name) => {
    const server = parity.createWebSocketServer();
    const value = name === 'keepHeaders' ? true : () => false;
    const started = server.start({ serverIP: '127.0.0.1', serverPort: 0, [name]: value });
    expect(await rejection(started)).toMatchObject({
      code: 401,
      cause: { detail: expect.stringContaining(name) },
    });
  });
});
