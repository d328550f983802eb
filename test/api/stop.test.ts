/**
 * Proves what `stop` does: every connection is told 1001 "server is going away" and raises its close
 * event, nobody is accepted any more, the port is free at once, and the same object starts again.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer } from '../helpers/peers.js';

const GOING_AWAY = { code: 1001, reason: 'server is going away' };

describe('stop', PATIENT, () => {
  it('tells every connection 1001 and raises its close event', async () => {
    const server = await TestServer.start();
    const first = await RawPeer.open({ port: server.port });
    const second = await RawPeer.open({ port: server.port });
    await server.log.count('connect', 2);

    const stopped = server.stop();

    for (const peer of [first, second]) {
      expect(await peer.expectClose()).toEqual(GOING_AWAY);
      peer.sendClose(1001);
      await peer.readToEnd();
    }
    expect(await stopped).toBe(true);
    const closed = [await server.nextClose(), await server.nextClose()];
    expect(closed).toEqual(
      expect.arrayContaining([
        { connection: first.address, ...GOING_AWAY },
        { connection: second.address, ...GOING_AWAY },
      ]),
    );
    expect(server.log.values('close')[0]).toMatchObject({ closeReason: GOING_AWAY.reason });
    expect(server.log.names).not.toContain('error');
  });

  it('is seen by our own clients as the close of the peer', async () => {
    const server = await TestServer.start();
    const client = await TestClient.open(server.url());

    await server.stop();

    expect(await client.nextClose()).toEqual(GOING_AWAY);
    expect(client.log.names).not.toContain('error');
  });

  it('frees the port at once, with and without connections', async () => {
    const server = await TestServer.start();
    const { port } = server;
    for (let i = 0; i < 10; i++) {
      if (i % 2 === 1) {
        await TestClient.open(server.url());
        await server.nextConnect();
      }
      await server.stop();
      await server.start({ serverPort: port });
      expect(server.port).toBe(port);
    }

    const other = new TestServer();
    await server.stop();
    await other.start({ serverPort: port });
    await TestClient.open(other.url());
    await other.nextConnect();
  });

  it('refuses whoever comes afterwards', async () => {
    const server = await TestServer.start();
    const url = server.url();
    await server.stop();

    const client = new TestClient();
    await client.connect(url);

    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
  });

  it('refuses a second stop, also in the same tick', async () => {
    const server = await TestServer.start();

    const first = server.stop();
    const second = rejection(server.server.stop());

    expect(await first).toBe(true);
    expect(await second).toMatchObject({ code: 2302999, message: 'Websocket Unknown Other Error' });
    expect((await rejection(server.server.stop())).code).toBe(2302999);
  });

  it('sends what was sent before it', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const connection = await server.nextConnect();

    for (let i = 0; i < 100; i++) void server.server.send(`${i}`, connection);
    void server.server.send(new ArrayBuffer(1_000_000), connection);
    const stopped = server.stop();

    for (let i = 0; i < 100; i++) expect(await peer.expectText()).toBe(`${i}`);
    expect((await peer.expectFrame(Opcode.binary)).payload).toHaveLength(1_000_000);
    expect(await peer.expectClose()).toEqual(GOING_AWAY);
    peer.sendClose(1001);
    await stopped;
  });

  it('ends also connections that never answer, and half-made ones', async () => {
    const server = await TestServer.start();
    const silent = await RawPeer.open({ port: server.port });
    const halfMade = await RawPeer.connect({ port: server.port });
    halfMade.write('GET / HTTP/1.1\r\nHost: x\r\n');
    await server.nextConnect();

    await server.stop();

    await silent.readToEnd();
    await halfMade.readBytesToEnd();
    expect(await server.nextClose()).toMatchObject(GOING_AWAY);
  });

  it('can be called from a handler', async () => {
    const server = await TestServer.start();
    const stopped = new Promise<boolean>((resolve, reject) => {
      server.server.on('messageReceive', () => server.server.stop().then(resolve, reject));
    });
    const client = await TestClient.open(server.url());

    await client.send('stop');

    expect(await stopped).toBe(true);
    expect(await client.nextClose()).toEqual(GOING_AWAY);
  });
});
