/**
 * Proves the client's heartbeat in time: an unanswered ping ends the connection when OpenHarmony's
 * netstack would, one `pongTimeout` after it, and only then; what counts as life and what does not; and
 * what the two options mean, value by value. Times may be early by 0.3 s and late by 1.5 s.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates, readPair } from '../helpers/certificates.js';
import { VERY_PATIENT } from '../helpers/deadline.js';
import { type ClientOptions, TestClient } from '../helpers/endpoints.js';
import { type ListenOptions, Opcode, RawListener, type RawPeer } from '../helpers/peers.js';

const EVERY_SECOND = { pingInterval: 1, pongTimeout: 1 } as const;

/** A connection that has just opened. */
interface Pair {
  readonly client: TestClient;
  readonly peer: RawPeer;
  readonly openedAt: number;
}

async function openPair(
  options: object,
  { scheme = 'ws', ...listen }: ListenOptions & { scheme?: string } = {},
): Promise<Pair> {
  const listener = await RawListener.listen(listen);
  const client = new TestClient({ without: ['headerReceive', 'open', 'dataEnd'] });
  await client.connect(`${scheme}://127.0.0.1:${listener.port}/`, options as ClientOptions);
  const peer = await listener.acceptOpen();
  await client.log.next('openInfo');
  return { client, peer, openedAt: performance.now() };
}

/** What a peer sees of a client whose pings it does not answer: when the pings came, and the end. */
interface Silence {
  readonly pings: readonly number[];
  readonly end: number;
  readonly how: string;
}

/** Reads until the client ends the connection; fails if anything but pings comes. */
async function keepSilent({ peer, openedAt }: Pair): Promise<Silence> {
  const since = () => (performance.now() - openedAt) / 1000;
  const pings: number[] = [];
  for (;;) {
    const frame = await peer.readFrame().catch((error: unknown) => {
      if (peer.ended === undefined) throw error;
      return undefined;
    });
    if (frame === undefined) return { pings, end: since(), how: String(peer.ended) };
    expect(frame).toEqual({
      ...{ opcode: Opcode.ping, fin: true, rsv: 0, masked: true },
      payload: Buffer.of(),
    });
    pings.push(since());
  }
}

/** The second, if that is when it was; else what was measured. */
function at(second: number, measured: number): number {
  return measured > second - 0.3 && measured < second + 1.5 ? second : measured;
}

/** The events of a connection that the heartbeat has ended. */
async function expectLinkDown(client: TestClient): Promise<void> {
  expect(await client.nextClose()).toEqual({ code: 0, reason: 'The link is down' });
  expect(client.log.entries.slice(-2)).toEqual([
    { event: 'error', args: [expect.objectContaining({ code: 200, data: '0' })] },
    { event: 'close', args: [undefined, { code: 0, reason: 'The link is down' }] },
  ]);
  const [error] = client.log.values('error') as { cause?: unknown }[];
  expect(error?.cause).toMatchObject({
    phase: 'established',
    detail: expect.stringMatching(/heartbeat|ping|pong/i),
  });
}

describe('a peer that is silent', VERY_PATIENT, () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(() => certificates.remove());

  it.each(['ws', 'wss'])('is pinged once and dropped, over %s', async (scheme) => {
    const tls = scheme === 'wss' ? { tls: readPair(certificates.server) } : {};
    const pair = await openPair(
      { ...EVERY_SECOND, caPath: certificates.caPath },
      { scheme, ...tls },
    );

    const { pings, end, how } = await keepSilent(pair);

    expect(pings.map((ping) => at(1, ping))).toEqual([1]);
    expect(at(2, end)).toBe(2);
    expect(how).toBe('end');
    await expectLinkDown(pair.client);
    expect(pair.client.log.names).toEqual(['openInfo', 'error', 'close']);
  });

  it('is not kept by its data, nor by its pings', async () => {
    const pair = await openPair(EVERY_SECOND);
    const { client, peer } = pair;
    const chatter = setInterval(() => {
      peer.sendText('data');
      peer.send({ opcode: Opcode.ping, payload: 'mine' });
    }, 100);

    try {
      await client.log.next('error');
    } finally {
      clearInterval(chatter);
    }

    expect(at(2, (performance.now() - pair.openedAt) / 1000)).toBe(2);
    await expectLinkDown(client);
    expect(client.log.names.filter((name) => name === 'message').length).toBeGreaterThan(5);
  });

  it('is not kept by what the client sends', async () => {
    const pair = await openPair(EVERY_SECOND);
    const { client, peer } = pair;
    const chatter = setInterval(() => client.ws.send('data').catch(() => undefined), 100);

    try {
      await client.log.next('error');
    } finally {
      clearInterval(chatter);
    }

    expect(at(2, (performance.now() - pair.openedAt) / 1000)).toBe(2);
    await expectLinkDown(client);
    const { frames } = await peer.readToEnd();
    expect(frames.filter(({ opcode }) => opcode === Opcode.ping)).toHaveLength(1);
    expect(frames.map(({ opcode }) => opcode)).not.toContain(Opcode.close);
  });

  it('is dropped after a ping that it did answer before', async () => {
    const pair = await openPair(EVERY_SECOND);
    await pair.peer.expectFrame(Opcode.ping);
    pair.peer.send({ opcode: Opcode.pong });

    const { pings, end } = await keepSilent(pair);

    expect(pings.map((ping) => at(2, ping))).toEqual([2]);
    expect(at(3, end)).toBe(3);
    await expectLinkDown(pair.client);
  });

  it('leaves an object that can connect again, with a heartbeat of its own', async () => {
    const pair = await openPair(EVERY_SECOND);
    await keepSilent(pair);
    await pair.client.log.next('close');
    const listener = await RawListener.listen();

    await pair.client.connect(listener.url(), EVERY_SECOND);
    const peer = await listener.acceptOpen();
    await pair.client.log.next('openInfo');

    const again = await keepSilent({ ...pair, peer, openedAt: performance.now() });
    expect(again.pings.map((ping) => at(1, ping))).toEqual([1]);
    expect(at(2, again.end)).toBe(2);
  });
});

