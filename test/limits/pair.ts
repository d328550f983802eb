/** One connection of ours with given limits, in either role, and the raw peer at its other end. */

import type { webSocket } from 'ohos-websocket';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';

export type Role = 'client' | 'server';
export const ROLES = ['client', 'server'] as const;

/** What both roles have as options. */
export type Options = Pick<webSocket.WebSocketRequestOptions, 'limits' | 'backPressure'>;

export interface Pair {
  readonly peer: RawPeer;
  send(data: string | Uint8Array): Promise<boolean>;
  close(): Promise<boolean>;
  /** The next message that our side reports. */
  nextMessage(): Promise<string | ArrayBuffer>;
  /** The next `close` event of our side. */
  nextClose(): Promise<{ code: number; reason: string }>;
  /** The `cause.detail` of the next `error` event of our side. */
  nextErrorDetail(): Promise<string>;
  /** Names of all events of our side, in order. */
  readonly names: string[];
}

export async function openPair(role: Role, options: Options = {}): Promise<Pair> {
  return role === 'server' ? openServer(options) : openClient(options);
}

async function openServer(options: Options): Promise<Pair> {
  const server = await TestServer.start(options);
  const peer = await RawPeer.open({ port: server.port });
  const connection = await server.nextConnect();
  return {
    peer,
    send: (data) => server.server.send(data, connection),
    close: () => server.close(connection),
    nextMessage: async () => (await server.nextMessage()).data,
    nextClose: () => server.nextClose(),
    nextErrorDetail: async () => detailOf(await server.log.value('error')),
    get names() {
      return server.log.names;
    },
  };
}

async function openClient(options: Options): Promise<Pair> {
  const listener = await RawListener.listen();
  const client = new TestClient();
  // No pings in between: under a sanitizer some tests take longer than 30 s.
  await client.connect(listener.url(), { pingInterval: 0, ...options });
  const peer = await listener.acceptOpen();
  await client.log.next('open');
  return {
    peer,
    send: (data) => client.ws.send(data),
    close: () => client.close(),
    nextMessage: () => client.nextMessage(),
    nextClose: () => client.nextClose(),
    nextErrorDetail: async () => detailOf(await client.log.value('error')),
    get names() {
      return client.log.names;
    },
  };
}

function detailOf(error: unknown): string {
  return (error as { cause: { detail: string } }).cause.detail;
}

/** More than the buffers of both kernels take, in whole messages. */
export const FLOOD: readonly Buffer[] = new Array(12).fill(Buffer.alloc(5_000_000));
export const FLOOD_BYTES: number = FLOOD.reduce((sum, { length }) => sum + length, 0);

/**
 * Waits until the engine has taken everything that was sent and the socket takes no more: a message of the
 * peer comes behind both.
 */
export async function settle({ peer, nextMessage }: Pair): Promise<void> {
  for (const text of ['first', 'second']) {
    peer.sendText(text);
    if ((await nextMessage()) !== text) throw new Error('an unexpected message');
  }
}
