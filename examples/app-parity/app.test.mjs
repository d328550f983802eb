/**
 * The app's module is tested as a device would run it, unchanged, in either profile:
 *
 *   node --import ohos-websocket/register --test examples/app-parity/app.test.mjs
 *   OHOS_WEBSOCKET_PROFILE=netstack node --import ohos-websocket/register --test examples/app-parity/app.test.mjs
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { webSocket } from '@kit.NetworkKit';
import { ask } from './app.mjs';

const server = webSocket.createWebSocketServer();

before(async () => {
  server.on('messageReceive', ({ data, clientConnection }) => {
    server.send(`${data} Forty-two.`, clientConnection);
  });
  await server.start({
    serverIP: '127.0.0.1',
    serverPort: 0,
    maxConcurrentClientsNumber: 1,
    maxConnectionsForOneClient: 10,
  });
});
after(() => server.stop());

test('the answer comes, and the close is the one that was asked for', async () => {
  const { answer, code, reason } = await ask(`ws://127.0.0.1:${server.port}/`, 'Six by seven?');
  assert.equal(answer, 'Six by seven? Forty-two.');
  assert.deepEqual([code, reason], [1000, 'thanks']);
});

test('a server that is not there is an error of the device', async () => {
  await assert.rejects(ask('ws://127.0.0.1:1/', '?'), { code: 200, data: '0' });
});

test('a URL that is none is refused with the code of the documentation', async () => {
  await assert.rejects(ask('http://127.0.0.1/', '?'), { code: 2302001 });
});
