/**
 * Compressed messages on the wire, both roles, with raw peers: RSV1 where it may be and where it may
 * not, fragments, context, data that is corrupt or too much, and what is sent compressed.
 */

import { randomBytes } from 'node:crypto';
import type { webSocket } from 'ohos-websocket';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { bytesOf, TestClient, TestServer } from '../helpers/endpoints.js';
import { type FrameSpec, Opcode, RawListener, RawPeer, Rsv } from '../helpers/peers.js';
import { deflated, inflated } from './raw-deflate.js';

type Options = webSocket.PermessageDeflateOptions;

/** An endpoint of ours and the raw peer that it talks to. */
interface Joined {
  readonly peer: RawPeer;
  /** The next message that our endpoint has received. */
  receive(): Promise<string | ArrayBuffer>;
  send(data: string | ArrayBuffer): Promise<boolean>;
  /** Events so far. */
  names(): readonly string[];
}

interface Agreement {
  readonly options?: Options;
  readonly answer?: string;
  readonly messageBytes?: number;
}

async function ourServer({ options = {}, answer = '', messageBytes }: Agreement): Promise<Joined> {
  const server = await TestServer.start({
    permessageDeflate: { threshold: 0, ...options },
    limits: { messageBytes },
  });
  const peer = await RawPeer.connect(server);
  await peer.upgrade({ extra: [`Sec-WebSocket-Extensions: permessage-deflate${answer}`] });
  const connection = await server.nextConnect();
  return {
    peer,
    receive: async () => (await server.nextMessage()).data,
    send: (data) => server.send(data, connection),
    names: () => server.log.names,
  };
}

async function ourClient({ options = {}, answer = '', messageBytes }: Agreement): Promise<Joined> {
  const listener = await RawListener.listen();
  const client = new TestClient();
  await client.connect(listener.url(), {
    permessageDeflate: { threshold: 0, ...options },
    limits: { messageBytes },
  });
  const peer = await listener.accept();
  await peer.acceptUpgrade({ extra: [`Sec-WebSocket-Extensions: permessage-deflate${answer}`] });
  await client.log.next('open');
  return {
    peer,
    receive: () => client.nextMessage(),
    send: (data) => client.send(data),
    names: () => client.log.names,
  };
}

const TEXT = 'permessage-deflate, permessage-deflate, permessage-deflate';
const FIRST = { opcode: Opcode.text, rsv: Rsv.one } as const;

