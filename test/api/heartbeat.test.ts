/**
 * Proves the client's heartbeat: an empty masked PING a cycle, an unanswered one ends the connection
 * with an error and close 0, answered ones keep it, 0 switches it off; and that pings of the peer are
 * answered and never shown. The order of what happens is judged, not the seconds.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { type ClientOptions, TestClient } from '../helpers/endpoints.js';
import { Opcode, RawListener, type RawPeer } from '../helpers/peers.js';

describe('heartbeat', PATIENT, () => {
  it('pings, and drops a peer that does not answer, without a close frame', async () => {
    const { client, peer } = await openPair({ pingInterval: 1, pongTimeout: 1 });

    expect(await peer.readFrame()).toEqual({
      opcode: Opcode.ping,
      fin: true,
      rsv: 0,
      masked: true,
      payload: Buffer.of(),
    });
    const { frames } = await peer.readToEnd();

    expect(frames).toEqual([]);
    await client.nextClose();
    expect(client.log.entries.slice(3)).toEqual([
      { event: 'error', args: [expect.objectContaining({ code: 200, data: '0' })] },
      { event: 'close', args: [undefined, { code: 0, reason: 'The link is down' }] },
    ]);
  });

  it('keeps a connection whose peer answers, and shows nothing of it', async () => {
    const { client, peer } = await openPair({ pingInterval: 1, pongTimeout: 1 });

    // Longer than an unanswered ping would be borne.
    for (let i = 0; i < 4; i++) {
      await peer.expectFrame(Opcode.ping);
      peer.send({ opcode: Opcode.pong });
    }

    peer.sendText('alive');
    expect(await client.nextMessage()).toBe('alive');
    expect(client.log.names.slice(3)).toEqual(['message']);
  });

  it('takes data for no answer', async () => {
    const { client, peer } = await openPair({ pingInterval: 1, pongTimeout: 1 });
    const chatter = setInterval(() => peer.sendText('data'), 100);

    try {
      await peer.expectFrame(Opcode.ping);
      expect(await client.nextClose()).toEqual({ code: 0, reason: 'The link is down' });
    } finally {
      clearInterval(chatter);
    }
    expect(client.log.names).toContain('message');
  });

  it('is off with 0', async () => {
    const silent = await openPair({ pingInterval: 0, pongTimeout: 1 });
    const other = await openPair({ pingInterval: 1, pongTimeout: 1 });

    // The other connection's heartbeat ends it; this one has seen no ping by then.
    await other.client.nextClose();
    silent.peer.sendText('still here');

    expect(await silent.client.nextMessage()).toBe('still here');
    await silent.client.send('and no ping before this');
    expect(await silent.peer.expectText()).toBe('and no ping before this');
  });

  it('ends with the connection', async () => {
    const { client, peer } = await openPair({ pingInterval: 1, pongTimeout: 1 });

    await client.close();
    await peer.expectClose();
    peer.sendClose(1000);

    expect((await client.nextClose()).code).toBe(1000);
    await peer.readToEnd();
    expect(client.log.names).not.toContain('error');
  });
});

describe('pings of the peer', PATIENT, () => {
  it.each([0, 1, 125])(
    'of %i bytes are answered with their payload and not shown',
    async (size) => {
      const { client, peer } = await openPair({});
      const payload = Buffer.alloc(size, 'ping');

      peer.send({ opcode: Opcode.ping, payload });
      peer.send({ opcode: Opcode.pong, payload: 'unasked' });
      peer.sendText('after');

      const pong = await peer.expectFrame(Opcode.pong);
      expect(pong).toMatchObject({ fin: true, masked: true, payload });
      await client.nextMessage();
      expect(client.log.names.slice(3)).toEqual(['message']);
    },
  );
});

async function openPair(options: ClientOptions): Promise<{ client: TestClient; peer: RawPeer }> {
  const listener = await RawListener.listen();
  const client = new TestClient({ without: ['dataEnd'] });
  await client.connect(listener.url(), options);
  const peer = await listener.acceptOpen();
  await client.log.next('openInfo');
  return { client, peer };
}
