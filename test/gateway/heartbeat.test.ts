/**
 * The server's heartbeat and idle time, seen by peers that answer, that do not, and that say
 * nothing. Times are short and nothing is judged by how long it took: the C++ tests of
 * `heartbeat` and `timing_wheel` have a clock of their own.
 */

import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { rejection, TestServer } from '../helpers/endpoints.js';
import { call, newServer } from '../helpers/fake-endpoints.js';
import { ended, wsClient } from './ws-client.js';

describe('heartbeat', () => {
  test.each([0, 1])('pings again and again a client that answers, jitter %d', async (jitter) => {
    const { server, ...test } = await TestServer.start({
      heartbeat: { intervalMs: 20, timeoutMs: 60_000, jitter },
    });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    for (let n = 0; n < 5; n++) {
      const [payload] = (await once(client, 'ping')) as [Buffer];
      expect(payload.length).toBe(0);
    }
    expect((await server.stats()).connections.open).toBe(1);
    expect(test.log.names).toEqual(['connect']);
  });

  test('gives up a client that does not answer, while another lives', async () => {
    const { log, ...rest } = await TestServer.start({
      heartbeat: { intervalMs: 20, timeoutMs: 1000 },
    });
    const url = `ws://127.0.0.1:${rest.server.port}/`;
    const mute = await wsClient(url, { autoPong: false });
    const { clientPort } = (await log.value('connect')) as { clientPort: number };
    const alive = await wsClient(url);
    const end = ended(mute);
    const [connection, close] = (await log.next('close')) as [object, object];
    expect(connection).toMatchObject({ clientPort });
    expect(close).toMatchObject({ code: 0 });
    expect(log.all('error')[0]).toMatchObject([{ cause: { detail: 'no pong in time' } }]);
    expect((await end).code).toBe(1006);
    await once(alive, 'ping');
    expect((await rest.server.stats()).connections.open).toBe(1);
  });

  test('messages are no sign of life, as OpenHarmony has it (C22)', async () => {
    const { log, server } = await TestServer.start({
      heartbeat: { intervalMs: 20, timeoutMs: 500 },
    });
    const mute = await wsClient(`ws://127.0.0.1:${server.port}/`, { autoPong: false });
    const talk = setInterval(() => mute.readyState === mute.OPEN && mute.send('still here'), 5);
    onTestFinished(() => clearInterval(talk));
    await log.next('close');
    expect(log.all('messageReceive').length).toBeGreaterThan(0);
  });

  test('`false` is none: an idle server does not wake up', async () => {
    const { server } = await TestServer.start({ heartbeat: false });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    let pings = 0;
    client.on('ping', () => {
      pings += 1;
    });
    // Each question is one wake: no other has happened in between.
    const first = (await server.stats()).thread;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const second = (await server.stats()).thread;
    expect(second.sleeps - first.sleeps).toBeLessThanOrEqual(2);
    expect(pings).toBe(0);
  });

  test('`true` and a missing option are 40 s and 10 s without jitter', async () => {
    for (const heartbeat of [undefined, true, {}, { jitter: undefined }]) {
      const { server, transport } = newServer();
      call(server, 'start', { serverPort: 1, heartbeat });
      expect(transport.server.config.heartbeat).toEqual({
        pingIntervalMs: 40_000,
        pongTimeoutMs: 10_000,
        pingJitterMs: 0,
      });
    }
  });

  test('the options reach the engine', () => {
    const { server, transport } = newServer();
    call(server, 'start', {
      serverPort: 1,
      heartbeat: { intervalMs: 1001, timeoutMs: 86_400_000, jitter: 0.25 },
    });
    expect(transport.server.config.heartbeat).toEqual({
      pingIntervalMs: 1001,
      pongTimeoutMs: 86_400_000,
      pingJitterMs: 250,
    });
  });

  test.each([
    ['heartbeat', 1],
    ['heartbeat', null],
    ['heartbeat.intervalMs', { intervalMs: 0 }],
    ['heartbeat.intervalMs', { intervalMs: 86_400_001 }],
    ['heartbeat.timeoutMs', { timeoutMs: 1.5 }],
    ['heartbeat.timeoutMs', { timeoutMs: '5' }],
    ['heartbeat.jitter', { jitter: -0.1 }],
    ['heartbeat.jitter', { jitter: 1.01 }],
    ['heartbeat.jitter', { jitter: Number.NaN }],
    ['heartbeat.interval', { interval: 5 }],
  ])('%s is refused with 401: %j', async (name, heartbeat) => {
    const { server, transport } = newServer();
    const error = await rejection(call(server, 'start', { serverPort: 1, heartbeat }));
    expect(error).toMatchObject({ code: 401, cause: { detail: expect.stringContaining(name) } });
    expect(transport.servers).toEqual([]);
  });
});