describe.each([
  ['server', ourServer, 'server_no_context_takeover', 'client_no_context_takeover'],
  ['client', ourClient, 'client_no_context_takeover', 'server_no_context_takeover'],
] as const)('our %s', PATIENT, (_role, join, ownNoContext, peerNoContext) => {
  it('takes compressed and plain messages in any order', async () => {
    const { peer, receive } = await join({});
    let context = Buffer.alloc(0);
    for (let n = 0; n < 20; n++) {
      const message = Buffer.from(`${TEXT} ${n}`);
      peer.send({ ...FIRST, payload: deflated(message, { context }) });
      peer.sendText(`plain ${n}`);
      context = Buffer.concat([context, message]);
    }
    for (let n = 0; n < 20; n++) {
      expect(await receive()).toBe(`${TEXT} ${n}`);
      expect(await receive()).toBe(`plain ${n}`);
    }
  });

  it('takes fragments of one byte, with control frames and empty ones between', async () => {
    const { peer, receive } = await join({});
    const data = deflated(TEXT);
    const frames: FrameSpec[] = [{ ...FIRST, fin: false }];
    for (const byte of data) {
      frames.push({ opcode: Opcode.continuation, fin: false, payload: Buffer.of(byte) });
      frames.push({ opcode: Opcode.pong, payload: 'x' });
      frames.push({ opcode: Opcode.continuation, fin: false });
    }
    peer.send(...frames, { opcode: Opcode.continuation });

    expect(await receive()).toBe(TEXT);
  });

  it('takes bytes as slowly as they come', async () => {
    const { peer, receive } = await join({});

    await peer.writeInPieces(peer.encode([{ ...FIRST, payload: deflated(TEXT) }]), 1);

    expect(await receive()).toBe(TEXT);
  });

  it('takes empty messages in a row, plain and compressed', async () => {
    const { peer, receive } = await join({});
    const empty = { ...FIRST, payload: Buffer.of(0) };
    peer.send(empty, empty, { opcode: Opcode.text }, empty, {
      ...FIRST,
      payload: deflated(TEXT),
    });

    for (const expected of ['', '', '', '', TEXT]) expect(await receive()).toBe(expected);
  });

  it('takes the examples of RFC 7692 §7.2.3', async () => {
    const { peer, receive } = await join({});
    for (const hex of [
      'f248cdc9c90700',
      'f200110000',
      '000500faff48656c6c6f00',
      'f348cdc9c9070000',
      'f248050000 00ffff cac9c90700'.replaceAll(' ', ''),
    ]) {
      peer.send({ ...FIRST, payload: Buffer.from(hex, 'hex') });
      expect(await receive()).toBe('Hello');
    }
  });

  it('takes large messages, binary and text', async () => {
    const { peer, receive } = await join({});
    const bytes = Buffer.concat([randomBytes(300_000), Buffer.alloc(3_000_000, 'ab')]);
    const text = 'wörter '.repeat(200_000);
    peer.send({ opcode: Opcode.binary, rsv: Rsv.one, payload: deflated(bytes) });
    expect(bytesOf(await receive()).equals(bytes)).toBe(true);
    peer.send({ ...FIRST, payload: deflated(text, { context: bytes }) });
    expect((await receive()) === text).toBe(true);
  });

  it.each([
    [
      'RSV1 on a continuation',
      [
        { ...FIRST, fin: false },
        { opcode: 0, rsv: Rsv.one },
      ],
    ],
    ['RSV1 on a ping', [{ opcode: Opcode.ping, rsv: Rsv.one }]],
    ['RSV1 on a pong', [{ opcode: Opcode.pong, rsv: Rsv.one }]],
    ['RSV1 on a close', [{ opcode: Opcode.close, rsv: Rsv.one }]],
    ['RSV2', [{ opcode: Opcode.text, rsv: Rsv.two }]],
    ['RSV3', [{ opcode: Opcode.text, rsv: Rsv.three }]],
    ['RSV1 and RSV2', [{ opcode: Opcode.text, rsv: Rsv.one | Rsv.two }]],
  ])('ends with 1002 for %s', async (_name, frames) => {
    const { peer, names } = await join({});

    peer.send(...frames);

    expect((await peer.expectClose()).code).toBe(1002);
    await peer.readToEnd();
    expect(names().slice(-2)).toEqual(['error', 'close']);
  });

  it.each([
    ['is no DEFLATE data', Buffer.from('ffffffff', 'hex')],
    ['is empty', Buffer.alloc(0)],
    ['is cut off', deflated(TEXT).subarray(0, -3)],
    ['refers to what never came', Buffer.from('f200110000', 'hex')],
  ])('ends with 1007 for a compressed message that %s', async (_name, payload) => {
    const { peer, names } = await join({});

    peer.send({ ...FIRST, payload });

    expect((await peer.expectClose()).code).toBe(1007);
    await peer.readToEnd();
    expect(names().slice(-2)).toEqual(['error', 'close']);
  });

  it('ends with 1007 for invalid UTF-8, before the message has ended', async () => {
    const { peer } = await join({});

    // Stored blocks: what is inflated is known at once.
    const payload = deflated(Buffer.from('ok \xff', 'latin1'), { level: 0 });
    peer.send({ ...FIRST, fin: false, payload });

    expect((await peer.expectClose()).code).toBe(1007);
  });

  it('ends with 1007 for invalid UTF-8 in the middle of a large message that is not compressed', async () => {
    const { peer } = await join({});

    const payload = Buffer.alloc(600_000, 'x');
    payload[400_000] = 0xff;
    peer.send({ opcode: Opcode.text, payload });

    expect((await peer.expectClose()).code).toBe(1007);
  });

  it('refuses what does not keep to the agreed context', async () => {
    const { peer, receive } = await join({ answer: `; ${peerNoContext}` });
    peer.send({ ...FIRST, payload: deflated(TEXT) });
    expect(await receive()).toBe(TEXT);

    peer.send({ ...FIRST, payload: deflated(TEXT, { context: Buffer.from(TEXT) }) });

    expect((await peer.expectClose()).code).toBe(1007);
  });

  it('ends with 1009 for a bomb, and takes a message of exactly the limit', async () => {
    const messageBytes = 1_000_000;
    const joined = await join({ messageBytes });
    const whole = 'x'.repeat(messageBytes);
    joined.peer.send({ ...FIRST, payload: deflated(whole) });
    expect((await joined.receive()) === whole).toBe(true);
    joined.peer.send({ ...FIRST, payload: deflated(`${whole}x`) });
    expect((await joined.peer.expectClose()).code).toBe(1009);

    const { peer } = await join({ messageBytes });
    const bomb = deflated(Buffer.alloc(256 * 1024 * 1024), { level: 9 });
    const before = process.memoryUsage().rss;
    peer.send({ ...FIRST, payload: bomb });
    expect((await peer.expectClose()).code).toBe(1009);
    // Of the 256 MiB that the bomb would make.
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('compresses what it sends, and keeps the context', async () => {
    const { peer, send } = await join({});
    const noise = randomBytes(2000).toString('base64');
    await send(noise);
    await send(noise);
    const first = await peer.expectFrame(Opcode.text);
    const second = await peer.expectFrame(Opcode.text);

    expect([first.rsv, first.fin, second.rsv, second.fin]).toEqual([4, true, 4, true]);
    expect(inflated(first.payload).toString()).toBe(noise);
    expect(second.payload.length).toBeLessThan(100);
    const context = Buffer.from(noise);
    expect(inflated(second.payload, { context }).toString()).toBe(noise);
  });

  it('forgets the context where that was agreed on', async () => {
    const { peer, send } = await join({ answer: `; ${ownNoContext}` });
    await send(TEXT);
    await send(TEXT);
    const first = await peer.expectFrame(Opcode.text);
    const second = await peer.expectFrame(Opcode.text);

    expect(first.rsv).toBe(4);
    expect(second.payload.equals(first.payload)).toBe(true);
    expect(inflated(second.payload).toString()).toBe(TEXT);
  });

  it('sends small and empty messages as they are', async () => {
    const { peer, send } = await join({ options: { threshold: 10 } });
    for (const text of ['', '123456789', '1234567890']) await send(text);

    const frames = [await peer.readFrame(), await peer.readFrame(), await peer.readFrame()];

    expect(frames.map(({ rsv }) => rsv)).toEqual([0, 0, 4]);
    expect(frames[1]?.payload.toString()).toBe('123456789');
  });

  it('compresses large messages, also those that do not get smaller', async () => {
    const { peer, send } = await join({});
    const zeros = Buffer.alloc(3_000_000);
    const noise = randomBytes(300_000);
    await send(new Uint8Array(zeros).buffer);
    await send(new Uint8Array(noise).buffer);
    const small = await peer.expectFrame(Opcode.binary);
    const large = await peer.expectFrame(Opcode.binary);

    expect(small.rsv).toBe(4);
    expect(small.payload.length).toBeLessThan(10_000);
    expect(inflated(small.payload).equals(zeros)).toBe(true);
    expect(inflated(large.payload, { context: zeros }).equals(noise)).toBe(true);
  });
});

it.each([0, 1, 6, 9])(
  'a server never refers back further than a window of 8 bits, at level %i',
  PATIENT,
  async (level) => {
    const { peer, send } = await ourServer({
      options: { level },
      answer: '; server_max_window_bits=8; server_no_context_takeover',
    });
    const block = randomBytes(100);
    const parts: Buffer[] = [];
    for (let gap = 100; gap < 420; gap++) parts.push(block, randomBytes(gap));
    const message = Buffer.concat(parts);
    await send(new Uint8Array(message).buffer);

    const frame = await peer.expectFrame(Opcode.binary);

    expect(frame.rsv).toBe(4);
    expect(inflated(frame.payload, { windowBits: 8 }).equals(message)).toBe(true);
  },
);
