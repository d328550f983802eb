/** `messages`: async iteration for both sides, its ends, and what happens when nobody takes them. */

import { messages } from 'ohos-websocket';
import * as w3c from 'ohos-websocket/w3c';
import { describe, expect, it } from 'vitest';
import { within } from '../helpers/deadline.js';
import { callWith, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';
import { NOBODY, Socket } from './sockets.js';

type Iteration = AsyncGenerator<unknown, void, undefined>;

/** All that comes, or comes before `stopAt`. */
async function taken(iteration: Iteration, stopAt?: unknown): Promise<unknown[]> {
  const all: unknown[] = [];
  const loop = async () => {
    for await (const message of iteration) {
      if (stopAt !== undefined && message === stopAt) break;
      all.push(message);
    }
  };
  await within(loop(), 'the loop to end');
  return all;
}

async function serverAndPeer(options?: w3c.MessagesOptions) {
  const server = new TestServer();
  const iterated = new Promise<Iteration>((resolve) => {
    server.server.on('connect', (connection) => resolve(messages(connection, options)));
  });
  await server.start();
  const peer = await RawPeer.open({ port: server.port });
  return { server, peer, iteration: await within(iterated, 'the connect event') };
}

async function socketAndPeer(options?: w3c.MessagesOptions) {
  const listener = await RawListener.listen();
  const socket = new Socket(listener.url());
  const iteration = messages(socket.ws, options);
  const peer = await listener.acceptOpen();
  await socket.log.next('open');
  return { socket, peer, iteration };
}

describe('a connection of a server', () => {
  it('gives its messages in order and ends with the closing handshake', async () => {
    const { server, peer, iteration } = await serverAndPeer();
    peer.sendText('one');
    peer.sendBinary(Buffer.from([2]));
    peer.sendText('three');
    peer.sendClose(1000);
    const [one, two, three, ...rest] = await taken(iteration);
    expect([one, three, rest]).toEqual(['one', 'three', []]);
    expect([...new Uint8Array(two as ArrayBuffer)]).toEqual([2]);
    expect((await server.nextClose()).code).toBe(1000);
    expect(server.log.all('messageReceive')).toEqual([]);
  });

  it('throws behind the messages when TCP is lost', async () => {
    const { server, peer, iteration } = await serverAndPeer();
    peer.sendText('last');
    peer.halfClose();
    expect((await within(iteration.next(), 'a message')).value).toBe('last');
    await expect(within(iteration.next(), 'the end')).rejects.toMatchObject({
      code: 2302999,
      cause: { phase: 'established' },
    });
    await server.nextClose();
    expect(await iteration.next()).toEqual({ done: true, value: undefined });
  });

  it('raises messageReceive again when the loop is left', async () => {
    const { server, peer, iteration } = await serverAndPeer();
    peer.sendText('mine');
    peer.sendText('stop');
    expect(await taken(iteration, 'stop')).toEqual(['mine']);
    peer.sendText('yours');
    expect((await server.nextMessage()).data).toBe('yours');
  });

  it('is iterated once at a time, and not after its end', async () => {
    const { server, peer, iteration } = await serverAndPeer();
    const [connection] = await server.list();
    expect(() => messages(connection as object as w3c.WebSocket)).toThrow(
      expect.objectContaining({ code: 401 }),
    );
    peer.sendClose(1000);
    await taken(iteration);
    await server.nextClose();
    expect(() => messages(connection as object as w3c.WebSocket)).toThrow(
      expect.objectContaining({ code: 401 }),
    );
  });

  it('is closed with 1008 when more waits than may', async () => {
    const { peer, server, iteration } = await serverAndPeer({ maxBufferedBytes: 10 });
    for (const text of ['12345', 'x', 'y']) peer.sendText(text);
    expect(await peer.expectClose()).toMatchObject({ code: 1008 });
    expect((await server.nextClose()).code).toBe(1008);
    // Two bytes a character: exactly what was allowed.
    expect((await within(iteration.next(), 'a message')).value).toBe('12345');
    await expect(iteration.next()).rejects.toMatchObject({ code: 2302999 });
  });
});

describe('a WebSocket', () => {
  it('gives its messages in order, also as events, and ends with the closing handshake', async () => {
    const { socket, peer, iteration } = await socketAndPeer();
    peer.sendText('one');
    peer.sendBinary(Buffer.from([2, 3]));
    peer.sendClose(1000);
    const [one, two, ...rest] = await taken(iteration);
    expect([one, rest]).toEqual(['one', []]);
    expect(two).toBeInstanceOf(Blob);
    expect(socket.log.all('message').length).toBe(2);
  });

  it('throws the error of the error event', async () => {
    const { socket, peer, iteration } = await socketAndPeer();
    peer.halfClose();
    const { error } = await socket.error();
    await expect(taken(iteration)).rejects.toBe(error);
  });

  it('throws why there is no connection', async () => {
    const { ws } = new Socket('ws://nowhere.invalid/');
    await expect(taken(messages(ws))).rejects.toMatchObject({ cause: { phase: 'resolve' } });
  });

  it('stays open when the loop is left', async () => {
    const { socket, peer, iteration } = await socketAndPeer();
    peer.sendText('stop');
    await taken(iteration, 'stop');
    socket.ws.send('still here');
    expect(await peer.expectText()).toBe('still here');
  });

  it('is closed with 4008 when more waits than may', async () => {
    const { peer, iteration } = await socketAndPeer({ maxBufferedBytes: 4 });
    for (const text of ['12', 'x']) peer.sendText(text);
    expect(await peer.expectClose()).toMatchObject({ code: 4008 });
    expect((await within(iteration.next(), 'a message')).value).toBe('12');
    await expect(iteration.next()).rejects.toMatchObject({ code: 2302999 });
  });
});

it('refuses other arguments with 401', () => {
  const { ws } = new Socket(NOBODY);
  for (const args of [
    [],
    [null],
    [{ clientIP: '127.0.0.1', clientPort: 1 }],
    [new EventTarget()],
    [ws, { maxBufferedBytes: -1 }],
    [ws, { maxBufferedBytes: '1' }],
    [ws, null],
  ]) {
    expect(() => callWith({ messages }, 'messages', args)).toThrow(
      expect.objectContaining({ code: 401 }),
    );
  }
  expect(w3c.messages).toBe(messages);
});
