/**
 * Proves `binaryType` in both roles, and on a thread of the server's own: with 'view' each binary message is a
 * Uint8Array of its own bytes, whatever its size and its neighbours, those that come together share memory, and they
 * stay as they are when more messages follow; without it an ArrayBuffer. Anything else is refused.
 */

import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT, within } from '../helpers/deadline.js';
import { rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { type FrameSpec, Opcode, RawListener, RawPeer } from '../helpers/peers.js';

const certificates = certificatesOfFile();

type Options = { binaryType?: 'arraybuffer' | 'view' };
type Data = string | ArrayBuffer | Uint8Array;

interface Pair {
  readonly peer: RawPeer;
  messages(count: number): Promise<Data[]>;
}

const roles = {
  'server on a thread': (options: Options) => roles.server({ ...options, threads: 1 }),
  server: async (options: Options & { threads?: number }): Promise<Pair> => {
    const server = await TestServer.start(options);
    const peer = await RawPeer.open({ port: server.port });
    const messages = (count: number) =>
      take(count, async () => (await server.nextMessage()).data as Data);
    return { peer, messages };
  },
  client: async (options: Options): Promise<Pair> => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url(), options);
    const peer = await listener.acceptOpen();
    return { peer, messages: (count) => take(count, () => client.nextMessage() as Promise<Data>) };
  },
};

async function take(count: number, next: () => Promise<Data>): Promise<Data[]> {
  const taken: Data[] = [];
  while (taken.length < count) taken.push(await next());
  return taken;
}

/** Bytes that tell which message they belong to. */
function payload(size: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, n) => (n * 7 + seed) & 0xff));
}

function binary(size: number, seed: number): FrameSpec {
  return { opcode: Opcode.binary, payload: payload(size, seed) };
}

describe.each(['server', 'server on a thread', 'client'] as const)(
  'binaryType of our %s',
  PATIENT,
  (role) => {
    it("gives a Uint8Array for each binary message with 'view', and strings for text", async () => {
      const { peer, messages } = await roles[role]({ binaryType: 'view' });
      const sizes = [0, 1, 3, 64, 1000, 65_535, 65_536, 300_000, 5];

      peer.send(...sizes.flatMap((size, n): FrameSpec[] => [binary(size, n), text(`text ${n}`)]));
      const got = await messages(2 * sizes.length);

      for (const [n, size] of sizes.entries()) {
        const view = got[2 * n];
        expect(view).toBeInstanceOf(Uint8Array);
        expect(Buffer.compare(view as Uint8Array, payload(size, n))).toBe(0);
        expect(got[2 * n + 1]).toBe(`text ${n}`);
      }
    });

    it('takes memory once for those that came together, though each event of a client is a task of its own', async () => {
      const { peer, messages } = await roles[role]({ binaryType: 'view' });

      peer.send(...Array.from({ length: 100 }, (_, n) => binary(64, n)));

      const memory = new Set(((await messages(100)) as Uint8Array[]).map((view) => view.buffer));
      const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
      // One packet is read at once; the system may cut it all the same.
      expect(memory.size).toBeLessThan(10);
      expect(bytes).toBeLessThan(10 * 100 * 80);
    });

    it('leaves a view as it is while megabytes follow', async () => {
      const { peer, messages } = await roles[role]({ binaryType: 'view' });
      peer.send(binary(100, 1), binary(100, 2));
      const [first, second] = (await messages(2)) as [Uint8Array, Uint8Array];

      const many = Array.from({ length: 200 }, (_, n) => binary(50_000, n));
      peer.send(...many);
      const later = (await messages(many.length)) as Uint8Array[];

      expect(Buffer.compare(first, payload(100, 1))).toBe(0);
      expect(Buffer.compare(second, payload(100, 2))).toBe(0);
      for (const [n, view] of later.entries()) {
        expect(Buffer.compare(view, payload(50_000, n))).toBe(0);
        expect(view.buffer.byteLength).toBeLessThanOrEqual(257 * 1024);
      }
    });

    it('shares the memory that several were received in, where they are neither small nor large', async () => {
      const { peer, messages } = await roles[role]({ binaryType: 'view' });
      const sizes = [512, 700, 5000, 16_384, 40_000, 600];

      for (let round = 0; round < 30; round++) {
        peer.send(...sizes.map((size, n) => binary(size, n + round)));
      }

      const views = (await messages(30 * sizes.length)) as Uint8Array[];
      for (const [n, view] of views.entries()) {
        const [round, index] = [Math.floor(n / sizes.length), n % sizes.length];
        expect(Buffer.compare(view, payload(sizes[index] as number, index + round))).toBe(0);
      }
      expect(new Set(views.map((view) => view.buffer)).size).toBeLessThan(views.length / 2);
    });

    it('does not keep a buffer of the network for a short message behind much else', async () => {
      const { peer, messages } = await roles[role]({ binaryType: 'view' });

      for (let n = 0; n < 20; n++) {
        // One read brings them, or the rest of them.
        const before = text('x'.repeat(30_000));
        peer.send(before, binary(1000, n), before);
      }

      const views = (await messages(60)).filter((data) => typeof data !== 'string') as Uint8Array[];
      expect(views).toHaveLength(20);
      const memory = new Set(views.map((view) => view.buffer));
      const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
      expect(bytes).toBeLessThan(20 * 65_536);
      for (const [n, view] of views.entries()) {
        expect(Buffer.compare(view, payload(1000, n))).toBe(0);
      }
    });

    it('keeps what is lent from being handed on, with the messages that share it', async () => {
      const { peer, messages } = await roles[role]({ binaryType: 'view' });
      peer.send(...Array.from({ length: 10 }, (_, n) => binary(5000, n)));
      const [first, ...others] = (await messages(10)) as [Uint8Array, ...Uint8Array[]];

      try {
        structuredClone(first, { transfer: [first.buffer as ArrayBuffer] });
      } catch {
        // Node.js 21 and later say so; before, they copy.
      }

      for (const [n, view] of [first, ...others].entries()) {
        expect(Buffer.compare(view, payload(5000, n))).toBe(0);
      }
    });

    it('gives views that are apart: what is written to one is not seen in another', async () => {
      const { peer, messages } = await roles[role]({ binaryType: 'view' });
      peer.send(binary(64, 1), binary(64, 2));
      const [first, second] = (await messages(2)) as [Uint8Array, Uint8Array];

      first.fill(0);

      expect(Buffer.compare(second, payload(64, 2))).toBe(0);
    });

    it.each([[{}], [{ binaryType: 'arraybuffer' }]] as const)(
      'gives ArrayBuffers with %j',
      async (options) => {
        const { peer, messages } = await roles[role](options);

        peer.send(binary(10, 1), binary(70_000, 2));

        for (const data of await messages(2)) expect(data).toBeInstanceOf(ArrayBuffer);
      },
    );
  },
);

