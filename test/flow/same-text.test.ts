/**
 * Proves that a text that is sent again and again, which the ring carries once, reaches every kind of peer
 * in its place among other messages, waits for who does not read, and is not taken for a published one.
 */

import { describe, expect, it, onTestFinished } from 'vitest';
import { type PerMessageDeflateOptions, WebSocket } from 'ws';
import { type Certificates, makeCertificates } from '../helpers/certificates.js';
import { Changes, VERY_PATIENT } from '../helpers/deadline.js';
import { type ClientAddress, type ServerConfig, TestServer } from '../helpers/endpoints.js';
import { Room } from '../helpers/room.js';

type Text = string | Buffer;

/** Below the size from which a text is kept, at it, with characters of every length, above the size of the ring's. */
const TEXTS: readonly Text[] = [
  'short',
  'a'.repeat(1024),
  'b'.repeat(1024),
  `${'ä€😀'.repeat(500)}\ud800`,
  'c'.repeat(9000),
  'd'.repeat(65_535),
  'e'.repeat(70_000),
  Buffer.from('a'.repeat(1024)),
];
const ON_WIRE = TEXTS.map((text) =>
  typeof text === 'string' ? Buffer.from(text).toString() : text,
);
const MESSAGES = 600;

/** The same numbers each time; well spread is all that they have to be. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

class Peer {
  readonly got: string[] = [];
  readonly expected: string[] = [];
  readonly #changes = new Changes();

  constructor(socket: WebSocket) {
    onTestFinished(() => socket.terminate());
    socket.on('message', (data, isBinary) => {
      this.got.push(nameOf(isBinary ? (data as Buffer) : String(data)));
      this.#changes.notify();
    });
  }

  complete(): Promise<true> {
    const count = this.expected.length;
    const look = () => (this.got.length >= count ? (true as const) : undefined);
    return this.#changes.until(look, `${count} messages`);
  }
}

/** A message in a few words; a lone surrogate is what the wire makes of it. */
function nameOf(data: Text): string {
  if (typeof data !== 'string') return `binary of ${data.length} bytes`;
  const known = ON_WIRE.indexOf(Buffer.from(data).toString());
  return known < 0 ? `unknown text ${data.slice(0, 20)}` : `text ${known}`;
}

const KINDS: readonly (boolean | PerMessageDeflateOptions)[] = [
  false,
  false,
  true,
  { serverNoContextTakeover: true },
  { serverNoContextTakeover: true, serverMaxWindowBits: 9 },
  true,
];

async function meet(config: Partial<ServerConfig>, tls?: Certificates) {
  const server = await TestServer.start(config);
  const peers: Peer[] = [];
  const connections = [];
  for (const perMessageDeflate of KINDS) {
    const url = `${tls ? 'wss' : 'ws'}://127.0.0.1:${server.port}/`;
    peers.push(new Peer(new WebSocket(url, { perMessageDeflate, rejectUnauthorized: false })));
    connections.push(await server.nextConnect());
  }
  return { server, peers, connections };
}

type Meeting = Awaited<ReturnType<typeof meet>>;

async function talk({ server, peers, connections }: Meeting, seed: number): Promise<void> {
  const random = numbers(seed);
  const pick = (count: number) => random.next().value % count;
  for (const connection of connections) await server.server.subscribe(connection, 'all');
  let text = TEXTS[0] as Text;
  for (let n = 0; n < MESSAGES; n++) {
    if (pick(4) === 0) text = TEXTS[pick(TEXTS.length)] as Text;
    if (pick(20) === 0) {
      await server.server.publish('all', text);
      for (const { expected } of peers) expected.push(nameOf(text));
      continue;
    }
    const to = pick(peers.length);
    // Another object with the same characters now and then: it is what it says that counts.
    const data = typeof text === 'string' && pick(3) === 0 ? [...text].join('') : text;
    const sent = server.send(data, connections[to] as ClientAddress);
    peers[to]?.expected.push(nameOf(text));
    if (pick(5) === 0) await sent;
  }
}

describe('one text sent many times', VERY_PATIENT, () => {
  it.each<[string, Partial<ServerConfig>]>([
    ['without compression', {}],
    ['compressing from 1 KiB', { permessageDeflate: true }],
    ['compressing everything', { permessageDeflate: { threshold: 0 } }],
    ['from a thread', { threads: 1 }],
    ['from two threads', { threads: 2, permessageDeflate: true }],
  ])('reaches everybody in its place, %s', async (_what, config) => {
    const meeting = await meet(config);

    await talk(meeting, 1);

    for (const peer of meeting.peers) {
      await peer.complete();
      expect(peer.got).toEqual(peer.expected);
    }
  });

  it('reaches everybody over TLS', async () => {
    const certificates = makeCertificates();
    onTestFinished(() => certificates.remove());
    const meeting = await meet(
      { serverCert: certificates.server, permessageDeflate: true },
      certificates,
    );

    await talk(meeting, 2);

    for (const peer of meeting.peers) {
      await peer.complete();
      expect(peer.got).toEqual(peer.expected);
    }
  });

  it('reaches those that stay while others go', async () => {
    const { server, peers, connections } = await meet({});
    const text = TEXTS[4] as string;
    const [first, second, third] = connections as [never, never, never];
    await server.server.send(text, first);
    await server.close(second);

    // The one that would have made the engine keep it is gone.
    await server.server.send(text, second).catch(() => false);
    await server.server.send(text, third);
    await server.server.send(text, first);

    peers[0]?.expected.push('text 4', 'text 4');
    peers[2]?.expected.push('text 4');
    for (const peer of peers) {
      await peer.complete();
      expect(peer.got).toEqual(peer.expected);
    }
  });

  it('waits for who does not read, and does not count as published', async () => {
    const room = await Room.open(2, { limits: { queuedBytes: 1_000_000 } });
    const text = 'y'.repeat(8192);
    const count = 2000;
    for (const { connection } of room.guests) await room.server.subscribe(connection, 'news');
    room.peer(1).stopReading();
    const sent = [];
    for (let n = 0; n < count; n++) sent.push(room.server.send(text, room.connection(1)));
    // Behind a message to the other: so the first has got what its socket takes.
    await room.receivedBy(room.guest(0));

    await room.server.publish('news', 'published');

    // The other has it, so it is in both queues: behind 16 MB, which are not the publisher's.
    expect(String((await room.peer(0).readFrame()).payload)).toBe('published');
    room.peer(1).readOn();
    for (let n = 0; n < count; n++) {
      expect(String((await room.peer(1).readFrame()).payload) === text).toBe(true);
    }
    expect(String((await room.peer(1).readFrame()).payload)).toBe('published');
    expect(await Promise.all(sent)).not.toContain(false);
  });
});
