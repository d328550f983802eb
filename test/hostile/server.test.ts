/**
 * Attacks a server from outside, each beside a healthy connection that notices nothing, and with a bound
 * on the memory of the server's process. Attackers are raw sockets.
 */

import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT, poll, VERY_PATIENT, within } from '../helpers/deadline.js';
import { closeBody, type FrameSpec, Opcode, RawPeer, upgradeRequest } from '../helpers/peers.js';
import { Victim, withstands } from './victim.js';

const MI = 1024 * 1024;
/** What a process may grow by for reasons of its own: buffers, pools, the heap's slack. */
const SLACK = 48 * MI;

const certificates = certificatesOfFile();

/** So many attackers at a time. */
function times<T>(count: number, attack: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => attack(n)));
}

/** A connection that may be ended at any moment. */
async function bareSocket(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Random bytes, the same in every run. */
function garbage(seed: number, size: number): Buffer {
  let state = seed * 2_654_435_761 + 1;
  return Buffer.from(
    Array.from({ length: size }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 24;
    }),
  );
}

describe('handshakes', VERY_PATIENT, () => {
  it('byte by byte, never complete', async () => {
    const victim = await withstands(
      async ({ port }) => {
        await times(50, async () => {
          const peer = await RawPeer.connect({ port });
          const request = Buffer.from(upgradeRequest({ extra: [`X-A: ${'a'.repeat(20_000)}`] }));
          const head = peer.readHead();
          for (let at = 0; peer.ended === undefined && at < request.length; at++) {
            peer.write(request.subarray(at, at + 1));
            await new Promise((resolve) => setTimeout(resolve, 5));
            // What has come is read before the next byte: a write that fails takes the answer away.
            await new Promise((resolve) => setImmediate(resolve));
          }
          expect((await head).status).toBe(408);
        });
      },
      { config: { limits: { handshakeTimeoutMs: 1000 } }, bytes: SLACK },
    );
    expect((await victim.report()).counts.error).toBe(50);
  });

  it('TLS byte by byte, never complete', async () => {
    await withstands(
      async ({ port }) => {
        await times(50, async () => {
          const socket = await bareSocket(port);
          const ended = once(socket, 'close');
          socket.resume();
          const hello = Buffer.from('1603010200010001fc0303', 'hex');
          for (const byte of hello) {
            socket.write(Buffer.of(byte));
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          await ended;
        });
      },
      {
        config: { serverCert: certificates.server, limits: { handshakeTimeoutMs: 1500 } },
        tls: { rejectUnauthorized: false },
        bytes: SLACK,
      },
    );
  });

  it('large heads that never come whole: no more than 64 MiB of them is kept', async () => {
    const head = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(30_000)}`);
    const beyond = 3000 - Math.ceil((64 * MI) / head.length);
    const victim = await withstands(
      async ({ port }) => {
        const sockets = await times(3000, () => bareSocket(port));
        let refused = 0;
        await within(
          new Promise<void>((resolve) => {
            for (const socket of sockets) {
              socket.once('data', (answer) => {
                expect(String(answer)).toMatch(/^HTTP\/1\.1 503 /);
                refused += 1;
                if (refused === beyond) resolve();
              });
              socket.write(head);
            }
          }),
          'those beyond to be refused',
        );
        for (const socket of sockets) socket.destroy();
      },
      { config: { limits: { handshakeTimeoutMs: 600_000 } }, bytes: SLACK + 64 * MI },
    );
    expect((await victim.report()).counts.error).toBeGreaterThanOrEqual(beyond);
    // What they have sent counts no more.
    const peer = await RawPeer.connect({ port: victim.port });
    const request = Buffer.from(upgradeRequest());
    peer.write(request.subarray(0, 20));
    await peer.flushed();
    await (await RawPeer.open({ port: victim.port })).flushed();
    peer.write(request.subarray(20));
    expect((await peer.readHead()).status).toBe(101);
  });

  it('garbage in place of them', async () => {
    await withstands(
      async ({ port }) => {
        for (let wave = 0; wave < 5; wave++) {
          await times(100, async (n) => {
            const peer = await RawPeer.connect({ port });
            peer.write(garbage(wave * 100 + n, 1 + n * 10));
            peer.halfClose();
            await peer.readBytesToEnd();
          });
        }
      },
      { bytes: SLACK },
    );
  });

  it('storms of connections that say nothing', async () => {
    await withstands(
      async ({ port }) => {
        for (let wave = 0; wave < 20; wave++) {
          const sockets = await times(200, () => bareSocket(port));
          for (const [n, socket] of sockets.entries()) {
            if (n % 2 === 0) socket.resetAndDestroy();
            else socket.destroy();
          }
        }
      },
      { bytes: SLACK },
    );
  });
});

const onLinux = describe.runIf(process.platform === 'linux');

onLinux('a refusal at accept', PATIENT, () => {
  /** The peer has sent so much before the server looks; what it sees then, and whether TCP was ended in order. */
  async function refused(bytes: number): Promise<{ status: number; inOrder: boolean }> {
    const limits = { handshakes: 1, handshakeTimeoutMs: 600_000 };
    const victim = await Victim.serve({ limits });
    await RawPeer.connect({ port: victim.port });
    await victim.standStill();
    const peer = await RawPeer.connect({ port: victim.port });
    peer.stopReading();
    peer.write(Buffer.alloc(bytes, 'x'));
    victim.goOn();
    await poll(
      async () => (await victim.report()).counts.error === 1,
      () => 'the refusal to be told',
    );

    // What was left unread has made a reset of the end.
    const inOrder = await within(
      new Promise<boolean>((resolve) => peer.socket.write('x', (error) => resolve(!error))),
      'the kernel to take one more byte, or not',
    );
    peer.readOn();
    const { status } = inOrder ? await peer.readHead() : { status: 0 };
    return { status, inOrder };
  }

  it('reads a request that has come, so that the answer is not lost', async () => {
    expect(await refused(32 * 1024)).toEqual({ status: 503, inOrder: true });
  });

  it('reads no more than the largest request, however much has come', async () => {
    expect(await refused(320 * 1024)).toEqual({ status: 0, inOrder: false });
  });
});

describe('resets', VERY_PATIENT, () => {
  const text = (payload: string, rest: Partial<FrameSpec> = {}) => ({
    opcode: Opcode.text,
    payload,
    ...rest,
  });
  /** What a peer does before it resets. */
  const stages: readonly (readonly [string, (peer: RawPeer) => Promise<unknown>])[] = [
    ['after TCP', async () => {}],
    ['within the request', async (peer) => peer.write(upgradeRequest().slice(0, 50))],
    ['behind the request', async (peer) => peer.write(upgradeRequest())],
    ['after the answer', async (peer) => peer.upgrade()],
    [
      'within a frame head',
      async (peer) => {
        await peer.upgrade();
        peer.write(Buffer.of(0x82, 0xff, 0));
      },
    ],
    [
      'within a message',
      async (peer) => {
        await peer.upgrade();
        peer.send(text('part', { announcedLength: 1000 }));
      },
    ],
    [
      'between fragments',
      async (peer) => {
        await peer.upgrade();
        peer.send(text('part', { fin: false }));
      },
    ],
    [
      'while it is sent to',
      async (peer) => {
        await peer.upgrade();
        peer.stopReading();
        peer.sendText('stream');
      },
    ],
    [
      'behind its close frame',
      async (peer) => {
        await peer.upgrade();
        peer.sendClose(1000);
      },
    ],
    [
      'after the close frame of the other side',
      async (peer) => {
        await peer.upgrade();
        peer.sendClose(1000);
        await peer.expectClose();
      },
    ],
  ];

  it.each(stages)('%s', async (_name, before) => {
    await withstands(
      async ({ port }) => {
        await times(50, async () => {
          const peer = await RawPeer.connect({ port });
          await before(peer);
          await peer.flushed();
          peer.reset();
        });
      },
      // What the README says of a sender that awaits `send`, and its own message.
      { bytes: SLACK + 50 * 3 * MI },
    );
  });
});

onLinux('a close frame', PATIENT, () => {
  it('is answered, whatever the peer sends behind it that nobody reads', async () => {
    const victim = await Victim.serve();
    const peers = await times(20, () => RawPeer.open({ port: victim.port }));
    // The kernel takes everything; a write that fails later would take the answer away.
    await victim.standStill();
    for (const peer of peers) {
      const close = peer.encode([{ opcode: Opcode.close, payload: closeBody(1000) }]);
      peer.write(Buffer.concat([close, Buffer.alloc(MI / 2, 'x')]));
      await peer.flushed();
    }
    victim.goOn();

    for (const peer of peers) expect((await peer.expectClose()).code).toBe(1000);
  });
});

describe('half-open connections', VERY_PATIENT, () => {
  it('that end their half within a message', async () => {
    const victim = await withstands(
      async ({ port }) => {
        await times(200, async () => {
          const peer = await RawPeer.open({ port });
          peer.send({ opcode: Opcode.binary, payload: 'part', announcedLength: 100_000 });
          peer.halfClose();
          await peer.readToEnd();
        });
      },
      { bytes: SLACK },
    );
    expect((await victim.report()).counts.close).toBe(200);
  });
});

describe('floods', VERY_PATIENT, () => {
  /** One attacker writes frames and reads nothing. */
  async function flood(victim: Victim, frames: FrameSpec[], repeat: number): Promise<RawPeer> {
    const peer = await RawPeer.open({ port: victim.port });
    peer.stopReading();
    const bytes = peer.encode(frames);
    for (let n = 0; n < repeat; n++) {
      peer.write(bytes);
      await peer.flushed();
    }
    return peer;
  }

  it('of pings whose pongs are not read', async () => {
    const pings = Array.from({ length: 1000 }, () => ({
      opcode: Opcode.ping,
      payload: Buffer.alloc(125),
    }));
    await withstands(
      async (victim) => {
        const peers = await times(5, () => flood(victim, pings, 100));
        for (const peer of peers) peer.reset();
      },
      { bytes: SLACK },
    );
  });

  it('of fragments of one byte, up to the limit', async () => {
    const victim = await withstands(
      async ({ port }) => {
        const peer = await RawPeer.open({ port });
        peer.send({ opcode: Opcode.binary, payload: 'x', fin: false });
        const more = { opcode: Opcode.continuation, payload: 'x', fin: false };
        const thousand = peer.encode(Array.from({ length: 1000 }, () => more));
        for (let n = 0; n < 200 && peer.ended === undefined; n++) {
          peer.write(thousand);
          await peer.flushed().catch(() => {});
        }
        expect((await peer.expectClose()).code).toBe(1008);
      },
      { config: { limits: { messageFragments: 100_000 } }, bytes: SLACK },
    );
    expect((await victim.report()).counts.messageReceive).toBeGreaterThan(0);
  });

  it('of empty fragments, and an end', async () => {
    await withstands(
      async ({ port }) => {
        const peer = await RawPeer.open({ port });
        peer.send({ opcode: Opcode.text, fin: false });
        const empty = { opcode: Opcode.continuation, fin: false };
        const thousand = peer.encode(Array.from({ length: 1000 }, () => empty));
        for (let n = 0; n < 500; n++) {
          peer.write(thousand);
          await peer.flushed();
        }
        peer.send({ opcode: Opcode.continuation, payload: 'end' });
        expect(await peer.expectText()).toBe('end');
        peer.reset();
      },
      { bytes: SLACK },
    );
  });

  it('of empty messages, all of them answered', async () => {
    const count = 100_000;
    await withstands(
      async ({ port }) => {
        const peer = await RawPeer.open({ port });
        const empty = peer.encode(Array.from({ length: 1000 }, () => ({ opcode: Opcode.binary })));
        for (let n = 0; n < count / 1000; n++) peer.write(empty);
        for (let n = 0; n < count; n++) {
          expect((await peer.expectFrame(Opcode.binary)).payload).toHaveLength(0);
        }
        peer.reset();
      },
      { bytes: SLACK },
    );
  });

  it('of garbage on open connections', async () => {
    await withstands(
      async ({ port }) => {
        for (let wave = 0; wave < 5; wave++) {
          await times(100, async (n) => {
            const peer = await RawPeer.open({ port });
            peer.write(garbage(wave * 100 + n, 1 + n * 20));
            peer.halfClose();
            await peer.readBytesToEnd();
          });
        }
      },
      { bytes: SLACK },
    );
  });
});

describe('lengths', VERY_PATIENT, () => {
  it.each([2n ** 31n, 2n ** 32n, 2n ** 62n])('%i announced is refused at once', async (length) => {
    await withstands(
      async ({ port }) => {
        await times(50, async () => {
          const peer = await RawPeer.open({ port });
          peer.send({ opcode: Opcode.binary, payload: 'x', announcedLength: length });
          expect((await peer.expectClose()).code).toBe(1009);
          peer.reset();
        });
      },
      { bytes: SLACK },
    );
  });

  it('100 MB announced by fifty, a little sent', async () => {
    await withstands(
      async ({ port }) => {
        const peers = await times(50, async () => {
          const peer = await RawPeer.open({ port });
          peer.send({
            opcode: Opcode.binary,
            payload: Buffer.alloc(100_000),
            announcedLength: 100_000_000,
          });
          await peer.flushed();
          return peer;
        });
        for (const peer of peers) peer.reset();
      },
      { bytes: SLACK + 50 * MI },
    );
  });

  it('too much in fragments', async () => {
    await withstands(
      async ({ port }) => {
        const peer = await RawPeer.open({ port });
        peer.send({ opcode: Opcode.binary, fin: false });
        const piece = peer.encode([
          { opcode: Opcode.continuation, payload: Buffer.alloc(MI), fin: false },
        ]);
        for (let n = 0; n < 20 && peer.ended === undefined; n++) {
          peer.write(piece);
          await peer.flushed().catch(() => {});
        }
        expect((await peer.expectClose()).code).toBe(1009);
      },
      { config: { limits: { messageBytes: 10 * MI } }, bytes: SLACK + 30 * MI },
    );
  });
});

describe('readers that never read', VERY_PATIENT, () => {
  it('cost a queue each, however much is sent to them', async () => {
    const readers = 10;
    await withstands(
      async (victim) => {
        const peers = await times(readers, async () => {
          const peer = await RawPeer.open({ port: victim.port });
          peer.stopReading();
          peer.sendText('stream');
          await peer.flushed();
          return peer;
        });
        // All of them have asked.
        const asked = async () => (await victim.report()).counts.messageReceive >= readers;
        while (!(await asked())) await new Promise((resolve) => setImmediate(resolve));
        for (const peer of peers) peer.reset();
      },
      { bytes: SLACK + readers * 4 * MI },
    );
  });

  it('are cut when they do not take our close frame', async () => {
    // That the server has cut them shows in its descriptors: who does not read sees no end.
    const readers = 3;
    await withstands(
      async ({ port }) => {
        await times(readers, async () => {
          const peer = await RawPeer.open({ port });
          peer.stopReading();
          peer.sendText('burst');
          peer.sendClose(1000);
          await peer.flushed();
        });
      },
      { config: { limits: { closeTimeoutMs: 500 } }, bytes: SLACK + readers * 64 * MI },
    );
  });
});

describe('coming and going', VERY_PATIENT, () => {
  it('of 10,000 connections', async () => {
    const victim = await withstands(
      async ({ port }) => {
        for (let wave = 0; wave < 50; wave++) {
          await times(200, async (n) => {
            const peer = await RawPeer.open({ port });
            peer.sendText(`${n}`);
            expect(await peer.expectText()).toBe(`${n}`);
            if (n % 3 === 0) return peer.reset();
            if (n % 3 === 1) peer.halfClose();
            else peer.send({ opcode: Opcode.close, payload: closeBody(1000) });
            await peer.readToEnd();
            peer.halfClose();
          });
        }
      },
      { bytes: SLACK },
    );
    const { counts } = await victim.report();
    expect(counts.connect).toBe(10_001);
    expect(counts.close).toBe(10_000);
  });
});
