/**
 * The examples run, say what they should, and end by themselves.
 */

import { describe, expect, test } from 'vitest';
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
});
