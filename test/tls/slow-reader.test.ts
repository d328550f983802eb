/**
 * What waits to be sent through TLS: records do not end where frames do, and one that has begun to leave cannot be
 * changed any more. So a peer that does not read for a while gets every frame whole and in order afterwards, the
 * answers to its pings between them, and the end behind everything.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { moreCertificatesOfFile, readPair } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawListener, RawPeer } from '../helpers/peers.js';

const all = moreCertificatesOfFile();
const RECORD = 16_384;
/** With what a frame's header takes, around where records end; several to a record; and many records. */
const SIZES = [1, RECORD - 4, RECORD, 6000, 6000, RECORD + 1, 125, 70_000, 20_000, 4096, 0];
const ROUNDS = 200;

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const roles = ['server', 'client'] as const;

describe.each(versions)('over %s', PATIENT, (version) => {
  describe.each(roles)('a peer of our %s that does not read', (role) => {
    it('gets all frames afterwards, and pongs in between', async () => {
      const { peer, send } = await openPair(role, version);
      peer.stopReading();
      let waits = false;
      const sent: Promise<unknown>[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        for (const size of SIZES) {
          const leaving = send(message(round, size));
          sent.push(leaving);
          waits = true;
          void leaving.then(() => {
            waits = false;
          });
        }
        await new Promise((resolve) => setImmediate(resolve));
        peer.send({ opcode: Opcode.ping, payload: `${round}` });
      }
      expect(waits).toBe(true);
      await peer.flushed();

      peer.readOn();

      let pongs = 0;
      for (let round = 0; round < ROUNDS; round++) {
        for (const size of SIZES) {
          let frame = await peer.readFrame();
          for (; frame.opcode === Opcode.pong; frame = await peer.readFrame()) {
            expect(frame.payload.toString()).toBe(`${pongs++}`);
          }
          if (frame.opcode !== Opcode.binary || !frame.payload.equals(message(round, size))) {
            throw new Error(`a message of ${size} bytes is wrong in round ${round}`);
          }
        }
      }
      for (; pongs < ROUNDS; pongs++) {
        const { payload } = await peer.expectFrame(Opcode.pong);
        expect(payload.toString()).toBe(`${pongs}`);
      }
      await Promise.all(sent);
    });

    it('gets the end of the connection behind all frames', async () => {
      const { peer, send, close } = await openPair(role, version);
      peer.stopReading();
      for (let n = 0; n < ROUNDS; n++) void send(message(n, 70_000));
      await close();
      peer.readOn();

      for (let n = 0; n < ROUNDS; n++) {
        const { payload } = await peer.expectFrame(Opcode.binary);
        if (!payload.equals(message(n, 70_000))) throw new Error(`message ${n} is wrong`);
      }
      expect(await peer.expectClose()).toEqual({ code: 1000, reason: 'that was all' });
      peer.sendClose(1000);
      expect((await peer.readToEnd()).end).toBe('end');
    });
  });
});

function message(number: number, size: number): Buffer {
  return Buffer.alloc(size, `${number},${size};`);
}

async function openPair(role: 'server' | 'client', version: 'TLSv1.2' | 'TLSv1.3') {
  const only = { minVersion: version, maxVersion: version };
  if (role === 'server') {
    const server = await TestServer.start({ serverCert: all.server });
    const tls = { ca: readFileSync(all.caPath), servername: 'localhost', ...only };
    const peer = await RawPeer.open({ port: server.port, tls });
    const connection = await server.nextConnect();
    return {
      peer,
      send: (data: Buffer) => server.server.send(data, connection),
      close: () => server.close(connection, { code: 1000, reason: 'that was all' }),
    };
  }
  const listener = await RawListener.listen({ tls: { ...readPair(all.server), ...only } });
  const client = new TestClient();
  await client.connect(`wss://localhost:${listener.port}/`, {
    caPath: all.caPath,
    pingInterval: 0,
  });
  const peer = await listener.acceptOpen();
  await client.log.next('open');
  return {
    peer,
    send: (data: Buffer) => client.ws.send(data),
    close: () => client.close({ code: 1000, reason: 'that was all' }),
  };
}
