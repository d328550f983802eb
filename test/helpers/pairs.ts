/** Endpoints of ours with a raw peer on the other end: open already, or asking to be. */

import { TestClient, TestServer } from './endpoints.js';
import { RawListener, RawPeer } from './peers.js';

export async function openClientPair(): Promise<{ client: TestClient; peer: RawPeer }> {
  const listener = await RawListener.listen();
  const client = new TestClient();
  await client.connect(listener.url());
  const peer = await listener.acceptOpen();
  await client.log.next('openInfo');
  return { client, peer };
}

/** A client whose request the peer has read and not answered. */
export async function askingPair() {
  const listener = await RawListener.listen();
  const client = new TestClient();
  await client.connect(listener.url());
  const peer = await listener.accept();
  await peer.readHead();
  return { client, peer, listener };
}

export async function openServerPair() {
  const server = await TestServer.start();
  const peer = await RawPeer.open({ port: server.port });
  return { server, peer, connection: await server.nextConnect() };
}

/** A connection of ours whose peer does not read. */
export async function openBlocked(role: 'server' | 'client') {
  if (role === 'client') {
    const { client, peer } = await openClientPair();
    peer.stopReading();
    return {
      peer,
      send: (data: string | Buffer) => client.ws.send(data),
      close: (options: { code: number; reason: string }) => client.close(options),
      nextClose: () => client.nextClose(),
    };
  }
  const { server, peer, connection } = await openServerPair();
  peer.stopReading();
  return {
    peer,
    send: (data: string | Buffer) => server.server.send(data, connection),
    close: (options: { code: number; reason: string }) => server.close(connection, options),
    nextClose: async () => {
      const { code, reason } = await server.nextClose();
      return { code, reason };
    },
  };
}
