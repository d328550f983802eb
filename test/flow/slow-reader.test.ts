/**
 * Proves what happens when a peer does not read for seconds: `send` of whoever awaits it stops
 * resolving, so that memory stays bounded where more than a gigabyte could have been queued; and when
 * the peer reads again, everything accepted arrives, in order.
 */

import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, growthBound, pause, VERY_PATIENT, within } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { MixedMessages, MixedMessagesReceiver } from '../helpers/mixed-messages.mjs';
import { Opcode, RawListener, RawPeer } from '../helpers/peers.js';

const PAUSE_MS = 2000;
/** What a sender without brakes would queue within the pause. */
const TEMPTATION_BYTES = 1_200_000_000;
const BOUND_BYTES = 200_000_000;

describe.each(['server', 'client'] as const)('a peer of our %s that does not read', (role) => {
  describe.each([1000, 60_000, 200_000])('messages of %i bytes', (size) => {
    describe('meanwhile', VERY_PATIENT, () => {
      it('wait at the sender, and all arrive afterwards', async () => {
        const { peer, send } = await openPair(role);
        const before = process.memoryUsage.rss();
        let sent = 0;
        let stop = false;
        peer.stopReading();

        const sending = (async () => {
          while (!stop && sent * size < TEMPTATION_BYTES) {
            const message = Buffer.alloc(size);
            message.writeUInt32BE(sent);
            await send(message);
            sent++;
          }
        })();
        await pause(PAUSE_MS);

        expect(sent * size).toBeLessThan(BOUND_BYTES);
        expect(process.memoryUsage.rss() - before).toBeLessThan(growthBound(BOUND_BYTES));
        stop = true;
        peer.readOn();
        await within(sending, 'the send that waited');
        for (let i = 0; i < sent; i++) {
          const { payload } = await peer.expectFrame(Opcode.binary);
          if (payload.length !== size || payload.readUInt32BE(0) !== i) {
            throw new Error(
              `message ${i}: ${payload.length} bytes, no. ${payload.readUInt32BE(0)}`,
            );
          }
        }
        await send('and it goes on');
        expect(await peer.expectText()).toBe('and it goes on');
      });
    });
  });

  describe('100,000 messages of mixed sizes', VERY_PATIENT, () => {
    it('arrive complete and in order though the peer pauses twice', async () => {
      const count = 100_000;
      const { peer, send } = await openPair(role);
      const before = process.memoryUsage.rss();
      let peak = 0;
      const messages = new MixedMessages(7);
      const receiver = new MixedMessagesReceiver(7, 'raw peer');

      const sending = (async () => {
        for (let i = 0; i < count; i++) await send(messages.next());
      })();
      while (receiver.received < count) {
        if (receiver.received === 10_000 || receiver.received === 60_000) {
          peer.stopReading();
          await pause(PAUSE_MS);
          peak = Math.max(peak, process.memoryUsage.rss());
          peer.readOn();
        }
        const { binary, data } = await peer.readMessage();
        receiver.take(binary ? data : data.toString());
      }
      await within(sending, 'the last send', DEADLINE_MS);

      expect(peak - before).toBeLessThan(growthBound(BOUND_BYTES));
    });
  });

  it('a send that waits resolves when the connection ends', { timeout: 60_000 }, async () => {
    const { peer, send } = await openPair(role);
    peer.stopReading();
    let isWaiting = false;
    let waiting: Promise<unknown> = Promise.resolve();
    for (let i = 0; i < 2000 && !isWaiting; i++) {
      isWaiting = true;
      waiting = send(Buffer.alloc(200_000)).finally(() => {
        isWaiting = false;
      });
      // One that does not have to wait settles within the tick.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(isWaiting).toBe(true);

    peer.reset();

    await within(
      waiting.catch(() => undefined),
      'the waiting send to settle',
    );
  });
});

async function openPair(role: 'server' | 'client'): Promise<{
  peer: RawPeer;
  send(data: string | Buffer): Promise<boolean>;
}> {
  if (role === 'server') {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const connection = await server.nextConnect();
    return { peer, send: (data) => server.server.send(data, connection) };
  }
  const listener = await RawListener.listen();
  const client = new TestClient();
  // No pings, which a peer of these tests takes for messages: under a sanitizer it takes more than 30 s.
  await client.connect(listener.url(), { pingInterval: 0 });
  const peer = await listener.acceptOpen();
  await client.log.next('open');
  return { peer, send: (data) => client.ws.send(data) };
}
