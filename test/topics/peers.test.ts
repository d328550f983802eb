/**
 * Proves that subscribers of every kind get the same from one `publish`: compressed with context, without,
 * with other windows, not at all; over TLS.
 */

import { describe, expect, it, onTestFinished } from 'vitest';
import { type PerMessageDeflateOptions, WebSocket } from 'ws';
import { type Certificates, makeCertificates } from '../helpers/certificates.js';
import { Changes, VERY_PATIENT } from '../helpers/deadline.js';
import { type ServerConfig, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer } from '../helpers/peers.js';

/** A client of `ws` that keeps what it gets, and subscribes to everything. */
class Subscriber {
  readonly got: string[] = [];
  readonly #changes = new Changes();

  static async open(
    server: TestServer,
    perMessageDeflate: boolean | PerMessageDeflateOptions,
    tls?: Certificates,
  ): Promise<Subscriber> {
    const subscriber = new Subscriber();
    const socket = new WebSocket(`${tls ? 'wss' : 'ws'}://127.0.0.1:${server.port}/`, {
      perMessageDeflate,
      ...(tls && { rejectUnauthorized: false }),
    });
    onTestFinished(() => socket.terminate());
    socket.on('error', (error) => subscriber.#add(String(error)));
    socket.on('message', (data, isBinary) => subscriber.#add(`${isBinary}:${data}`));
    await server.server.subscribe(await server.nextConnect(), 'all');
    return subscriber;
  }

  #add(text: string): void {
    this.got.push(text);
    this.#changes.notify();
  }

  until(count: number): Promise<string[]> {
    return this.#changes.until(
      () => (this.got.length >= count ? this.got : undefined),
      `${count} messages`,
    );
  }
}

const SIZES = [0, 1, 10, 200, 1023, 1024, 5000, 70_000, 300_000];
const MESSAGES = Array.from({ length: 60 }, (_, n) => {
  const size = SIZES[n % SIZES.length] as number;
  return `${n} ${'abc'.repeat(size)}`.slice(0, size);
});

async function publishAll(server: TestServer): Promise<string[]> {
  for (const [n, text] of MESSAGES.entries()) {
    const sent = server.server.publish('all', n % 2 === 0 ? text : Buffer.from(text));
    if (n % 7 === 0) await sent;
  }
  return MESSAGES.map((text, n) => `${n % 2 === 1}:${text}`);
}

const KINDS: (boolean | PerMessageDeflateOptions)[] = [
  false,
  true,
  { serverNoContextTakeover: true },
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverNoContextTakeover: true, serverMaxWindowBits: 9 },
  { serverMaxWindowBits: 10 },
  true,
  false,
];

describe('one publish', VERY_PATIENT, () => {
  it.each<[string, Partial<ServerConfig>]>([
    ['without compression', {}],
    ['compressing from 1 KiB', { permessageDeflate: true }],
    ['compressing everything', { permessageDeflate: { threshold: 0 } }],
  ])('reaches every kind of subscriber, %s', async (_what, config) => {
    const server = await TestServer.start(config);
    const subscribers: Subscriber[] = [];
    for (const kind of KINDS) subscribers.push(await Subscriber.open(server, kind));

    const expected = await publishAll(server);

    for (const subscriber of subscribers) {
      expect(await subscriber.until(expected.length)).toEqual(expected);
    }
  });

  it('reaches subscribers over TLS', async () => {
    const certificates = makeCertificates();
    onTestFinished(() => certificates.remove());
    const server = await TestServer.start({
      serverCert: certificates.server,
      permessageDeflate: { threshold: 0 },
    });
    const subscribers = [
      await Subscriber.open(server, false, certificates),
      await Subscriber.open(server, true, certificates),
      await Subscriber.open(server, { serverNoContextTakeover: true }, certificates),
    ];

    const expected = await publishAll(server);

    for (const subscriber of subscribers) {
      expect(await subscriber.until(expected.length)).toEqual(expected);
    }
  });

  it('gives those without context the same bytes', async () => {
    const server = await TestServer.start({ permessageDeflate: { threshold: 0 } });
    const extensions = 'permessage-deflate; server_no_context_takeover';
    const peers: RawPeer[] = [];
    for (let n = 0; n < 3; n++) {
      peers.push(
        await RawPeer.open({
          port: server.port,
          request: { extra: [`Sec-WebSocket-Extensions: ${extensions}`] },
        }),
      );
      await server.server.subscribe(await server.nextConnect(), 'all');
    }
    for (let n = 0; n < 3; n++) await server.server.publish('all', 'again and again and again');

    const first = await peers[0]?.readFrame();
    expect(first).toMatchObject({ opcode: Opcode.text, rsv: 4 });
    for (const [n, peer] of peers.entries()) {
      for (let m = n === 0 ? 1 : 0; m < 3; m++) expect(await peer.readFrame()).toEqual(first);
    }
  });
});
