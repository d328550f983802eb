/** When what is sent is shown to the engine: how often native code is crossed into, over a real engine and real sockets. */

import { describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import {
  createWebSocket,
  createWebSocketServer,
  messages,
  type WebSocketConnection,
} from '../../lib/index.js';
import { PATIENT } from '../helpers/deadline.js';
import { type FrameSpec, Opcode, RawListener, RawPeer } from '../helpers/peers.js';

const COUNT = 200;
/** Since what a machine takes more than a millisecond for does not wait, and a packet may be cut. */
const MOST_CROSSINGS = COUNT / 2;

type Send = () => Promise<unknown>;

/** When a handler replies. */
const moments: Record<string, (send: Send) => unknown> = {
  'at once': (send) => send(),
  'after an await': async (send) => {
    await undefined;
    await send();
  },
  'after a tick': (send) => process.nextTick(() => void send()),
};

/** Sends many messages at once and takes the replies; how often native code was crossed into. */
async function crossings(peer: RawPeer): Promise<number> {
  const wake = vi.spyOn(binding, 'wake');
  const message: FrameSpec = { opcode: Opcode.text, payload: 'x' };
  peer.send(...Array.from({ length: COUNT }, () => message));
  for (let n = 0; n < COUNT; n += 1) expect(await peer.expectText()).toBe('reply');
  const count = wake.mock.calls.length;
  wake.mockRestore();
  return count;
}

async function newServer(onConnect: (connection: WebSocketConnection, send: Send) => void) {
  const server = createWebSocketServer();
  server.on('connect', (connection) =>
    onConnect(connection, () => server.send('reply', connection)),
  );
  await server.start({ serverPort: 0 });
  return server;
}

describe('replies to what comes together leave together', PATIENT, () => {
  it.each(Object.keys(moments))('of a client, %s', async (moment) => {
    const listener = await RawListener.listen();
    const ws = createWebSocket();
    ws.on('message', () => void moments[moment]?.(() => ws.send('reply')));
    await ws.connect(listener.url());

    expect(await crossings(await listener.acceptOpen())).toBeLessThan(MOST_CROSSINGS);

    await ws.close();
  });

  it.each(Object.keys(moments))('of a server, %s', async (moment) => {
    const server = await newServer((_connection, send) => {
      server.on('messageReceive', () => void moments[moment]?.(send));
    });

    const peer = await RawPeer.open({ port: server.port as number });
    expect(await crossings(peer)).toBeLessThan(MOST_CROSSINGS);

    peer.sendClose(1000);
    await peer.readToEnd();
    await server.stop();
  });

  it('of a server, in a loop over its messages', async () => {
    const server = await newServer(async (connection, send) => {
      for await (const _message of messages(connection)) await send();
    });

    const peer = await RawPeer.open({ port: server.port as number });
    expect(await crossings(peer)).toBeLessThan(MOST_CROSSINGS);

    peer.sendClose(1000);
    await peer.readToEnd();
    await server.stop();
  });
});
