/** `messages`: async iteration for both sides, its ends, and what happens when nobody takes them. */

import { messages } from 'ohos-websocket';
import * as w3c from 'ohos-websocket/w3c';
import { describe, expect, it } from 'vitest';
import { VERY_PATIENT, within } from '../helpers/deadline.js';
import { callWith, TestServer } from '../helpers/endpoints.js';
import { encodeFrame, Opcode, RawListener, RawPeer } from '../helpers/peers.js';
import { turns } from '../helpers/turns.js';
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

/** So many messages are more than the kernel's buffers of a connection hold. */
const FLOOD = 20_000;
const PADDING = '-'.repeat(2000);

function textOf(n: number): string {
  return `${n}${PADDING}`;
}

function numbered(count: number, masked = true): Buffer {
  const frames = Array.from({ length: count }, (_, n) =>
    encodeFrame({ opcode: Opcode.text, payload: textOf(n) }, masked),
  );
  return Buffer.concat(frames);
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

  it('holds a peer up that sends faster than the loop takes', VERY_PATIENT, async () => {
    const { peer, server, iteration } = await serverAndPeer({ maxBufferedBytes: 10_000 });
    peer.write(numbered(FLOOD));
    await turns(server);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    for (let n = 0; n < FLOOD; n++) {
      expect((await within(iteration.next(), `message ${n}`)).value).toBe(textOf(n));
    }
    await peer.flushed();
    peer.sendClose(1000);
    expect((await within(iteration.next(), 'the end')).done).toBe(true);
  });

  it('reads on when the loop is left while the peer is held up', async () => {
    const { peer, server, iteration } = await serverAndPeer({ maxBufferedBytes: 0 });
    const first = iteration.next();
    peer.sendText('first');
    await within(first, 'the first');
    peer.sendText('waits');
    await turns(server, 3);
    await iteration.return();
    peer.sendText('yours');
    expect((await server.nextMessage()).data).toBe('yours');
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

  it('holds a server up that sends faster than the loop takes', VERY_PATIENT, async () => {
    const { peer, iteration } = await socketAndPeer({ maxBufferedBytes: 10_000 });
    const other = await TestServer.start();
    peer.write(numbered(FLOOD, false));
    await turns(other);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    for (let n = 0; n < FLOOD; n++) {
      expect((await within(iteration.next(), `message ${n}`)).value).toBe(textOf(n));
    }
    await peer.flushed();
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
