/**
 * The negotiation of permessage-deflate on the wire, both roles, with raw peers: what is offered, what
 * is answered, what is refused (RFC 7692 §7.1, RFC 6455 §9.1). The grammar's corners are in
 * `test/native/deflate_negotiation_test.cpp`.
 */

import { describe, expect, it } from 'vitest';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';
import { deflated, inflated } from './raw-deflate.js';

const HEADER = 'sec-websocket-extensions';
const MESSAGE = 'some text, some text, some text '.repeat(10);

function line(value: string): string {
  return `Sec-WebSocket-Extensions: ${value}`;
}

describe('a server', () => {
  it.each([
    ['permessage-deflate', {}, 'permessage-deflate'],
    [
      'permessage-deflate; client_max_window_bits',
      {},
      'permessage-deflate; client_max_window_bits=15',
    ],
    [
      'permessage-deflate; server_no_context_takeover; server_max_window_bits=9',
      {},
      'permessage-deflate; server_no_context_takeover; server_max_window_bits=9',
    ],
    [
      'permessage-deflate; client_no_context_takeover; client_max_window_bits=8',
      {},
      'permessage-deflate; client_no_context_takeover; client_max_window_bits=8',
    ],
    [
      'permessage-deflate; client_max_window_bits',
      { clientMaxWindowBits: 10, serverMaxWindowBits: 11, serverNoContextTakeover: true },
      'permessage-deflate; server_no_context_takeover; server_max_window_bits=11; client_max_window_bits=10',
    ],
    ['permessage-deflate', { clientMaxWindowBits: 10 }, undefined],
    ['permessage-deflate; x', {}, undefined],
    ['permessage-deflate; server_max_window_bits=9; server_max_window_bits=9', {}, undefined],
    ['permessage-deflate; server_max_window_bits=16', {}, undefined],
    ['x-other', {}, undefined],
    [
      'permessage-deflate; x, permessage-deflate; server_max_window_bits="12"',
      {},
      'permessage-deflate; server_max_window_bits=12',
    ],
  ])('answers "%s" (%j) with "%s"', async (offer, options, expected) => {
    const server = await TestServer.start({ permessageDeflate: options });
    const peer = await RawPeer.connect(server);

    const answer = await peer.upgrade({ extra: [line(offer)] });

    expect(answer.header(HEADER)).toBe(expected);
  });

  it('takes several header lines for one list', async () => {
    const server = await TestServer.start({ permessageDeflate: true });
    const peer = await RawPeer.connect(server);

    const extra = [line('x-other; a=b'), line('permessage-deflate; y'), line('permessage-deflate')];
    const answer = await peer.upgrade({ extra });

    expect(answer.all(HEADER)).toEqual(['permessage-deflate']);
  });

  it('takes an offer of many kilobytes', async () => {
    const server = await TestServer.start({ permessageDeflate: true });
    const peer = await RawPeer.connect(server);

    const offers = `${'permessage-deflate; x, '.repeat(500)}permessage-deflate`;
    const answer = await peer.upgrade({ extra: [line(offers)] });

    expect(answer.header(HEADER)).toBe('permessage-deflate');
  });

  it('answers beside the subprotocol', async () => {
    const server = await TestServer.start({ permessageDeflate: true, protocol: 'chat' });
    const peer = await RawPeer.connect(server);

    const extra = [line('permessage-deflate'), 'Sec-WebSocket-Protocol: chat'];
    const answer = await peer.upgrade({ extra });

    expect(answer.header('sec-websocket-protocol')).toBe('chat');
    expect(answer.header(HEADER)).toBe('permessage-deflate');
  });

  it.each(['permessage-deflate;', 'permessage-deflate; a="b', 'permessage-deflate x', '=='])(
    'refuses the malformed header "%s" with 400',
    async (offer) => {
      const server = await TestServer.start({ permessageDeflate: true });
      const peer = await RawPeer.connect(server);

      await expect(peer.upgrade({ extra: [line(offer)] })).rejects.toThrow('400 Bad Request');
      expect(server.log.names).toEqual([]);
    },
  );
});

describe('a client', () => {
  it.each([
    [true, 'permessage-deflate; client_max_window_bits'],
    [{}, 'permessage-deflate; client_max_window_bits'],
    [
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits',
    ],
    [
      { serverMaxWindowBits: 8, clientMaxWindowBits: 9 },
      'permessage-deflate; server_max_window_bits=8; client_max_window_bits=9',
    ],
  ])('offers for %j "%s"', async (permessageDeflate, offer) => {
    const { request } = await connectTo({ permessageDeflate });

    expect(request.all(HEADER)).toEqual([offer]);
  });

  it('goes on without compression if the server declines', async () => {
    const { client, peer } = await connectTo({ permessageDeflate: { threshold: 0 } });

    await client.send(MESSAGE);
    const frame = await peer.readFrame();

    expect([frame.rsv, frame.payload.toString()]).toEqual([0, MESSAGE]);
  });

  it.each([
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits=8; server_max_window_bits=8',
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    '\t permessage-deflate \t;\t server_no_context_takeover \t',
  ])('takes the answer "%s"', async (answer) => {
    const { client, peer } = await connectTo({ permessageDeflate: { threshold: 0 } }, [answer]);
    await client.log.next('open');

    await client.send(MESSAGE);
    const frame = await peer.readFrame();
    expect(frame.rsv).toBe(4);
    expect(inflated(frame.payload).toString()).toBe(MESSAGE);

    peer.send({ opcode: 1, rsv: 4, payload: deflated(MESSAGE, { windowBits: 9 }) });
    expect(await client.nextMessage()).toBe(MESSAGE);
  });

  it.each([
    [true, ['x-other']],
    [true, ['permessage-deflate, permessage-deflate']],
    [true, ['permessage-deflate', 'permessage-deflate']],
    [true, ['permessage-deflate; x']],
    [true, ['permessage-deflate; client_no_context_takeover; client_no_context_takeover']],
    [true, ['permessage-deflate; client_max_window_bits']],
    [true, ['permessage-deflate; server_max_window_bits=7']],
    [true, ['permessage-deflate;']],
    [{ serverMaxWindowBits: 10 }, ['permessage-deflate']],
    [{ serverMaxWindowBits: 10 }, ['permessage-deflate; server_max_window_bits=11']],
    [{ clientMaxWindowBits: 10 }, ['permessage-deflate; client_max_window_bits=11']],
    [{ serverNoContextTakeover: true }, ['permessage-deflate']],
  ])('with %j refuses the answer %j', async (permessageDeflate, answer) => {
    const { client, peer } = await connectTo({ permessageDeflate }, answer);

    const error = await client.nextError();

    expect(error).toMatchObject({ code: 200, data: '101' });
    expect((error.cause as { detail: string }).detail).toContain('extensions');
    await peer.readToEnd();
    expect(client.log.names).toEqual(['error']);
  });

  async function connectTo(options: object, extensions: readonly string[] = []) {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url(), options);
    const peer = await listener.accept();
    const request = await peer.acceptUpgrade({ extra: extensions.map(line) });
    return { client, peer, request };
  }
});
