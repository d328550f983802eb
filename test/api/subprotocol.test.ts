/**
 * Proves subprotocol negotiation on both sides: what the client offers and accepts, what the server
 * picks, and that `openInfo` tells the outcome.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';

describe("the client's offer", PATIENT, () => {
  it.each([
    ['chat', 'chat', 'chat'],
    ['a, b, c', 'a, b, c', 'b'],
    ['a,b,c', 'a,b,c', 'c'],
  ])('%j goes out as %j and may be answered with %j', async (protocol, line, chosen) => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url(), { protocol });
    const peer = await listener.accept();
    const request = await peer.acceptUpgrade({ extra: [`Sec-WebSocket-Protocol: ${chosen}`] });

    expect(request.all('sec-websocket-protocol')).toEqual([line]);
    expect(await client.log.next('openInfo')).toEqual([
      undefined,
      { status: 101, message: 'Switching Protocols', protocol: chosen },
    ]);
  });

  it('may stay unanswered', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url(), { protocol: 'a,b' });
    await listener.acceptOpen();

    expect(await client.log.value('openInfo')).toEqual({
      status: 101,
      message: 'Switching Protocols',
    });
  });

  it('is not sent when it is empty', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url(), { protocol: '' });
    const request = await (await listener.accept()).acceptUpgrade();

    expect(request.all('sec-websocket-protocol')).toEqual([]);
  });

  it.each(['other', 'cha', 'CHAT', 'chat, chat2'])(
    'answered with %j, which it does not hold, fails with error 101',
    async (chosen) => {
      const listener = await RawListener.listen();
      const client = new TestClient();

      await client.connect(listener.url(), { protocol: 'chat' });
      await listener.acceptOpen({ extra: [`Sec-WebSocket-Protocol: ${chosen}`] });

      expect(await client.nextError()).toMatchObject({ code: 200, data: '101' });
      expect(client.log.names).toEqual(['error']);
    },
  );

  it('answered without an offer fails with error 101', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();

    await client.connect(listener.url());
    await listener.acceptOpen({ extra: ['Sec-WebSocket-Protocol: chat'] });

    expect(await client.nextError()).toMatchObject({ code: 200, data: '101' });
  });

  it('may be as long as 1023 bytes, and no longer', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    const names = Array.from({ length: 128 }, (_, i) => `p-${String(i).padStart(4, '0')}`);
    const protocol = names.join(', ').padEnd(1023, 'x');

    expect(
      await rejection(client.ws.connect(listener.url(), { protocol: `${protocol}x` })),
    ).toMatchObject({ code: 401 });
    await client.connect(listener.url(), { protocol });
    const peer = await listener.accept();
    const request = await peer.acceptUpgrade({ extra: ['Sec-WebSocket-Protocol: p-0126'] });

    expect(request.header('sec-websocket-protocol')).toBe(protocol);
    expect(await client.log.value('openInfo')).toMatchObject({ protocol: 'p-0126' });
  });
});

describe("the server's choice", PATIENT, () => {
  it.each([
    ['chat', 'chat', 'chat'],
    ['chat', 'other, chat', 'chat'],
    ['chat', 'other,chat', 'chat'],
    ['chat', 'other', undefined],
    ['chat', 'Chat', undefined],
    ['chat', undefined, undefined],
  ])('server %j, client %j: %j', async (protocol, offer, chosen) => {
    const server = await TestServer.start({ protocol });
    const peer = await RawPeer.connect({ port: server.port });

    const answer = await peer.upgrade({
      extra: offer === undefined ? [] : [`Sec-WebSocket-Protocol: ${offer}`],
    });

    expect(answer.all('sec-websocket-protocol')).toEqual(chosen === undefined ? [] : [chosen]);
    peer.sendText('works either way');
    expect((await server.nextMessage()).data).toBe('works either way');
  });

  it('finds a name at the end of a long offer', async () => {
    const server = await TestServer.start({ protocol: 'wanted' });
    const names = Array.from({ length: 50 }, (_, i) => `proto-${i}`);
    const peer = await RawPeer.connect({ port: server.port });

    const answer = await peer.upgrade({
      extra: [`Sec-WebSocket-Protocol: ${[...names, 'wanted'].join(', ')}`],
    });

    expect(answer.all('sec-websocket-protocol')).toEqual(['wanted']);
  });

  it('reaches a client of ours', async () => {
    const server = await TestServer.start({ protocol: 'v2.chat' });
    const client = new TestClient();

    await client.connect(server.url(), { protocol: 'v1.chat, v2.chat' });

    expect(await client.log.value('openInfo')).toMatchObject({ protocol: 'v2.chat' });
  });
});
