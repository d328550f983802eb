/**
 * Proves the server's admission: a client is an address, both limits hold, whoever leaves makes room,
 * a refusal answers 503 and raises one error event, and a limit of 0 lets nobody in. Source addresses
 * are those of the loopback network, which Linux has without set-up.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';

const onLinux = process.platform === 'linux';

describe.runIf(onLinux)('limits', PATIENT, () => {
  it('counts distinct addresses as clients', async () => {
    const server = await TestServer.start({
      serverIP: '0.0.0.0',
      maxConcurrentClientsNumber: 2,
      maxConnectionsForOneClient: 10,
    });

    await admitted(server, '127.0.0.1');
    await admitted(server, '127.0.0.2');
    await refused(server, '127.0.0.3');
    await admitted(server, '127.0.0.1');

    expect(server.log.names).toEqual(['connect', 'connect', 'error', 'connect']);
    expect(server.log.values('error')).toEqual([expect.objectContaining({ code: 200 })]);
  });

  it('counts the connections of one address', async () => {
    const server = await TestServer.start({
      serverIP: '0.0.0.0',
      maxConcurrentClientsNumber: 10,
      maxConnectionsForOneClient: 2,
    });

    await admitted(server, '127.0.0.1');
    await admitted(server, '127.0.0.1');
    await refused(server, '127.0.0.1');
    await admitted(server, '127.0.0.2');

    expect(server.log.names).toEqual(['connect', 'connect', 'error', 'connect']);
  });

  it('makes room when a client leaves, however it leaves', async () => {
    const server = await TestServer.start({
      serverIP: '0.0.0.0',
      maxConcurrentClientsNumber: 1,
      maxConnectionsForOneClient: 1,
    });

    const polite = await admitted(server, '127.0.0.1');
    await refused(server, '127.0.0.2');
    polite.sendClose(1000);
    await polite.readToEnd();
    await server.nextClose();

    const rude = await admitted(server, '127.0.0.2');
    await refused(server, '127.0.0.1');
    rude.reset();
    await server.nextClose();

    const dismissed = await admitted(server, '127.0.0.3');
    await server.close(dismissed.address);
    await dismissed.expectClose();
    dismissed.sendClose(1000);
    await server.nextClose();
    await dismissed.readToEnd();

    await admitted(server, '127.0.0.1');
  });

  it('does not count a connection that asks for no upgrade', async () => {
    const server = await TestServer.start({
      maxConcurrentClientsNumber: 1,
      maxConnectionsForOneClient: 1,
    });

    await RawPeer.connect({ port: server.port });
    const plain = await RawPeer.connect({ port: server.port });
    plain.write(upgradeRequest({ lines: ['Host: 127.0.0.1'] }));
    await plain.readBytesToEnd();

    await admitted(server, '127.0.0.1');
  });

  it.each([
    ['maxConcurrentClientsNumber', { maxConcurrentClientsNumber: 0 }],
    ['maxConnectionsForOneClient', { maxConnectionsForOneClient: 0 }],
  ])('lets nobody in with %s 0', async (_name, limit) => {
    const server = await TestServer.start(limit);

    await refused(server, '127.0.0.1');
    await refused(server, '127.0.0.1');

    expect(server.log.names).toEqual(['error', 'error']);
    expect(await server.list()).toEqual([]);
  });

  it('are 10 when they are missing', async () => {
    const server = new TestServer();
    await server.server.start({ serverIP: '127.0.0.1', serverPort: 0 } as never);

    for (let i = 0; i < 10; i++) await admitted(server, '127.0.0.1');
    await refused(server, '127.0.0.1');
  });

  it('may be above 10', async () => {
    const server = await TestServer.start({
      maxConcurrentClientsNumber: 11,
      maxConnectionsForOneClient: 60,
    });

    for (let i = 0; i < 60; i++) await admitted(server, '127.0.0.1');
    await refused(server, '127.0.0.1');
  });

  it('are counted for each server on its own', async () => {
    const first = await TestServer.start({ maxConnectionsForOneClient: 1 });
    const second = await TestServer.start({ maxConnectionsForOneClient: 1 });

    await admitted(first, '127.0.0.1');
    await admitted(second, '127.0.0.1');
    await refused(first, '127.0.0.1');
  });

  it('tell a client of ours the status, and it can try again', async () => {
    const server = await TestServer.start({ maxConnectionsForOneClient: 1 });
    const first = await TestClient.open(server.url());
    const second = new TestClient();

    await second.connect(server.url());
    expect(await second.nextError()).toMatchObject({ code: 200, data: '503' });
    await first.close();
    await server.nextClose();
    await second.open(server.url());

    expect(second.log.names).toEqual(['error', 'headerReceive', 'open', 'openInfo']);
  });

  it('know no ban unless it is asked for', async () => {
    const server = await TestServer.start({ maxConnectionsForOneClient: 1 });

    for (let i = 0; i < 60; i++) {
      const peer = await admitted(server, '127.0.0.1');
      peer.sendClose(1000);
      await peer.readToEnd();
      await server.nextClose();
    }

    expect(server.log.names).not.toContain('error');
  });
});

async function admitted(server: TestServer, from: string): Promise<RawPeer> {
  const peer = await RawPeer.open({ port: server.port, from });
  const connection = await server.nextConnect();
  if (connection.clientIP !== from) throw new Error(`${from} was seen as ${connection.clientIP}`);
  return peer;
}

async function refused(server: TestServer, from: string): Promise<void> {
  const peer = await RawPeer.connect({ port: server.port, from });
  peer.write(upgradeRequest());
  const answer = await peer.readHead();
  if (answer.status !== 503) throw new Error(`awaited a refusal, got '${answer.startLine}'`);
  await peer.readBytesToEnd();
  await server.log.next('error');
}
