/** Plays the cases of the opening handshake, on ours and on `ws`. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { Head, Opcode, RawListener, RawPeer } from '../helpers/peers.js';
import type { AnswerCase } from './cases/answers.js';
import { type RequestCase, SUBPROTOCOLS } from './cases/requests.js';
import { Difference } from './play.js';

export type Maker = 'ours' | 'ws';

const startServer: Readonly<Record<Maker, () => Promise<number>>> = {
  async ours() {
    const echo = await TestServer.startEcho({ protocol: SUBPROTOCOLS.join(',') });
    return echo.port;
  },
  async ws() {
    const server = new WsServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: (offered) =>
        [...offered].find((one) => (SUBPROTOCOLS as readonly string[]).includes(one)) ?? false,
    });
    onTestFinished(() => server.close());
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
};

/** Throws a `Difference` unless the server answers as the case demands. */
export async function playRequest(maker: Maker, one: RequestCase): Promise<void> {
  const peer = await RawPeer.connect({ port: await startServer[maker]() });
  const bytes = typeof one.request === 'string' ? Buffer.from(one.request, 'latin1') : one.request;
  await peer.writeInPieces(bytes, one.piece ?? bytes.length).catch(() => {});
  if (one.status === 101) return expectEcho(peer, one);
  const head = await peer.readHead().catch((error: Error) => {
    if (peer.ended === undefined) throw error;
    return new Head('');
  });
  demandStatus(head, one);
  // Nobody here goes on with HTTP.
  if (maker === 'ws') return;
  const { end, bytes: behind } = await peer.readBytesToEnd();
  if (end !== 'end') throw new Difference('awaited the end of TCP, got a reset');
  if (/HTTP\/1\.\d \d{3}/.test(behind.toString('latin1')))
    throw new Difference('it answered more than once');
}

async function expectEcho(peer: RawPeer, one: RequestCase): Promise<void> {
  const head = await peer.readHead().catch((error: Error) => {
    throw new Difference(`awaited 101: ${error.message}`);
  });
  demandStatus(head, one);
  peer.sendText('echo');
  const frame = await peer.expectFrame(Opcode.text);
  if (frame.payload.toString() !== 'echo') throw new Difference('it does not echo');
}

function demandStatus(head: Head, { status, headers = {} }: RequestCase): void {
  if (head.status !== status) throw new Difference(`awaited ${status}, got ${head.status}`);
  for (const [name, value] of Object.entries(headers)) {
    if (head.header(name)?.toLowerCase() !== value?.toLowerCase()) {
      throw new Difference(`awaited ${name} ${value}, got ${head.header(name) ?? 'none'}`);
    }
  }
}

/** How a connect ended: the status that an `error` told, or `open`. */
type Connected = 'open' | 'refused';

const connect: Readonly<
  Record<Maker, (url: string, protocol: string | undefined) => Promise<Connected>>
> = {
  async ours(url, protocol) {
    const client = new TestClient();
    await client.connect(url, protocol === undefined ? undefined : { protocol });
    const opened = client.log.next('open').then(() => 'open' as const);
    const failed = client.log.next('error').then(() => 'refused' as const);
    opened.catch(() => {});
    failed.catch(() => {});
    return Promise.race([opened, failed]);
  },
  async ws(url, protocol) {
    const client = new WsClient(url, protocol?.split(', '));
    onTestFinished(() => client.terminate());
    return new Promise((resolve) => {
      client.on('open', () => resolve('open'));
      client.on('error', () => resolve('refused'));
    });
  },
};

/** Throws a `Difference` unless the client does with the answer what the case demands. */
export async function playAnswer(maker: Maker, one: AnswerCase): Promise<void> {
  const listener = await RawListener.listen();
  const connecting = connect[maker](listener.url(), one.protocol);
  const peer = await listener.accept();
  const request = await peer.readHead();
  const answer = Buffer.from(one.answer(request.header('sec-websocket-key') ?? ''), 'latin1');
  await peer.writeInPieces(answer, one.piece ?? answer.length).catch(() => {});
  if (one.thenEnds) peer.halfClose();
  const awaited: Connected = one.opens ? 'open' : 'refused';
  const got = await connecting;
  if (got !== awaited) throw new Difference(`awaited '${awaited}', got '${got}'`);
}
