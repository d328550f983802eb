/**
 * The examples run, say what they should, and end by themselves.
 */

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Child, expectExit, SLOWNESS } from '../helpers/child.js';
import { TestClient } from '../helpers/endpoints.js';

const example = (name: string): URL => new URL(`../../examples/${name}.mjs`, import.meta.url);

describe('examples', () => {
  test('the demo', { timeout: 90_000 * SLOWNESS }, async () => {
    const { stdout } = await expectExit(example('demo'), { limitMs: 60_000 });
    expect(stdout).toMatch(/[\d,]+ messages, [\d.]+ MB went there and came back intact/);
    expect(stdout).not.toMatch(/FAILED/);
  });

  test('the demo on a port that is taken', async () => {
    const server = new Child(example('echo-server'), { args: ['0'] });
    const [, port = ''] = await server.printed(/listening on port (\d+)/);
    const { stdout } = await expectExit(example('demo'), { args: [port], code: 1 });
    expect(stdout).toMatch(/FAILED {2}start: Websocket port already occupied/);
    server.kill('SIGINT');
    await server.exits(0);
  });

  test('the echo server and its client', async () => {
    const server = new Child(example('echo-server'), { args: ['0'] });
    const [, port] = await server.printed(/listening on port (\d+)/);
    const { stdout } = await expectExit(example('client'), { args: [`ws://127.0.0.1:${port}/`] });
    expect(stdout).toBe('received hello\nclosed: 1000 CLOSE_NORMAL\n');
    await server.printed(/127\.0\.0\.1:\d+ 1000 CLOSE_NORMAL/);
    server.kill('SIGINT');
    await server.exits(0);
  });

  test('the server that knows its users', async () => {
    const server = new Child(example('auth'), { args: ['0'] });
    const [, port] = await server.printed(/listening on port (\d+)/);
    const url = `ws://127.0.0.1:${port}/?token=`;
    const { stdout } = await expectExit(example('client'), { args: [`${url}ada`] });
    expect(stdout).toBe('received Ada Lovelace: hello\nclosed: 1000 CLOSE_NORMAL\n');
    const stranger = new TestClient();
    await stranger.connect(`${url}eve`);
    expect(await stranger.nextError()).toMatchObject({ data: '401' });
    await server.printed(/refused 127\.0\.0\.1/);
    server.kill('SIGINT');
    await server.exits(0);
  });

  test('the server that stops gracefully', async () => {
    const server = new Child(example('graceful-stop'), { args: ['0'] });
    const [, port] = await server.printed(/listening on port (\d+)/);
    const client = await TestClient.open(`ws://127.0.0.1:${port}/`);
    await client.send('hello');
    expect(await client.nextMessage()).toBe('hello');
    server.kill('SIGTERM');
    expect(await client.nextClose()).toEqual({ code: 1001, reason: 'server is going away' });
    const { stdout } = await server.exits(0);
    expect(stdout).toContain('drained: 1 closed, 0 cut, 0 refused\n');
  });

  test('the dashboard: its page, and what the page is told', async () => {
    const dashboard = new Child(example('dashboard'), { args: ['0', '0'] });
    const [, page = '', server = ''] = await dashboard.printed(/page: (\S+) {2}server: (\S+)/);
    const html = await (await fetch(page)).text();
    expect((await fetch(new URL('other', page))).status).toBe(404);
    const [feed = ''] = /ws:\/\/127\.0\.0\.1:\d+\//.exec(html) ?? [];
    // Another page of the same browser may not look.
    const [refused] = await once(new WebSocket(feed, { origin: 'https://evil.example' }), 'error');
    expect(String(refused)).toContain('403');
    const viewer = new WebSocket(feed, { origin: new URL(page).origin });
    const told: { kind: string; name?: string; stats?: { received: { messages: number } } }[] = [];
    viewer.on('message', (data: Buffer) => told.push(JSON.parse(data.toString())));
    const until = async (has: (message: (typeof told)[number]) => boolean): Promise<void> => {
      while (!told.some(has)) await once(viewer, 'message');
    };
    await until(({ kind }) => kind === 'stats');
    const client = new WebSocket(server);
    await once(client, 'open');
    await until(({ name }) => name === 'open');
    client.send('hello');
    await once(client, 'message');
    await until(({ stats }) => stats?.received.messages === 1);
    client.close();
    await until(({ name }) => name === 'close');
    viewer.close();
    dashboard.kill('SIGINT');
    await dashboard.exits(0);
  });

  test('the server with rooms', async () => {
    const server = new Child(example('topics'), { args: ['0'] });
    const [, port] = await server.printed(/listening on port (\d+)/);
    const [ann, ben] = [
      await TestClient.open(`ws://127.0.0.1:${port}/`),
      await TestClient.open(`ws://127.0.0.1:${port}/`),
    ];
    await ann.send('join tea');
    expect(await ann.nextMessage()).toBe('tea: 1 here');
    await ben.send('join tea');
    expect(await ann.nextMessage()).toBe('tea: somebody joined');
    expect(await ben.nextMessage()).toBe('tea: 2 here');
    await ben.send('say tea two lumps,\nplease');
    expect(await ann.nextMessage()).toBe('tea: two lumps,\nplease');
    await ann.send('sing');
    expect(await ann.nextMessage()).toBe('no such command: sing');
    await ann.send('leave tea');
    expect(await ben.nextMessage()).toBe('tea: somebody left');
    await ann.close();
    await server.printed(/127\.0\.0\.1:\d+ left \[ 'tea' \]/);
    server.kill('SIGINT');
    expect(await ben.nextMessage()).toBe('the server goes');
    expect(await ben.nextClose()).toMatchObject({ code: 1001 });
    await server.exits(0);
  });
});
