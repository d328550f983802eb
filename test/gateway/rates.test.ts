/**
 * Rates of connections and addresses, with clients that send far more than they may. Nothing is
 * judged by how long it took: the C++ tests of `rates` have a clock of their own. What can be told
 * without one is what comes at once, and what never does.
 */

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { rejection, TestServer } from '../helpers/endpoints.js';
import { call, newServer } from '../helpers/fake-endpoints.js';
import { turns } from '../helpers/turns.js';
import { ended, wsClient } from './ws-client.js';

/** All in one write, and so in one read of the server. */
function sendAtOnce(client: WsClient, messages: readonly (string | Buffer)[]): void {
  const socket = (client as unknown as { _socket: { cork(): void; uncork(): void } })._socket;
  socket.cork();
  for (const message of messages) client.send(message);
  socket.uncork();
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));
const MINUTES = { timeout: 60_000 };

describe("ratePolicy 'delay'", () => {
  test('holds within one read, and loses nothing', MINUTES, async () => {
    const { server, log } = await TestServer.start({ limits: { messagesPerSecond: 300 } });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    sendAtOnce(client, numbers(900));
    await log.count('messageReceive', 900);
    expect(
      log.values('messageReceive').map((message) => (message as { data: string }).data),
    ).toEqual(numbers(900));
    const { rates, received } = await server.stats();
    expect(received.messages).toBe(900);
    expect(rates.delays).toBeGreaterThan(0);
    expect(rates).toMatchObject({ refusedMessages: 0, closedConnections: 0 });
  });

  test('what is above waits, while another connection is served', async () => {
    const echo = await TestServer.startEcho({ limits: { messagesPerSecond: 1 } });
    const eager = await wsClient(echo.url());
    let answers = 0;
    eager.on('message', () => {
      answers += 1;
    });
    sendAtOnce(eager, numbers(1000));
    await once(eager, 'message');
    for (let n = 0; n < 3; n++) {
      const other = await wsClient(echo.url());
      other.send('hello');
      await once(other, 'message');
    }
    // Of a thousand, one at once and one a second.
    expect(answers).toBeLessThan(500);
    expect((await echo.server.stats()).received.messages).toBeLessThan(500);
  });

  test('bytes: large messages come whole, in order', MINUTES, async () => {
    const { server, log } = await TestServer.start({ limits: { bytesPerSecond: 1_000_000 } });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    const sizes = [700_000, 10, 700_000, 0, 900_000, 70_000];
    sendAtOnce(
      client,
      sizes.map((size) => Buffer.alloc(size, 1)),
    );
    await log.count('messageReceive', sizes.length);
    const datas = log.values('messageReceive') as { data: ArrayBuffer }[];
    expect(datas.map(({ data }) => data.byteLength)).toEqual(sizes);
    expect((await server.stats()).rates.delays).toBeGreaterThan(0);
  });

  test('of one address together', async () => {
    const echo = await TestServer.startEcho({ limits: { messagesPerSecondOfAddress: 1 } });
    const clients = await Promise.all([wsClient(echo.url()), wsClient(echo.url())]);
    let answers = 0;
    for (const client of clients) {
      client.on('message', () => {
        answers += 1;
      });
      sendAtOnce(client, numbers(1000));
    }
    await once(clients[0], 'message');
    // One that comes anew has nothing for itself.
    const late = await wsClient(echo.url());
    late.send('late');
    expect(answers).toBeLessThan(500);
    expect((await echo.server.stats()).rates.delays).toBeGreaterThan(1);
  });

  test('a delayed connection is closed by either side, and by stop', async () => {
    for (const who of ['server', 'client', 'stop']) {
      const { server, log } = await TestServer.start({ limits: { messagesPerSecond: 1 } });
      const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
      const connection = (await log.value('connect')) as { clientIP: string; clientPort: number };
      sendAtOnce(client, numbers(500));
      await log.next('messageReceive');
      const end = ended(client);
      if (who === 'server') {
        await server.close(connection, { code: 1008, reason: 'enough' });
        expect(await end).toEqual({ code: 1008, reason: 'enough' });
      } else if (who === 'stop') {
        await server.stop();
        expect((await end).code).toBe(1001);
      } else {
        client.terminate();
        await end;
      }
      if (who !== 'stop') await server.stop();
      expect(log.all('messageReceive').length).toBeLessThan(400);
    }
  });

  test('goes on where it was after a pause, and a pause is one for whom it is no turn', async () => {
    const { server, log } = await TestServer.start({ limits: { messagesPerSecond: 200 } });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    const connection = (await log.value('connect')) as { clientIP: string; clientPort: number };
    sendAtOnce(client, numbers(600));
    // The first second's worth is there at once; the rest waits for its turn.
    await log.count('messageReceive', 200);
    for (let round = 0; round < 3; round++) {
      await server.pause(connection);
      // The engine has heard of it when it has answered; what it had read until then comes before.
      const { received } = await server.stats();
      await log.count('messageReceive', received.messages);
      const before = log.all('messageReceive').length;
      expect(before).toBe(received.messages);
      await turns(await TestServer.start(), 300);
      expect(log.all('messageReceive').length).toBe(before);
      expect((await server.stats()).received.messages).toBe(before);
      await server.resume(connection);
      await log.count('messageReceive', before + 20);
    }
    await log.count('messageReceive', 600);
    const got = log.values('messageReceive') as { data: string }[];
    expect(got.map(({ data }) => data)).toEqual(numbers(600));
    expect(log.all('close')).toEqual([]);
  });

  test('a paused connection that owes is ended by close and by terminate', async () => {
    for (const how of ['close', 'terminate'] as const) {
      const { server, log } = await TestServer.start({ limits: { messagesPerSecond: 1 } });
      const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
      const connection = (await log.value('connect')) as { clientIP: string; clientPort: number };
      sendAtOnce(client, numbers(100));
      await log.next('messageReceive');
      await server.pause(connection);
      const end = ended(client);
      await server[how](connection);
      expect((await end).code).toBe(how === 'close' ? 1000 : 1006);
      await log.next('close');
      await server.stop();
    }
  });

  test('is not taken for silence', async () => {
    const { server, log } = await TestServer.start({
      // Shorter than the half second that each message waits for.
      heartbeat: { intervalMs: 40, timeoutMs: 300 },
      limits: { messagesPerSecond: 2, idleTimeoutMs: 400 },
    });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    sendAtOnce(client, numbers(4));
    await log.count('messageReceive', 4);
    expect(log.all('close')).toEqual([]);
    expect(await ended(client)).toEqual({ code: 1001, reason: 'idle' });
  });
});

