/** What servers publish through `diagnostics_channel`, seen by subscribers of Node's own module. */

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { TestServer } from '../helpers/endpoints.js';
import { slowReader } from './slow-reader.js';

const NAMES = ['open', 'close', 'refuse', 'error', 'backpressure'] as const;

interface Published {
  readonly name: string;
  readonly server: unknown;
  readonly [key: string]: unknown;
}

/** Everything that is published from now on, until the test is over. */
function listen(names: readonly string[] = NAMES): Published[] {
  const published: Published[] = [];
  for (const name of names) {
    const listener = (message: unknown): void => {
      published.push({ name, ...(message as { server: unknown }) });
    };
    subscribe(`ohos-websocket:server.${name}`, listener);
    onTestFinished(() => void unsubscribe(`ohos-websocket:server.${name}`, listener));
  }
  return published;
}

async function wsClient(url: string): Promise<WsClient> {
  const client = new WsClient(url);
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  return client;
}

describe('diagnostics_channel', () => {
  test('open and close, before the events', async () => {
    const published = listen();
    const { server } = new TestServer();
    const seen: unknown[] = [];
    server.on('connect', (connection) => seen.push(published.length, connection));
    const closed = new Promise<void>((resolve) => {
      server.on('close', () => {
        seen.push(published.length);
        resolve();
      });
    });
    await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    client.close(3000, 'bye');
    await closed;
    const [, connection] = seen;
    expect(seen).toEqual([1, connection, 2]);
    expect(published).toEqual([
      { name: 'open', server, connection },
      { name: 'close', server, connection, code: 3000, reason: 'bye', abnormal: false },
    ]);
    expect(published[0]?.['connection']).toBe(connection);
  });

  test('refuse and error, with a listener of `error` or not', async () => {
    const published = listen();
    const { server } = new TestServer({ without: ['error'] });
    await server.start({ serverIP: '127.0.0.1', serverPort: 0, maxConcurrentClientsNumber: 0 });
    const told = new Promise((resolve) => {
      subscribe('ohos-websocket:server.error', resolve);
      onTestFinished(() => void unsubscribe('ohos-websocket:server.error', resolve));
    });
    const client = new WsClient(`ws://127.0.0.1:${server.port}/`);
    await Promise.all([once(client, 'error'), told]);
    expect(published).toMatchObject([
      { name: 'refuse', clientIP: '127.0.0.1', httpStatus: 503, reason: 'too many clients' },
      { name: 'error', error: { code: 200, cause: { detail: 'too many clients' } } },
    ]);
    expect(published.map((message) => message.server === server)).toEqual([true, true]);
  });

  test('an abnormal end', async () => {
    const published = listen(['close', 'error']);
    const test = await TestServer.start();
    const client = await wsClient(test.url());
    client.terminate();
    await test.nextClose();
    expect(published).toMatchObject([
      { name: 'close', abnormal: true },
      { name: 'error', error: { code: 200 } },
    ]);
  });

  test('back-pressure, once until it is over', async () => {
    const published = listen(['backpressure']);
    const { server, log } = await TestServer.start();
    const socket = slowReader(server.port as number);
    const connection = (await log.value('connect')) as { clientIP: string; clientPort: number };
    const sends = Array.from({ length: 5 }, () =>
      server.send(new ArrayBuffer(4 * 1024 * 1024), connection),
    );
    expect(published).toEqual([{ name: 'backpressure', server, connection, phase: 'begin' }]);
    socket.resume();
    await Promise.all(sends);
    expect(published.slice(1)).toEqual([
      { name: 'backpressure', server, connection, phase: 'end' },
    ]);
  });

  test('a subscriber that throws harms nobody', async () => {
    const errors: unknown[] = [];
    const keep = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => errors.push(error));
    const fail = (): never => {
      throw new Error('a subscriber');
    };
    subscribe('ohos-websocket:server.open', fail);
    onTestFinished(() => {
      unsubscribe('ohos-websocket:server.open', fail);
      process.removeAllListeners('uncaughtException');
      for (const listener of keep) process.on('uncaughtException', listener);
    });
    const echo = await TestServer.startEcho();
    const client = await wsClient(echo.url());
    client.send('hello');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toBe('hello');
    expect(errors).toMatchObject([{ message: 'a subscriber' }]);
  });

  test('nothing is left behind by those who have gone', () => {
    for (const name of NAMES) {
      expect(channel(`ohos-websocket:server.${name}`).hasSubscribers).toBe(false);
    }
  });
});