describe('idle time', () => {
  test('a silent connection is closed with 1001, pings and pongs notwithstanding', async () => {
    const { log, server } = await TestServer.start({
      heartbeat: { intervalMs: 10, timeoutMs: 60_000 },
      limits: { idleTimeoutMs: 500 },
    });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    let pings = 0;
    client.on('ping', () => {
      pings += 1;
      client.ping();
    });
    expect(await ended(client)).toEqual({ code: 1001, reason: 'idle' });
    expect(pings).toBeGreaterThan(0);
    const [, close] = await log.next('close');
    expect(close).toMatchObject({ code: 1001, reason: 'idle' });
    expect(log.all('error')).toEqual([]);
  });

  test.each(['client', 'server'])('messages of the %s keep it open', async (who) => {
    const { log, server } = await TestServer.start({ limits: { idleTimeoutMs: 1500 } });
    const url = `ws://127.0.0.1:${server.port}/`;
    const busy = await wsClient(url);
    const connection = (await log.value('connect')) as { clientIP: string; clientPort: number };
    const silent = await wsClient(url);
    const talk = setInterval(() => {
      if (who === 'client') busy.send('x');
      else void server.send('x', connection);
    }, 20);
    onTestFinished(() => clearInterval(talk));
    // Opened after the other, and ended before it.
    expect(await ended(silent)).toEqual({ code: 1001, reason: 'idle' });
    expect(busy.readyState).toBe(WsClient.OPEN);
    clearInterval(talk);
    expect(await ended(busy)).toEqual({ code: 1001, reason: 'idle' });
  });

  test('a message on its way to a slow reader is no silence', async () => {
    const test = new TestServer({ without: ['connect'] });
    const { server } = test;
    let isFirst = true;
    server.on('connect', (connection) => {
      if (!isFirst) return;
      isFirst = false;
      void server.send(new ArrayBuffer(5_000_000), connection);
      void server.send(new ArrayBuffer(5_000_000), connection);
    });
    await test.start({ heartbeat: false, limits: { idleTimeoutMs: 1000 } });
    const url = `ws://127.0.0.1:${server.port}/`;
    const slow = new WsClient(url, { perMessageDeflate: false });
    onTestFinished(() => slow.terminate());
    slow.once('open', () => slow.pause());
    await once(slow, 'open');
    // Another, silent one is given up twice in the meantime.
    for (let n = 0; n < 2; n++) expect((await ended(await wsClient(url))).code).toBe(1001);
    expect((await server.stats()).connections).toMatchObject({ open: 1, blocked: 1 });
    const sizes: number[] = [];
    slow.on('message', (data: Buffer) => sizes.push(data.length));
    slow.resume();
    expect(await ended(slow)).toEqual({ code: 1001, reason: 'idle' });
    expect(sizes).toEqual([5_000_000, 5_000_000]);
  });

  test('what is sent until the end is known still leaves', async () => {
    const { server } = await TestServer.start({ limits: { idleTimeoutMs: 20 } });
    const late = new Promise((resolve) => {
      server.on('close', (connection) => resolve(rejection(server.send('late', connection))));
    });
    server.on('connect', (connection) => {
      // JavaScript is busy while the engine gives the connection up.
      const until = Date.now() + 200;
      while (Date.now() < until);
      void server.send('in time', connection);
    });
    const client = new WsClient(`ws://127.0.0.1:${server.port}/`);
    onTestFinished(() => client.terminate());
    const messages: string[] = [];
    client.on('message', (data: Buffer) => messages.push(data.toString()));
    expect(await ended(client)).toEqual({ code: 1001, reason: 'idle' });
    expect(messages).toEqual(['in time']);
    expect(await late).toMatchObject({ code: 2302006 });
  });
});
