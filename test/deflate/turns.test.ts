/**
 * What a peer's compressed bytes become is bounded for each turn of the event loop: another connection's message,
 * which came behind them, is delivered before they have been inflated whole. All of it is on one thread, so what
 * has been written before a turn begins is there in that turn.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { bytesOf, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer, Rsv, upgradeRequest } from '../helpers/peers.js';
import { deflated } from './raw-deflate.js';

const MI = 1024 * 1024;
const REQUEST = { extra: ['Sec-WebSocket-Extensions: permessage-deflate'] };
const compressed = { opcode: Opcode.binary, rsv: Rsv.one } as const;

/** A server, a connection to it that has agreed on compression, and one that has not. */
async function three() {
  const server = await TestServer.start({ permessageDeflate: true });
  const open = async (request = {}) => {
    const peer = await RawPeer.connect(server);
    await peer.upgrade(request);
    await server.nextConnect();
    return peer;
  };
  return { server, attacker: await open(REQUEST), other: await open() };
}

async function nextSizes(server: TestServer, count: number): Promise<number[]> {
  const sizes: number[] = [];
  while (sizes.length < count) sizes.push(bytesOf((await server.nextMessage()).data).length);
  return sizes;
}

describe('before compressed bytes have become', PATIENT, () => {
  it('the many that they were, others are heard', async () => {
    const { server, attacker, other } = await three();

    attacker.send({ ...compressed, payload: deflated(Buffer.alloc(24 * MI)) });
    other.send({ opcode: Opcode.binary, payload: 'other' });

    expect(await nextSizes(server, 2)).toEqual([5, 24 * MI]);
  });

  it('the many that they were, and came with the request, others are heard', async () => {
    const { server, attacker, other } = await three();
    const newcomer = await RawPeer.connect(server);
    const message = attacker.encode([{ ...compressed, payload: deflated(Buffer.alloc(24 * MI)) }]);

    newcomer.write(Buffer.concat([Buffer.from(upgradeRequest(REQUEST)), message]));
    other.send({ opcode: Opcode.binary, payload: 'other' });

    expect(await nextSizes(server, 2)).toEqual([5, 24 * MI]);
  });

  it('nothing, but with a window to be moved for each two of them, others are heard', async () => {
    const { server, attacker, other } = await three();
    attacker.send({ ...compressed, payload: deflated(Buffer.alloc(32_768)) });
    expect(await nextSizes(server, 1)).toEqual([32_768]);
    // A block without content that is the last of its stream, over and over.
    const blocks = Buffer.concat([Buffer.alloc(24_000, Buffer.of(3, 0)), Buffer.of(0)]);

    attacker.send({ ...compressed, payload: blocks });
    other.send({ opcode: Opcode.binary, payload: 'other' });

    expect(await nextSizes(server, 2)).toEqual([5, 0]);
  });
});
