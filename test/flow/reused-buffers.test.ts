/**
 * Proves that a message is what the application's memory held at the call, though that is written to again right after
 * it, and though more is sent in one turn than the ring between JavaScript and the engine has room for.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { type ServerConfig, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawPeer } from '../helpers/peers.js';

const BYTES = 60_000;
/** More than any ring. */
const MESSAGES = 120;
const NUMBERS = Array.from({ length: MESSAGES }, (_, n) => n);

const memories: readonly [string, () => Uint8Array][] = [
  ['a Uint8Array', () => new Uint8Array(BYTES)],
  ['a Buffer', () => Buffer.alloc(BYTES)],
];

/** Sends with one piece of memory, filled with the number of each message. */
function sendAll(memory: Uint8Array, send: (message: Uint8Array) => unknown): void {
  for (const number of NUMBERS) {
    memory.fill(number);
    void send(memory);
  }
  memory.fill(255);
}

/** The number that a message is filled with; -1 if with several. */
function numberOf(message: Uint8Array): number {
  const first = message[0] ?? -1;
  return message.length === BYTES && message.every((byte) => byte === first) ? first : -1;
}

async function readNumbers(peer: RawPeer): Promise<number[]> {
  const numbers: number[] = [];
  for (const _ of NUMBERS) numbers.push(numberOf((await peer.readFrame()).payload));
  return numbers;
}

describe.each<[string, Partial<ServerConfig>]>([
  ['on the thread of JavaScript', {}],
  ['on a thread of its own', { threads: 1 }],
])('one piece of memory for many messages, %s', PATIENT, (_where, threads) => {
  const config = { ...threads, limits: { queuedBytes: 100_000_000 } };

  it.each(memories)('may be %s that a server sends', async (_what, make) => {
    const { server, port, nextConnect } = await start(config);
    const peer = await RawPeer.open({ port });
    const connection = await nextConnect();

    sendAll(make(), (message) => server.send(message as never, connection));

    expect(await readNumbers(peer)).toEqual(NUMBERS);
  });

  it.each(memories)('may be %s that a server publishes', async (_what, make) => {
    const { server, port, nextConnect } = await start(config);
    const peer = await RawPeer.open({ port });
    await server.subscribe(await nextConnect(), 'news');

    sendAll(make(), (message) => server.publish('news', message));

    expect(await readNumbers(peer)).toEqual(NUMBERS);
  });

  it.each(memories)('may be %s that a client sends', async (_what, make) => {
    const { test } = await start(config);
    const client = await TestClient.open(test.url());

    sendAll(make(), (message) => client.ws.send(message as never));

    const numbers: number[] = [];
    for (const _ of NUMBERS) {
      const { data } = await test.log.value<{ data: ArrayBuffer }>('messageReceive');
      numbers.push(numberOf(new Uint8Array(data)));
    }
    expect(numbers).toEqual(NUMBERS);
  });
});

async function start(config: Partial<ServerConfig>) {
  const test = await TestServer.start(config);
  return { test, server: test.server, port: test.port, nextConnect: () => test.nextConnect() };
}