describe("ratePolicy 'refuse'", () => {
  test.each([false, true])('throws away what is above, compressed: %s', async (compressed) => {
    const { server, log } = await TestServer.start({
      ratePolicy: 'refuse',
      permessageDeflate: compressed && { threshold: 0 },
      limits: { messagesPerSecond: 5 },
    });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`, {
      perMessageDeflate: compressed && { threshold: 0 },
    });
    for (const message of numbers(200)) client.send(`message ${message}`);
    const pong = once(client, 'pong');
    client.ping();
    await pong;
    const { rates, received } = await server.stats();
    expect(received.messages).toBeGreaterThanOrEqual(5);
    expect(rates.refusedMessages).toBe(200 - received.messages);
    await log.count('messageReceive', received.messages);
    const first = log.values('messageReceive').slice(0, 5) as { data: string }[];
    expect(first.map(({ data }) => data)).toEqual(numbers(5).map((n) => `message ${n}`));
    expect(client.readyState).toBe(WsClient.OPEN);
    // What comes later is read as before: the windows of the compression agree.
    let data = '';
    server.on('messageReceive', (message) => {
      data = String(message.data);
    });
    while (data !== 'at last') {
      client.send('at last');
      const answered = once(client, 'pong');
      client.ping();
      await answered;
    }
  });

  test('a message in fragments is thrown away whole', async () => {
    const { server } = await TestServer.start({
      ratePolicy: 'refuse',
      limits: { messagesPerSecond: 1 },
    });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    client.send('first');
    client.send('a', { fin: false });
    client.send('b', { fin: false });
    client.send('c', { fin: true });
    client.ping();
    await once(client, 'pong');
    const { rates, received } = await server.stats();
    expect([received.messages, rates.refusedMessages]).toEqual([1, 1]);
  });
});

describe("ratePolicy 'close'", () => {
  test.each([
    ['messages', { messagesPerSecond: 10 }, 'x', 10],
    ['bytes', { bytesPerSecond: 1000 }, 'x'.repeat(100), 10],
    ['messages of an address', { messagesPerSecondOfAddress: 10 }, 'x', 10],
    ['bytes of an address', { bytesPerSecondOfAddress: 1000 }, 'x'.repeat(100), 10],
  ])('too many %s end the connection with 1008', async (_what, limits, message, most) => {
    const { server, log } = await TestServer.start({ ratePolicy: 'close', limits });
    const client = await wsClient(`ws://127.0.0.1:${server.port}/`);
    const end = ended(client);
    sendAtOnce(client, Array<string>(900).fill(message));
    expect(await end).toEqual({ code: 1008, reason: 'too much in a short time' });
    await log.next('close');
    expect(log.all('error')).toMatchObject([[{ cause: { detail: 'too much in a short time' } }]]);
    const received = log.all('messageReceive').length;
    expect(received).toBeGreaterThanOrEqual(most);
    expect(received).toBeLessThan(450);
    expect((await server.stats()).rates.closedConnections).toBe(1);
  });
});

describe('the option', () => {
  test.each([null, '', 'Delay', 1, {}])('ratePolicy %j is 401', async (ratePolicy) => {
    const { server, transport } = newServer();
    const error = await rejection(call(server, 'start', { serverPort: 1, ratePolicy }));
    expect(error).toMatchObject({
      code: 401,
      cause: { detail: expect.stringContaining('ratePolicy') },
    });
    expect(transport.servers).toEqual([]);
  });
});
