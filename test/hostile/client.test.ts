/**
 * Attacks clients from outside: servers of raw sockets that do to fifty clients what no server should,
 * beside a healthy connection of the same process that notices nothing, and with a bound on its memory.
 */

import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SLOWNESS } from '../helpers/child.js';
import { growthBound, poll, VERY_PATIENT } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { Opcode, RawListener, RawPeer } from '../helpers/peers.js';
import { Victim } from './victim.js';

const MI = 1024 * 1024;
/** What a process may grow by for reasons of its own. */
const SLACK = 48 * MI;
const CLIENTS = 50;

/** What the server does to each client; `peer` is the server's side, nothing is answered yet. */
type Attack = (peer: RawPeer) => Promise<unknown>;

async function flood(peer: RawPeer, bytes: Uint8Array, repeat: number): Promise<void> {
  for (let n = 0; n < repeat && peer.ended === undefined; n++) {
    peer.write(bytes);
    await peer.flushed().catch(() => {});
  }
}

interface Costs {
  /** Beyond `SLACK`. */
  readonly bytes?: number;
  /** The clients send all the time. */
  readonly streams?: boolean;
}

const attacks: readonly (readonly [name: string, attack: Attack, costs?: Costs])[] = [
  ['a reset at once', async (peer) => peer.reset()],
  [
    'a reset behind the request',
    async (peer) => {
      await peer.readHead();
      peer.reset();
    },
  ],
  [
    'a reset within the answer',
    async (peer) => {
      await peer.readHead();
      peer.write('HTTP/1.1 101 Switch');
      await peer.flushed();
      peer.reset();
    },
  ],
  ['silence', async () => {}],
  [
    'an answer byte by byte, never complete',
    async (peer) => {
      peer.write('HTTP/1.1 101 Switching Protocols\r\nX: ');
      while (peer.ended === undefined) {
        peer.write('a');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  ],
  ['an endless answer', (peer) => flood(peer, Buffer.from(`X-A: ${'a'.repeat(1000)}\r\n`), 1000)],
  ['garbage for an answer', (peer) => flood(peer, Buffer.alloc(10_000, '\x16\x03\0garbage'), 10)],
  [
    'garbage for frames',
    async (peer) => {
      await peer.acceptUpgrade();
      await flood(peer, Buffer.alloc(10_000, 0xff), 10);
    },
  ],
  [
    'a reset after the answer',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.reset();
    },
  ],
  [
    'a reset within a message',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.send({ opcode: Opcode.binary, payload: 'part', announcedLength: 1_000_000 });
      await peer.flushed();
      peer.reset();
    },
  ],
  [
    'pings whose pongs are not read',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.stopReading();
      const ping = { opcode: Opcode.ping, payload: Buffer.alloc(125) };
      await flood(peer, peer.encode(Array.from({ length: 1000 }, () => ping)), 20);
      peer.reset();
    },
  ],
  [
    'empty fragments without an end',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.send({ opcode: Opcode.text, fin: false });
      const empty = { opcode: Opcode.continuation, fin: false };
      await flood(peer, peer.encode(Array.from({ length: 1000 }, () => empty)), 20);
      peer.reset();
    },
  ],
  [
    'empty messages, as many as a read can bring',
    async (peer) => {
      await peer.acceptUpgrade();
      await flood(peer, Buffer.alloc(300_000, Buffer.of(0x81, 0)), 1);
      peer.reset();
    },
  ],
  [
    'a length of 2^62',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.send({ opcode: Opcode.binary, payload: 'x', announcedLength: 2n ** 62n });
      expect((await peer.expectClose()).code).toBe(1009);
      peer.halfClose();
    },
  ],
  [
    '100 MB announced, a little sent',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.send({
        opcode: Opcode.binary,
        payload: Buffer.alloc(100_000),
        announcedLength: 100_000_000,
      });
      await peer.flushed();
      peer.reset();
    },
    { bytes: CLIENTS * MI },
  ],
  [
    'no reading of what is sent',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.stopReading();
      await new Promise((resolve) => setTimeout(resolve, 500));
      peer.reset();
    },
    { streams: true, bytes: CLIENTS * 4 * MI },
  ],
  [
    'its own half ended only',
    async (peer) => {
      await peer.acceptUpgrade();
      peer.halfClose();
      await peer.readToEnd();
    },
  ],
];

describe('clients whose server does this', VERY_PATIENT, () => {
  const all = attacks.map(([name, attack, costs = {}]) => [name, attack, costs] as const);
  it.each(all)('%s', async (_name, attack, { bytes = 0, streams = false }) => {
    const honest = await TestServer.startEcho();
    const victim = new Victim();
    await victim.ask('neighbour', { url: honest.url() });
    await goesRound(victim);
    const before = await victim.report();

    const attacking: Promise<unknown>[] = [];
    const listener = await RawListener.listen({
      onSocket: (socket: Socket) => attacking.push(attack(new RawPeer('server', socket))),
    });
    const options = { limits: { handshakeTimeoutMs: 1000 * SLOWNESS } };
    await victim.ask('attackMe', { url: listener.url(), times: CLIENTS, options, streams });

    await Promise.all(attacking);
    await goesRound(victim);
    await victim.settles(0, before.descriptors + 2);
    const { peakBytes, neighbourFault } = await victim.report();
    expect(neighbourFault).toBe('');
    expect(peakBytes - before.bytes).toBeLessThan(growthBound(SLACK + bytes));
  });
});

/** The neighbour goes round some more. */
async function goesRound(victim: Victim): Promise<void> {
  const { neighbourRounds } = await victim.report();
  await poll(
    async () => (await victim.report()).neighbourRounds >= neighbourRounds + 20,
    () => 'the neighbour to go round',
  );
}
