/**
 * Proves that nobody can hold things up: large messages leave the event loop its turns, a request or a
 * close reason that is too large for a record does not stop what comes behind it, a peer that pings does
 * not keep a close from its end, and what was sent before the peer's close still leaves.
 */

import { webSocket } from 'ohos-websocket';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { PATIENT } from '../helpers/deadline.js';
import { rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener } from '../helpers/peers.js';

const LARGE = 70_000;
const FLOOD = 3_000;

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

describe('the event loop', PATIENT, () => {
  it('has its turns while large messages come without a pause', async () => {
    const server = await TestServer.start();
    const peer = new WsClient(server.url());
    opened.push(peer);
    await new Promise((resolve) => peer.on('open', resolve));
    const text = 'x'.repeat(LARGE);
    let received = 0;
    let turns = 0;
    let ofTurn = 0;
    let mostOfTurn = 0;
    const done = new Promise<void>((resolve) => {
      server.server.on('messageReceive', () => {
        received += 1;
        ofTurn += 1;
        mostOfTurn = Math.max(mostOfTurn, ofTurn);
        if (received === FLOOD) resolve();
      });
    });
    const count = (): void => {
      turns += 1;
      ofTurn = 0;
      if (received < FLOOD) setImmediate(count);
    };
    setImmediate(count);
    for (let n = 0; n < FLOOD; n++) peer.send(text);
    await done;
    // 200 MB came in turns of about 1 MiB; without a bound a handful of turns would do.
    expect(turns).toBeGreaterThan(100);
    // Both when the loop has something to read and when JavaScript goes on where it had stopped.
    expect(mostOfTurn * LARGE).toBeLessThan(3 * 1024 * 1024);
  });
});

describe('what is too large for a record', PATIENT, () => {
  it('is refused, or cut, and what comes behind it goes on', async () => {
    const server = await TestServer.start();
    const big = webSocket.createWebSocket();
    const header = { 'x-big': 'y'.repeat(2_000_000) };
    expect(await rejection(big.connect(server.url(), { header }))).toMatchObject({ code: 2302999 });

    const client = await TestClient.open(server.url());
    const reason = 'r'.repeat(2_000_000);
    await client.ws.close({ code: 1001, reason });
    expect(await server.nextClose()).toMatchObject({ code: 1001, reason: 'r'.repeat(123) });
    await client.log.count('close', 1);
    expect(client.log.values('close')).toEqual([{ code: 1001, reason }]);
    await TestClient.open(server.url());
  });
});

describe('an own close', PATIENT, () => {
  it('ends though the peer does nothing but ping', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    const connecting = client.open(listener.url());
    const peer = await listener.acceptOpen();
    await connecting;
    await client.ws.close();
    await peer.expectClose();
    const pings = setInterval(() => peer.send({ opcode: 9 }), 500);
    opened.push({ close: () => clearInterval(pings) });
    await client.log.count('close', 1);
    expect(client.log.values('close')).toEqual([{ code: 1000, reason: 'CLOSE_NORMAL' }]);
  });
});

describe("the peer's close", PATIENT, () => {
  it('loses nothing that was sent before it', async () => {
    const server = new WsServer({ port: 0, host: '127.0.0.1' });
    opened.push(server);
    await new Promise((resolve) => server.on('listening', resolve));
    const { port } = server.address() as { port: number };
    const bytes = new Promise<number>((resolve) => {
      server.on('connection', (socket) => {
        let received = 0;
        socket.pause();
        socket.on('message', (data) => {
          received += (data as Buffer).length;
        });
        socket.on('close', () => resolve(received));
        setTimeout(() => {
          socket.close(1000);
          setTimeout(() => socket.resume(), 2_000);
        }, 200);
      });
    });
    const client = await TestClient.open(`ws://127.0.0.1:${port}/`);
    const message = new ArrayBuffer(1 << 20);
    for (let n = 0; n < 32; n++) void client.ws.send(message);
    await client.log.count('close', 1);
    expect(await bytes).toBe(32 << 20);
  });
});
