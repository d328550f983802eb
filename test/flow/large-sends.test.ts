/**
 * Proves that a large message leaves as it was at the call of `send`, in its place among the others, whether
 * the socket takes all of it at once, a part of it, or nothing: it may be sent from the application's own
 * memory, of which only the rest is copied.
 */

import { describe, expect, it } from 'vitest';
import { moreCertificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { type ServerConfig, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer } from '../helpers/peers.js';

const all = moreCertificatesOfFile();
const SIZES = [70_000, 3, 1_000_000, 65_536, 65_535, 5_000_000, 262_144, 0, 262_143, 1];

const KINDS: readonly { name: string; config: Partial<ServerConfig>; isTls: boolean }[] = [
  { name: 'plain', config: {}, isTls: false },
  { name: 'over TLS', config: { serverCert: all.server }, isTls: true },
  { name: 'from a thread of its own', config: { threads: 1 }, isTls: false },
];

async function openPair({ config, isTls }: (typeof KINDS)[number]) {
  const server = await TestServer.start(config);
  const options = isTls ? { tls: { rejectUnauthorized: false } } : {};
  const peer = await RawPeer.open({ port: server.port, ...options });
  return { server: server.server, peer, connection: await server.nextConnect() };
}

describe.each(KINDS)('large messages, $name', PATIENT, (kind) => {
  it('leave as they were, between the others, to a peer that reads', async () => {
    const { server, peer, connection } = await openPair(kind);

    for (const [i, size] of SIZES.entries()) {
      const bytes = new Uint8Array(size).fill(i);
      void server.send(bytes, connection);
      bytes.fill(255);
      void server.send(`after ${i}`, connection);
    }

    await expectAll(peer, 1);
  });

  it('leave as they were, between the others, to a peer that reads only then', async () => {
    const { server, peer, connection } = await openPair(kind);
    peer.stopReading();

    for (let round = 0; round < 3; round++) {
      for (const [i, size] of SIZES.entries()) {
        const bytes = new Uint8Array(size).fill(i);
        void server.send(bytes, connection);
        bytes.fill(255);
        void server.send(`after ${i}`, connection);
      }
    }
    peer.readOn();

    await expectAll(peer, 3);
  });

  it('leave as they are, whatever properties of their own say', async () => {
    const { server, peer, connection } = await openPair(kind);

    for (const size of [100, 100_000, 300_000]) {
      const bytes = new Uint8Array(new ArrayBuffer(size + 20), 10, size).fill(1);
      const lies = { buffer: new ArrayBuffer(50), byteOffset: 25, length: 5 };
      for (const [name, value] of Object.entries(lies)) {
        Object.defineProperty(bytes, name, { value });
      }
      void server.send(bytes, connection);

      const { payload } = await peer.expectFrame(Opcode.binary);
      expect(payload.equals(Buffer.alloc(size, 1))).toBe(true);
    }
  });

  it('are followed by the close frame', async () => {
    const { server, peer, connection } = await openPair(kind);
    peer.stopReading();

    void server.send(new Uint8Array(4_000_000).fill(1), connection);
    void server.send(new Uint8Array(4_000_000).fill(2), connection);
    void server.close(connection);
    peer.readOn();

    for (const fill of [1, 2]) {
      const { payload } = await peer.expectFrame(Opcode.binary);
      expect(payload.equals(Buffer.alloc(4_000_000, fill))).toBe(true);
    }
    await peer.expectFrame(Opcode.close);
  });

  it('are no concern of a connection that has ended', async () => {
    const { server, peer, connection } = await openPair(kind);

    peer.socket.destroy();
    let sent = 0;
    try {
      for (; sent < 1000; sent++) await server.send(new Uint8Array(1_000_000), connection);
    } catch {
      // It is not known any more.
    }

    expect(sent).toBeLessThan(1000);
  });
});

async function expectAll(peer: RawPeer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const [i, size] of SIZES.entries()) {
      const { payload } = await peer.expectFrame(Opcode.binary);
      expect(payload.equals(Buffer.alloc(size, i))).toBe(true);
      expect(await peer.expectText()).toBe(`after ${i}`);
    }
  }
}
