/**
 * What compression may hold in the process: counted, given back, and where there is no room, nothing is
 * lost: connections and messages go without compression.
 */

import { compressionBytes, setCompressionBudget } from 'ohos-websocket';
import { afterEach, describe, expect, it } from 'vitest';
import { PATIENT, poll } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawListener, RawPeer, Rsv } from '../helpers/peers.js';
import { deflated } from './raw-deflate.js';

const DEFAULT_BYTES = 256 * 1024 * 1024;
const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate';
const HEADER = 'sec-websocket-extensions';
const MESSAGE = 'some text, some text, some text '.repeat(100);

/** Most that reading from a peer takes, with a window of 15 bits. */
const READING = 45_056;

afterEach(() => setCompressionBudget(DEFAULT_BYTES));

describe('setCompressionBudget', () => {
  it.each([-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53, '1', undefined, null])(
    'refuses %s with a TypeError',
    (bytes) => {
      expect(() => setCompressionBudget(bytes as number)).toThrow(TypeError);
    },
  );

  it.each([0, 1, 2 ** 53 - 1, Number.POSITIVE_INFINITY])('takes %s', (bytes) => {
    setCompressionBudget(bytes);
  });
});

describe('the budget', PATIENT, () => {
  it('counts what connections reserve and hold, and gets all of it back', async () => {
    const server = await TestServer.start({ permessageDeflate: true });
    const peer = await RawPeer.connect(server);
    await peer.upgrade({ extra: [OFFER] });
    const connection = await server.nextConnect();
    expect(compressionBytes()).toBe(READING);

    await server.send(MESSAGE, connection);
    expect((await peer.expectFrame(Opcode.text)).rsv).toBe(Rsv.one);
    // A compressor of zlib at its defaults: 256 KiB and a little.
    expect(compressionBytes()).toBeGreaterThan(READING + 256 * 1024);
    expect(compressionBytes()).toBeLessThan(READING + 320 * 1024);

    peer.reset();
    await server.nextClose();
    await poll(
      () => compressionBytes() === 0,
      () => 'everything to be given back',
    );
  });

  it('declines offers when it is used up', async () => {
    const server = await TestServer.start({ permessageDeflate: true });
    const open = async () => {
      const peer = await RawPeer.connect(server);
      return { peer, answer: await peer.upgrade({ extra: [OFFER] }) };
    };
    setCompressionBudget(2 * READING);
    const first = await open();
    const answers = [first.answer, (await open()).answer, (await open()).answer];
    expect(answers.map((answer) => answer.header(HEADER))).toEqual([
      'permessage-deflate',
      'permessage-deflate',
      undefined,
    ]);

    first.peer.reset();
    await server.nextClose();
    await poll(
      () => compressionBytes() === READING,
      () => 'the first to give its share back',
    );
    expect((await open()).answer.header(HEADER)).toBe('permessage-deflate');
  });

  it('lets messages leave as they are when there is no room for a compressor', async () => {
    setCompressionBudget(READING);
    const server = await TestServer.start({ permessageDeflate: true });
    const peer = await RawPeer.connect(server);
    await peer.upgrade({ extra: [OFFER] });
    const connection = await server.nextConnect();

    await server.send(MESSAGE, connection);
    const plain = await peer.expectFrame(Opcode.text);
    expect([plain.rsv, plain.payload.toString()]).toEqual([0, MESSAGE]);

    // What comes can always be read.
    peer.send({ opcode: Opcode.text, rsv: Rsv.one, payload: deflated(MESSAGE) });
    expect((await server.nextMessage()).data).toBe(MESSAGE);

    setCompressionBudget(DEFAULT_BYTES);
    await server.send(MESSAGE, connection);
    expect((await peer.expectFrame(Opcode.text)).rsv).toBe(Rsv.one);
  });

  it('keeps a client from offering', async () => {
    setCompressionBudget(READING - 1);
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url(), { permessageDeflate: true });
    const request = await (await listener.accept()).acceptUpgrade();

    expect(request.header(HEADER)).toBeUndefined();
  });

  it('has one compressor for connections that keep no context', async () => {
    const server = await TestServer.start({
      permessageDeflate: { serverNoContextTakeover: true },
    });
    const held: number[] = [];
    for (let n = 0; n < 3; n++) {
      const peer = await RawPeer.connect(server);
      await peer.upgrade({ extra: [OFFER] });
      await server.send(MESSAGE, await server.nextConnect());
      expect((await peer.expectFrame(Opcode.text)).rsv).toBe(Rsv.one);
      held.push(compressionBytes());
    }
    expect([held[1], held[2]]).toEqual([(held[0] ?? 0) + READING, (held[0] ?? 0) + 2 * READING]);
  });
});