describe('binaryType over TLS', PATIENT, () => {
  it('gives both sides views of what was received, as it was sent', async () => {
    const { server: serverCert, caPath } = certificates;
    const server = await TestServer.startEcho({ serverCert, binaryType: 'view' });
    const options = { caPath, binaryType: 'view' } as const;
    const client = await TestClient.open(`wss://localhost:${server.port}/`, options);
    const sizes = Array.from({ length: 40 }, (_, n) => 600 + 1500 * n);

    for (const [n, size] of sizes.entries()) void client.send(payload(size, n));

    const views = (await take(
      sizes.length,
      () => client.nextMessage() as Promise<Data>,
    )) as Uint8Array[];
    for (const [n, size] of sizes.entries()) {
      expect(Buffer.compare(views[n] as Uint8Array, payload(size, n))).toBe(0);
    }
    expect(new Set(views.map((view) => view.buffer)).size).toBeLessThan(sizes.length);
  });
});

describe('binaryType of a server', PATIENT, () => {
  it('gives each message its own bytes where more comes at once than the ring holds', async () => {
    const server = await TestServer.start({ binaryType: 'view', permessageDeflate: true });
    const peer = await RawPeer.open({
      port: server.port,
      request: {
        extra: ['Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover'],
      },
    });
    // Few bytes on the wire, 60 KB in the ring: seventeen of them are a lap of it.
    const texts = Array.from({ length: 17 }, (_, n) => {
      const flushed = { finishFlush: constants.Z_SYNC_FLUSH };
      const deflated = deflateRawSync(Buffer.alloc(58_000 + 200 * n, 't'), flushed).subarray(0, -4);
      return { opcode: Opcode.text, payload: deflated, rsv: 4 };
    });
    const rounds = Array.from({ length: 300 }, (_, n) => n);

    peer.send(...rounds.flatMap((n) => [binary(64, n), ...texts.slice(n % 3)]));

    for (const n of rounds) {
      let data: unknown;
      do data = (await server.nextMessage()).data;
      while (typeof data === 'string');
      expect(Buffer.compare(data as Uint8Array, payload(64, n))).toBe(0);
    }
  });
});

describe('binaryType', () => {
  it.each(['blob', 'VIEW', '', null, 1, {}])(
    'is refused with 401 if it is %j',
    async (binaryType) => {
      const options = { binaryType } as Options;

      const fromServer = await rejection(
        new TestServer().server.start({ serverPort: 0, ...options }),
      );
      const fromClient = await rejection(new TestClient().ws.connect('ws://127.0.0.1:9', options));

      for (const error of [fromServer, fromClient]) {
        expect(error).toMatchObject({
          code: 401,
          cause: { detail: expect.stringContaining('binaryType') },
        });
      }
    },
  );

  it('goes round: a view that came can be sent', async () => {
    const server = await TestServer.startEcho({ binaryType: 'view' });
    const client = await TestClient.open(server.url(), { binaryType: 'view' } as Options);

    await within(client.send(payload(1000, 3)), 'send');
    const back = (await client.log.value('message')) as Uint8Array;

    expect(Buffer.compare(back, payload(1000, 3))).toBe(0);
  });
});

function text(value: string): FrameSpec {
  return { opcode: Opcode.text, payload: value };
}
