import { describe, expect, it } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { blockJavaScript, Changes, PATIENT, pause, VERY_PATIENT } from '../helpers/deadline.js';
import { type EventLog, TestClient, TestServer } from '../helpers/endpoints.js';
import { Flooder } from '../helpers/flooder.js';
import { openBlocked } from '../helpers/pairs.js';
import { Opcode, RawPeer, readClose } from '../helpers/peers.js';
import { Victim } from '../hostile/victim.js';

const certificates = certificatesOfFile();

describe(
  'D2 a wss connection survives receive flow control with frames pending',
  VERY_PATIENT,
  () => {
    // Small frames, many in one TLS record and more than all buffers of ours hold, while JavaScript
    // stands still: decrypted bytes wait in TLS and in the read buffer when reading is switched off.
    const flood = {
      count: 300_000,
      framesPerWrite: 250,
      content: { kind: 'numbered', size: 50 },
    } as const;

    it('as a server', async () => {
      const server = new TestServer({ without: ['messageReceive'] });
      const numbers = new NumberedReceiver();
      server.server.on('messageReceive', ({ data }) => numbers.take(data));
      await server.start({ serverCert: certificates.server });
      const flooder = new Flooder({
        ...flood,
        role: 'client',
        port: server.port,
        tls: { caPath: certificates.caPath },
      });
      await flooder.open;

      flooder.go();

      await numbers.finished(server.log);
      expect(numbers.received).toBe(flood.count);
      expect(server.log.names).toEqual(['connect']);
    });

    it('as a client', async () => {
      const flooder = new Flooder({ ...flood, role: 'server', tls: certificates.server });
      const client = new TestClient({ without: ['message', 'dataEnd'] });
      const numbers = new NumberedReceiver();
      client.ws.on('message', (_error, data) => numbers.take(data));
      await client.open(`wss://localhost:${await flooder.port}/`, { caPath: certificates.caPath });
      await flooder.open;

      flooder.go();

      await numbers.finished(client.log);
      expect(numbers.received).toBe(flood.count);
      expect(client.log.names).toEqual(['headerReceive', 'open', 'openInfo']);
    });

    /** Demands the flooder's texts in order, and blocks JavaScript now and then. */
    class NumberedReceiver {
      received = 0;
      readonly #changes = new Changes();
      #failure: Error | undefined;
      #ended = false;

      take(data: unknown): void {
        if (data === 'end') this.#ended = true;
        else if (data !== Flooder.numbered(this.received, flood.content.size)) {
          this.#failure ??= new Error(`message ${this.received} was ${String(data).slice(0, 60)}`);
        } else if (this.received++ % 60_000 === 0) blockJavaScript(500);
        if (this.#ended || this.#failure) this.#changes.notify();
      }

      /** The whole flood has come, and the connection has not ended before. */
      finished(log: EventLog): Promise<true> {
        log.onEntry(({ event }) => {
          if (event !== 'error' && event !== 'close') return;
          this.#failure ??= new Error(`'${event}' after ${this.received} messages`);
          this.#changes.notify();
        });
        return this.#changes.until(
          () => {
            if (this.#failure) throw this.#failure;
            return this.#ended ? true : undefined;
          },
          'the whole flood',
          VERY_PATIENT.timeout - 10_000,
        );
      }
    }
  },
);

describe.each(['server', 'client'] as const)('a blocked peer of our %s', (role) => {
  const BIG_BYTES = 500_000;
  /** More than both kernels' buffers take from a peer that does not read. */
  const BIG_COUNT = 60;

  describe('D12 a close behind a large queue', PATIENT, () => {
    it('follows all data when the peer reads again', async () => {
      const { peer, send, close, nextClose } = await openBlocked(role);

      for (let i = 0; i < BIG_COUNT; i++) void send(Buffer.alloc(BIG_BYTES, i));
      await close({ code: 1001, reason: 'behind everything' });
      peer.readOn();

      await expectBig(peer, BIG_COUNT);
      expect(await peer.expectClose()).toEqual({ code: 1001, reason: 'behind everything' });
      peer.sendClose(1001);
      expect(await nextClose()).toEqual({ code: 1001, reason: 'behind everything' });
      await peer.readToEnd();
    });
  });

  describe("D14 the peer's close code while our output is blocked", PATIENT, () => {
    it('is told at once, and the answer goes behind what was on its way', async () => {
      const { peer, send, nextClose } = await openBlocked(role);

      for (let i = 0; i < BIG_COUNT; i++) void send(Buffer.alloc(BIG_BYTES, i)).catch(() => {});
      peer.sendClose(4000, 'leaving');

      expect(await nextClose()).toEqual({ code: 4000, reason: 'leaving' });
      peer.readOn();
      const { frames } = await peer.readToEnd();
      const answer = frames.pop();
      expect(answer && readClose(answer)).toEqual({ code: 4000, reason: 'leaving' });
      // How much of it the engine had when the close came is a matter of timing; nothing is torn.
      for (const [i, { payload }] of frames.entries()) {
        if (!payload.equals(Buffer.alloc(BIG_BYTES, i))) throw new Error(`message ${i} is wrong`);
      }
    });
  });

  describe('D17 thousands of writes behind a blocked socket', PATIENT, () => {
    it('all leave in order', async () => {
      const { peer, send } = await openBlocked(role);
      const small = 5000;

      for (let i = 0; i < BIG_COUNT; i++) void send(Buffer.alloc(BIG_BYTES, i));
      for (let i = 0; i < small; i++) void send(`${i}`);
      peer.readOn();

      await expectBig(peer, BIG_COUNT);
      for (let i = 0; i < small; i++) expect(await peer.expectText()).toBe(`${i}`);
    });
  });

  async function expectBig(peer: RawPeer, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { payload } = await peer.expectFrame(Opcode.binary);
      if (!payload.equals(Buffer.alloc(BIG_BYTES, i))) throw new Error(`message ${i} is wrong`);
    }
  }
});

describe('D11 input behind a close that cannot leave yet', VERY_PATIENT, () => {
  it('costs no processor time', async () => {
    const victim = await Victim.serve({ limits: { closeTimeoutMs: 20_000 } });
    const peer = await RawPeer.open({ port: victim.port });
    peer.stopReading();
    peer.sendText('burst');
    peer.sendClose(1000);
    for (let n = 0; n < 100; n++) peer.sendText('behind the close frame');
    await peer.flushed();
    // Answered behind the peer's frames: the engine has seen them.
    const { cpuMs } = await victim.report();
    const from = performance.now();

    await pause(1500);

    const after = await victim.report();
    expect(after.cpuMs - cpuMs).toBeLessThan((performance.now() - from) / 2);
    expect(after.counts.close).toBe(1);
  });
});
