/**
 * Proves how connections end: the close frame on the wire, the code and reason that the close event
 * tells, for an own close, the peer's close, and a TCP connection that just ends; that an own close
 * comes behind everything sent; and that a close is possible at any moment, once.
 */

import { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { callback, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { askingPair, openClientPair } from '../helpers/pairs.js';
import { closeBody, Opcode, RawListener, type RawPeer } from '../helpers/peers.js';

const UNKNOWN = { code: 2302999, message: 'Websocket Unknown Other Error' };

describe('own close', PATIENT, () => {
  it.each([
    [undefined, 1000, 'CLOSE_NORMAL'],
    [{}, 1000, 'CLOSE_NORMAL'],
    [{ code: 1001 }, 1001, 'CLOSE_NORMAL'],
    [{ reason: 'just so' }, 1000, 'just so'],
    [{ code: 1003, reason: 'both' }, 1003, 'both'],
    [{ code: 1012, reason: 'restart' }, 1012, 'restart'],
    [{ code: 1014, reason: '' }, 1014, 'CLOSE_NORMAL'],
    [{ code: 999, reason: 'below' }, 1000, 'below'],
    [{ code: 1016, reason: 'above' }, 1000, 'above'],
    [{ code: 3000, reason: 'far above' }, 1000, 'far above'],
  ])('close(%j) sends and tells %i %j', async (options, code, reason) => {
    const { client, peer } = await openClientPair();

    expect(await client.close(options)).toBe(true);

    expect(await peer.expectClose()).toEqual({ code, reason });
    peer.sendClose(code, 'whatever the peer says');
    expect(await client.log.next('close')).toEqual([undefined, { code, reason }]);
    await peer.readToEnd();
    expect(client.log.names).not.toContain('error');
  });

  it.each([1004, 1005, 1006, 1015])(
    'tells the reserved code %i but never puts it on the wire',
    async (code) => {
      const { client, peer } = await openClientPair();

      await client.close({ code, reason: 'reserved' });

      expect(await peer.expectClose()).toEqual({ code: 1000, reason: 'reserved' });
      peer.sendClose(1000);
      expect(await client.nextClose()).toEqual({ code, reason: 'reserved' });
    },
  );

  it('cuts a long reason at a character border on the wire', async () => {
    const { client, peer } = await openClientPair();

    await client.close({ code: 1000, reason: 'é'.repeat(62) });

    expect(await peer.expectClose()).toEqual({ code: 1000, reason: 'é'.repeat(61) });
    peer.sendClose(1000);
    expect((await client.nextClose()).code).toBe(1000);
  });

  it('sends everything that was sent before', async () => {
    const { client, peer } = await openClientPair();

    for (let i = 0; i < 100; i++) void client.ws.send(`${i}`);
    void client.ws.send(new ArrayBuffer(2_000_000));
    await client.close({ code: 1000, reason: 'done' });

    for (let i = 0; i < 100; i++) expect(await peer.expectText()).toBe(`${i}`);
    expect((await peer.expectFrame(Opcode.binary)).payload).toHaveLength(2_000_000);
    expect(await peer.expectClose()).toEqual({ code: 1000, reason: 'done' });
    peer.sendClose(1000);
    await client.nextClose();
  });

  it('drops what the peer sends after the call, and still takes its answer', async () => {
    const { client, peer } = await openClientPair();

    await client.close({ code: 1001, reason: 'enough' });
    await peer.expectClose();
    peer.sendText('too late');
    peer.sendClose(1001);

    expect(await client.nextClose()).toEqual({ code: 1001, reason: 'enough' });
    expect(client.log.names.slice(3)).toEqual(['close']);
  });

  it('tells the same when the peer does not answer', async () => {
    const { client, peer } = await openClientPair();

    await client.close({ code: 1001, reason: 'go' });
    await peer.expectClose();

    expect(await client.nextClose()).toEqual({ code: 1001, reason: 'go' });
    await peer.readToEnd();
    expect(client.log.names).not.toContain('error');
  });

  it('calls back with (undefined, true), alone and behind options', async () => {
    const first = await openClientPair();
    const second = await openClientPair();
    const alone = callback();
    const behind = callback();

    expect(first.client.ws.close(alone.fn)).toBeUndefined();
    expect(await alone.called).toEqual([undefined, true]);
    expect(await first.peer.expectClose()).toEqual({ code: 1000, reason: 'CLOSE_NORMAL' });

    expect(second.client.ws.close({ code: 1001, reason: 'away' }, behind.fn)).toBeUndefined();
    expect(await behind.called).toEqual([undefined, true]);
    expect(await second.peer.expectClose()).toEqual({ code: 1001, reason: 'away' });
  });

  it('refuses a second close, while closing and afterwards, and tells the first', async () => {
    const { client, peer } = await openClientPair();

    await client.close({ code: 1001, reason: 'first' });
    expect(await rejection(client.ws.close({ code: 1002 }))).toMatchObject(UNKNOWN);
    expect(await peer.expectClose()).toEqual({ code: 1001, reason: 'first' });
    peer.sendClose(1001);
    await client.nextClose();
    expect(await rejection(client.ws.close())).toMatchObject(UNKNOWN);

    await peer.readToEnd();
    expect(client.log.values('close')).toEqual([{ code: 1001, reason: 'first' }]);
  });

  it('refuses to send while closing', async () => {
    const { client, peer } = await openClientPair();

    await client.close();
    const refused = await rejection(client.ws.send('late'));

    expect(refused).toMatchObject({ code: -1, message: 'Websocket Unknown Other Error' });
    await peer.expectClose();
  });

  it('refuses without a session, and after a failed attempt', async () => {
    const ws = webSocket.createWebSocket();
    const failed = callback();
    expect(await rejection(ws.close())).toMatchObject(UNKNOWN);
    expect(ws.close(failed.fn)).toBeUndefined();
    expect((await failed.called)[0]).toMatchObject(UNKNOWN);

    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());
    (await listener.accept()).reset();
    await client.nextError();
    expect(await rejection(client.ws.close({ code: 1001 }))).toMatchObject(UNKNOWN);
  });

  it('aborts a handshake that is not complete, tells it, and the object can connect again', async () => {
    const { client, peer } = await askingPair();

    expect(await client.close({ code: 1001, reason: 'changed my mind' })).toBe(true);

    expect(await client.nextClose()).toEqual({ code: 1001, reason: 'changed my mind' });
    await peer.readToEnd();
    expect(client.log.names).toEqual(['close']);
    const server = await TestServer.start();
    await client.open(server.url());
  });

  it('aborts also in the tick of the connect', async () => {
    const server = await TestServer.start();
    const client = new TestClient();

    const connected = client.ws.connect(server.url()).then(undefined, () => false);
    const closed = client.ws.close();

    expect(await closed).toBe(true);
    await connected;
    await client.nextClose();
    expect(client.log.names).toEqual(['close']);
  });
});

describe("the peer's close", PATIENT, () => {
  it.each([
    [1000, 'bye', 1000, 'bye'],
    [1001, '', 1001, 'The link is down'],
    [1003, 'c', 1003, 'c'],
    [1007, 'd', 1007, 'd'],
    [1011, 'e', 1011, 'e'],
    [1012, 'f', 1012, 'f'],
    [1013, 'g', 1013, 'g'],
    [1014, 'h', 1014, 'h'],
    [3000, 'i', 3000, 'i'],
    [4999, 'r'.repeat(123), 4999, 'r'.repeat(123)],
    [1000, '漢'.repeat(41), 1000, '漢'.repeat(41)],
    [0, 'x', 1002, 'x'],
    [999, 'x', 1002, 'x'],
    [1004, 'x', 1002, 'x'],
    [1005, 'x', 1002, 'x'],
    [1006, 'x', 1002, 'x'],
    [1016, 'x', 1002, 'x'],
    [2999, 'x', 1002, 'x'],
    [5000, 'x', 1002, 'x'],
    [65_535, 'x', 1002, 'x'],
  ])('close frame %i %j is told as %i %j and answered', async (sent, words, code, reason) => {
    const { client, peer } = await openClientPair();

    peer.sendClose(sent, words);

    expect(await client.log.next('close')).toEqual([undefined, { code, reason }]);
    expect(await peer.expectClose()).toEqual({ code, reason: words });
    peer.halfClose();
    await peer.readToEnd();
    expect(client.log.names).not.toContain('error');
  });

  it('without a body is told as 1000 and answered without a body', async () => {
    const { client, peer } = await openClientPair();

    peer.send({ opcode: Opcode.close });

    expect(await client.nextClose()).toEqual({ code: 1000, reason: 'The link is down' });
    expect((await peer.expectFrame(Opcode.close)).payload).toHaveLength(0);
  });

  it('with a body of one byte is told as 1000 and answered with 1002', async () => {
    const { client, peer } = await openClientPair();

    peer.send({ opcode: Opcode.close, payload: Buffer.of(3) });

    expect(await client.nextClose()).toEqual({ code: 1000, reason: 'The link is down' });
    expect((await peer.expectClose()).code).toBe(1002);
  });

  it('with a reason that is not UTF-8 is answered with 1007', async () => {
    const { client, peer } = await openClientPair();

    peer.send({ opcode: Opcode.close, payload: closeBody(1000, Buffer.from('61ff', 'hex')) });

    expect((await client.nextClose()).code).toBe(1007);
    expect((await peer.expectClose()).code).toBe(1007);
  });

  it('comes behind the messages before it', async () => {
    const { client, peer } = await openClientPair();

    peer.send(
      { opcode: Opcode.text, payload: 'a' },
      { opcode: Opcode.binary, payload: Buffer.of(1) },
      { opcode: Opcode.close, payload: closeBody(1000, 'done') },
    );

    expect(await client.nextClose()).toEqual({ code: 1000, reason: 'done' });
    expect(client.log.names.slice(3)).toEqual([
      'message',
      'dataEnd',
      'message',
      'dataEnd',
      'close',
    ]);
  });

  it('is told alone when both close at once', async () => {
    const { client, peer } = await openClientPair();

    peer.sendClose(1001, 'from the peer');
    await client.ws.close({ code: 1000, reason: 'own' }).catch(() => undefined);

    const { code } = await client.nextClose();
    expect([1000, 1001]).toContain(code);
    await peer.readToEnd();
    expect(client.log.all('close')).toHaveLength(1);
    expect(client.log.names).not.toContain('error');
  });
});

describe('an end without a close frame', PATIENT, () => {
  it.each([
    ['FIN', (peer: RawPeer) => peer.halfClose()],
    ['RST', (peer: RawPeer) => peer.reset()],
  ])('(%s) raises an error, then close 0', async (_how, end) => {
    const { client, peer } = await openClientPair();

    end(peer);
    await client.nextClose();

    const [error, close] = client.log.entries.slice(-2);
    expect(error).toMatchObject({ event: 'error', args: [{ code: 200, data: '0' }] });
    expect(close).toEqual({
      event: 'close',
      args: [undefined, { code: 0, reason: 'The link is down' }],
    });
  });

  it('comes behind the messages before it; half a message is dropped', async () => {
    const { client, peer } = await openClientPair();

    peer.sendText('m1');
    peer.send({ opcode: Opcode.text, payload: 'half', announcedLength: 100 });
    peer.halfClose();
    await client.nextClose();

    expect(client.log.values('message')).toEqual(['m1']);
    expect(client.log.names.slice(3)).toEqual(['message', 'dataEnd', 'error', 'close']);
  });
});

describe('violations by the peer', PATIENT, () => {
  it.each([
    ['a reserved data opcode', { opcode: 3, payload: 'x' }],
    ['a reserved control opcode', { opcode: 11 }],
    ['RSV1', { opcode: Opcode.text, rsv: 4, payload: 'x' }],
    ['RSV2', { opcode: Opcode.text, rsv: 2, payload: 'x' }],
    ['RSV3 on a ping', { opcode: Opcode.ping, rsv: 1 }],
    ['a continuation without a start', { opcode: Opcode.continuation, payload: 'x' }],
    ['a fragmented ping', { opcode: Opcode.ping, fin: false }],
    ['a ping of 126 bytes', { opcode: Opcode.ping, payload: Buffer.alloc(126) }],
    ['a masked frame', { opcode: Opcode.text, payload: 'x', mask: true }],
  ])('%s ends the connection with an error and close 0', async (_what, frame) => {
    const { client, peer } = await openClientPair();

    peer.send(frame);

    expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
    expect(await client.nextClose()).toEqual({ code: 0, reason: 'The link is down' });
    const { frames } = await peer.readToEnd();
    for (const { opcode } of frames) expect(opcode).toBe(Opcode.close);
    expect(client.log.names).not.toContain('message');
  });

  it('a new message inside a fragmented one ends the connection', async () => {
    const { client, peer } = await openClientPair();

    peer.send(
      { opcode: Opcode.text, fin: false, payload: 'a' },
      { opcode: Opcode.text, payload: 'b' },
    );

    expect(await client.nextClose()).toEqual({ code: 0, reason: 'The link is down' });
    expect(client.log.names).not.toContain('message');
  });
});
