/**
 * Proves the rules of `on` and `off` of both objects: one listener an event, the newest wins; `off`
 * removes only what is there; bad arguments throw 401; unknown events are ignored.
 */

import { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { callWith, TestClient, TestServer } from '../helpers/endpoints.js';

const objects = [
  ['client', () => webSocket.createWebSocket()],
  ['server', () => webSocket.createWebSocketServer()],
] as const;

const noop = () => undefined;

describe.each(objects)('on and off of the %s', (_name, create) => {
  it.each([
    ['on without arguments', 'on', []],
    ['on without a function', 'on', ['close']],
    ['on with a number for the event', 'on', [5, noop]],
    ['on with a number for the function', 'on', ['close', 5]],
    ['on with too many arguments', 'on', ['close', noop, 1]],
    ['off without arguments', 'off', []],
    ['off with a number for the event', 'off', [5]],
    ['off with a number for the function', 'off', ['close', 5]],
    ['off with too many arguments', 'off', ['close', noop, 1]],
  ])('%s throws 401', (_what, method, args) => {
    const object = create();

    let thrown: unknown;
    try {
      callWith(object, method, args);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toBeInstanceOf(Error);
    expect(thrown).toMatchObject({ message: 'Parameter error' });
    expect(Number((thrown as { code?: unknown }).code)).toBe(401);
  });

  it('ignores unknown events', () => {
    const object = create();

    expect(callWith(object, 'on', ['foo', noop])).toBeUndefined();
    expect(callWith(object, 'off', ['foo'])).toBeUndefined();
    expect(callWith(object, 'off', ['foo', noop])).toBeUndefined();
    expect(callWith(object, 'on', ['toString', noop])).toBeUndefined();
    expect(callWith(object, 'on', ['__proto__', noop])).toBeUndefined();
  });

  it('returns undefined', () => {
    const object = create();

    expect(callWith(object, 'on', ['close', noop])).toBeUndefined();
    expect(callWith(object, 'off', ['close', noop])).toBeUndefined();
    expect(callWith(object, 'off', ['close'])).toBeUndefined();
  });
});

describe('listeners', PATIENT, () => {
  it('replaces the listener of an event by the newest', async () => {
    const server = await TestServer.startEcho();
    const client = await TestClient.open(server.url());
    const heard: string[] = [];

    client.ws.on('message', () => heard.push('first'));
    client.ws.on('message', () => heard.push('second'));
    await client.send('x');
    await client.log.next('dataEnd');

    expect(heard).toEqual(['second']);
  });

  it('off with another function keeps the listener, with the same removes it', async () => {
    const server = await TestServer.startEcho();
    const client = await TestClient.open(server.url());
    const heard: string[] = [];
    const listener = () => heard.push('mine');

    client.ws.on('message', listener);
    client.ws.off('message', () => undefined);
    await client.send('x');
    await client.log.next('dataEnd');
    expect(heard).toEqual(['mine']);

    client.ws.off('message', listener);
    client.ws.on('message', () => heard.push('other'));
    client.ws.off('message', listener);
    await client.send('x');
    await client.log.next('dataEnd');
    expect(heard).toEqual(['mine', 'other']);
  });

  it('off without a function removes whatever is there', async () => {
    const server = await TestServer.start();
    const client = new TestClient();

    client.ws.off('open');
    await client.connect(server.url());
    await client.log.next('openInfo');

    expect(client.log.names).toEqual(['headerReceive', 'openInfo']);
  });

  it('calls handlers without a this', async () => {
    const server = await TestServer.start();
    const client = new TestClient();

    const self = new Promise<unknown>((resolve) => {
      client.ws.on('open', function (this: unknown) {
        resolve(this);
      });
    });
    await client.connect(server.url());

    expect(await self).toBeUndefined();
  });

  it('survive a stop and a start of the server', async () => {
    const server = await TestServer.start();
    await server.stop();
    await server.start();

    await TestClient.open(server.url());

    await server.nextConnect();
  });
});
