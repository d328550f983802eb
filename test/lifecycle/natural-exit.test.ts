/**
 * A process ends by itself as soon as nothing of the package is open any more, whatever way its
 * endpoints ended, and not before.
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Child, expectExit } from '../helpers/child.js';

const natural = new URL('./fixtures/natural.mjs', import.meta.url);
const alive = new URL('./fixtures/alive.mjs', import.meta.url);
const leave = new URL('./fixtures/leave.mjs', import.meta.url);

describe('the process ends by itself', () => {
  test.each([
    'client closes',
    'client closed by its peer',
    'client dropped by its peer',
    'close that is never answered',
    'connect refused by TCP',
    'connect refused by HTTP',
    'connect with a bad url',
    'close before open',
    'server stops, idle',
    'server stops with clients',
    'server stops in the middle of traffic',
    'server stops with a client that does not read',
    'client closes in the middle of traffic',
    'start on a busy port',
    'start on an address that is not ours',
    'everything twice',
    'reached with bad arguments only',
  ])('%s', async (scenario) => {
    const { stdout } = await expectExit(natural, { args: [scenario] });
    expect(stdout).toMatch(/done\n$/);
  });

  test.each(['loaded', 'created', 'closed'])('when only %s', async (stage) => {
    await expectExit(leave, { args: ['return', stage] });
  });
});

describe('the process stays alive', () => {
  let peer: WebSocketServer | undefined;

  afterEach(() => {
    for (const client of peer?.clients ?? []) client.terminate();
    peer?.close();
    peer = undefined;
  });

  async function listen(): Promise<string> {
    peer = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(peer, 'listening');
    return `ws://127.0.0.1:${(peer.address() as AddressInfo).port}/`;
  }

  async function peerConnection(): Promise<WebSocket> {
    const [connection] = await once(peer as WebSocketServer, 'connection');
    return connection;
  }

  test('as long as a server is started', async () => {
    const child = new Child(alive, { args: ['server'] });
    const { port } = (await child.message()) as { port: number };
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(client, 'open');
    client.send('stop');
    await child.exits(0);
  });

  test('as long as a client is connected', async () => {
    const child = new Child(alive, { args: ['client', await listen()] });
    const connection = await peerConnection();
    await child.message();
    connection.send('close');
    await child.exits(0);
  });

  test('as long as a client is connected that the program has no reference to', async () => {
    const child = new Child(alive, { args: ['client without a reference', await listen()] });
    const connection = await peerConnection();
    await child.message();
    connection.close();
    await child.exits(0);
  });

  test('and its signal handlers run', async () => {
    const child = new Child(alive, { args: ['signal'] });
    await child.message();
    child.kill('SIGTERM');
    await child.exits(0);
  });

  test('and a signal without a handler ends it', async () => {
    const child = new Child(alive, { args: ['server'] });
    await child.message();
    child.kill('SIGTERM');
    expect((await child.ended()).signal).toBe('SIGTERM');
  });
});