describe('a peer that answers', VERY_PATIENT, () => {
  const answers: Readonly<Record<string, (peer: RawPeer) => void>> = {
    'as it should': (peer) => peer.send({ opcode: Opcode.pong }),
    'with another payload': (peer) => peer.send({ opcode: Opcode.pong, payload: 'other' }),
    twice: (peer) => peer.send({ opcode: Opcode.pong }, { opcode: Opcode.pong }),
    late: (peer) => void setTimeout(() => peer.send({ opcode: Opcode.pong }), 500),
  };

  it('is kept, however it answers', async () => {
    const outcomes = await Promise.all(
      Object.entries(answers).map(async ([how, answer]) => {
        const { client, peer } = await openPair(EVERY_SECOND);
        for (let cycle = 0; cycle < 5; cycle++) {
          await peer.expectFrame(Opcode.ping);
          answer(peer);
        }
        peer.sendText('alive');
        await client.log.next('message');
        return [how, client.log.names];
      }),
    );

    const kept = Object.keys(answers).map((how) => [how, ['openInfo', 'message']]);
    expect(outcomes).toEqual(kept);
  });

  it('before it is asked is not asked', async () => {
    const asked = await openPair(EVERY_SECOND);
    const { client, peer } = await openPair(EVERY_SECOND);
    const pongs = setInterval(() => peer.send({ opcode: Opcode.pong }), 200);

    try {
      // Two cycles of the other connection.
      await keepSilent(asked);
    } finally {
      clearInterval(pongs);
    }

    await client.send('no ping before this');
    expect(await peer.expectText()).toBe('no ping before this');
    expect(client.log.names).toEqual(['openInfo']);
  });
});

describe('the options', VERY_PATIENT, () => {
  interface Row {
    readonly options: Readonly<Record<string, unknown>>;
    /** Second of the one ping, and of the end. */
    readonly ping: number;
    readonly end: number;
  }

  const rows: readonly Row[] = [
    { options: { pingInterval: 1, pongTimeout: 1 }, ping: 1, end: 2 },
    { options: { pingInterval: 4, pongTimeout: 1 }, ping: 4, end: 5 },
    { options: { pingInterval: 1.9, pongTimeout: 1.9 }, ping: 1, end: 2 },
    // Above the interval, 30 and its being missing included: limited to it (C21).
    { options: { pingInterval: 1, pongTimeout: 3 }, ping: 1, end: 2 },
    { options: { pingInterval: 1, pongTimeout: 30 }, ping: 1, end: 2 },
    { options: { pingInterval: 1, pongTimeout: 40_000 }, ping: 1, end: 2 },
    { options: { pingInterval: 1, pongTimeout: Number.POSITIVE_INFINITY }, ping: 1, end: 2 },
    { options: { pingInterval: 1 }, ping: 1, end: 2 },
    { options: { pingInterval: 2, pongTimeout: 0 }, ping: 2, end: 4 },
    { options: { pingInterval: 2, pongTimeout: 0.9 }, ping: 2, end: 4 },
    { options: { pingInterval: 2, pongTimeout: -1 }, ping: 2, end: 4 },
    // Not a number: as if it were missing (C17).
    { options: { pingInterval: 1, pongTimeout: '3' }, ping: 1, end: 2 },
    { options: { pingInterval: 1, pongTimeout: null }, ping: 1, end: 2 },
    { options: { pingInterval: 1, pongTimeout: Number.NaN }, ping: 1, end: 2 },
  ];

  const quiet: readonly Readonly<Record<string, unknown>>[] = [
    // Off.
    { pingInterval: 0, pongTimeout: 1 },
    { pingInterval: 0 },
    { pingInterval: 0.9, pongTimeout: 1 },
    // 30 seconds, which is longer than this test.
    {},
    { pongTimeout: 1 },
    { pingInterval: -1, pongTimeout: 1 },
    { pingInterval: 30_001, pongTimeout: 1 },
    { pingInterval: Number.NaN, pongTimeout: 1 },
    { pingInterval: '1', pongTimeout: 1 },
    { pingInterval: null, pongTimeout: 1 },
    { pingInterval: [1], pongTimeout: 1 },
    { pingInterval: 30_000, pongTimeout: 1 },
  ];

  // All at the same time: together they take as long as the longest.
  it('mean what they should, value by value', async () => {
    const silent = await Promise.all(quiet.map((options) => openPair(options)));
    const outcomes = await Promise.all(
      rows.map(async ({ options, ping, end }) => {
        const seen = await keepSilent(await openPair(options));
        const pings = seen.pings.map((measured) => at(ping, measured));
        return { options, pings, end: at(end, seen.end) };
      }),
    );

    expect(outcomes).toEqual(
      rows.map(({ options, ping, end }) => ({ options, pings: [ping], end })),
    );
    // Five seconds and no ping: the first frame is this message.
    for (const { client, peer } of silent) {
      await client.send('still here');
      expect(await peer.expectText()).toBe('still here');
    }
  });
});
