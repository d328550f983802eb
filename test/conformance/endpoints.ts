/** The echo endpoints that the table is played against, each with a raw peer in front: ours and `ws`. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { type EventLog, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';
import { echoOf } from './cases/limits.js';
import type { Endpoint } from './play.js';
import type { Role, Told } from './table.js';

export const open: Readonly<Record<'ours' | 'ws', Record<Role, () => Promise<Endpoint>>>> = {
  ours: { server: openOurServer, client: openOurClient },
  ws: { server: openWsServer, client: openWsClient },
};

async function openOurServer(): Promise<Endpoint> {
  const server = new TestServer({ without: ['messageReceive'] });
  server.server.on('messageReceive', ({ data, clientConnection }) => {
    void server.server.send(answerTo(data), clientConnection);
  });
  await server.start();
  const peer = await RawPeer.open({ port: server.port });
  return { role: 'server', peer, told: () => toldBy(server.log) };
}

async function openOurClient(): Promise<Endpoint> {
  const listener = await RawListener.listen();
  const client = new TestClient({ without: ['message', 'dataEnd'] });
  client.ws.on('message', (_error, data) => {
    void client.ws.send(answerTo(data));
  });
  await client.connect(listener.url());
  const peer = await listener.acceptOpen();
  return { role: 'client', peer, told: () => toldBy(client.log) };
}

function answerTo(data: string | ArrayBuffer): string | ArrayBuffer {
  const answer = echoOf(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data));
  return typeof answer === 'string' ? answer : data;
}

async function toldBy(log: EventLog): Promise<Told> {
  const { code, reason } = await log.value<{ code: number; reason: string }>('close');
  return log.names.includes('error') ? { kind: 'failure' } : { kind: 'close', code, reason };
}

async function openWsServer(): Promise<Endpoint> {
  const server = new WsServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  server.on('connection', echo);
  await once(server, 'listening');
  const peer = await RawPeer.open({ port: (server.address() as AddressInfo).port });
  return { role: 'server', peer };
}

async function openWsClient(): Promise<Endpoint> {
  const listener = await RawListener.listen();
  const client = new WsClient(listener.url());
  onTestFinished(() => client.terminate());
  echo(client);
  const peer = await listener.acceptOpen();
  return { role: 'client', peer };
}

function echo(socket: WsClient): void {
  socket.on('error', () => {});
  socket.on('message', (data: Buffer, binary) => {
    const answer = echoOf(data);
    socket.send(answer, { binary: typeof answer === 'string' ? false : binary });
  });
}
