/**
 * Proves what a client makes of the frames that come: whole messages in order with their type, text
 * validated across fragment borders, `dataEnd` behind each message, pings answered and not shown, and
 * nothing of what arrives while nobody listens.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { bytesOf, TestClient } from '../helpers/endpoints.js';
import { Opcode, RawListener, type RawPeer } from '../helpers/peers.js';

describe('message', PATIENT, () => {
  it('gives text as a string and binary as an ArrayBuffer, each followed by dataEnd', async () => {
    const { client, peer } = await openPair();

    peer.sendText('h€llo');
    peer.sendBinary(Buffer.from('0102', 'hex'));
    peer.sendText('');
    peer.sendBinary(Buffer.of());
    await client.log.count('dataEnd', 4);

    expect(client.log.entries.slice(3)).toEqual([
      { event: 'message', args: [undefined, 'h€llo'] },
      { event: 'dataEnd', args: [undefined] },
      { event: 'message', args: [undefined, expect.any(ArrayBuffer)] },
      { event: 'dataEnd', args: [undefined] },
      { event: 'message', args: [undefined, ''] },
      { event: 'dataEnd', args: [undefined] },
      { event: 'message', args: [undefined, expect.any(ArrayBuffer)] },
      { event: 'dataEnd', args: [undefined] },
    ]);
    const [, binary, , empty] = client.log.values('message');
    expect(bytesOf(binary).toString('hex')).toBe('0102');
    expect(bytesOf(empty)).toHaveLength(0);
  });

  it('gives each binary message memory of its own', async () => {
    const { client, peer } = await openPair();

    peer.send(
      { opcode: Opcode.binary, payload: Buffer.from('one') },
      { opcode: Opcode.binary, payload: Buffer.from('two') },
    );
    const first = (await client.nextMessage()) as ArrayBuffer;
    const second = (await client.nextMessage()) as ArrayBuffer;

    expect(first.byteLength).toBe(3);
    new Uint8Array(first).fill(0);
    expect(bytesOf(second).toString()).toBe('two');
  });

  it('keeps the text behind a NUL', async () => {
    const { client, peer } = await openPair();

    peer.sendText('a\u0000b');

    expect(await client.nextMessage()).toBe('a\u0000b');
  });

  it('keeps a byte order mark', async () => {
    const { client, peer } = await openPair();

    peer.sendText('\ufeffa');

    expect(await client.nextMessage()).toBe('\ufeffa');
  });

  it('puts fragments together, with control frames between them', async () => {
    const { client, peer } = await openPair();

    peer.send(
      { opcode: Opcode.text, fin: false, payload: 'a' },
      { opcode: Opcode.ping, payload: 'p' },
      { opcode: Opcode.continuation, fin: false, payload: '' },
      { opcode: Opcode.pong, payload: 'unasked' },
      { opcode: Opcode.continuation, payload: 'b' },
      { opcode: Opcode.binary, fin: false, payload: Buffer.of(1) },
      { opcode: Opcode.continuation, payload: Buffer.of(2) },
    );

    expect(await client.nextMessage()).toBe('ab');
    expect(bytesOf(await client.nextMessage())).toEqual(Buffer.of(1, 2));
    expect((await peer.expectFrame(Opcode.pong)).payload.toString()).toBe('p');
    expect(client.log.all('message')).toHaveLength(2);
  });

  it('accepts a character that is split over fragments and reads', async () => {
    const { client, peer } = await openPair();
    const bytes = Buffer.from('漢é😀');

    const frames = [...bytes].map((_byte, i) => ({
      opcode: i === 0 ? Opcode.text : Opcode.continuation,
      fin: i === bytes.length - 1,
      payload: bytes.subarray(i, i + 1),
    }));
    await peer.writeInPieces(peer.encode(frames), 1);

    expect(await client.nextMessage()).toBe('漢é😀');
  });

  it.each([
    ['a stray byte', '61ff62'],
    ['an overlong form', 'c080'],
    ['a surrogate', 'eda080'],
    ['a character that is cut off', '61e282'],
  ])('ends the connection with 1007 on invalid UTF-8: %s', async (_what, hex) => {
    const { client, peer } = await openPair();

    peer.send({ opcode: Opcode.text, payload: Buffer.from(hex, 'hex') });

    expect((await peer.expectClose()).code).toBe(1007);
    await client.nextClose();
    expect(client.log.names).not.toContain('message');
  });

  it('takes messages larger than what may be sent', async () => {
    const { client, peer } = await openPair();
    const bytes = Buffer.alloc(6_000_000, 'larger than the limit of send');

    peer.sendBinary(bytes);

    expect(bytesOf(await client.nextMessage()).equals(bytes)).toBe(true);
  });

  it('drops what comes while nobody listens, and raises no dataEnd for it', async () => {
    const { client, peer } = await openPair(['message']);
    const other = await openPair();

    peer.sendText('lost');
    peer.send({ opcode: Opcode.ping });
    await peer.expectFrame(Opcode.pong);
    // The engine has read the text before the ping, and what the other client hears came later.
    other.peer.sendText('later');
    await other.client.nextMessage();
    client.ws.on('message', (...args) => client.log.add('message', args));
    peer.sendText('heard');

    expect(await client.nextMessage()).toBe('heard');
    await client.log.next('dataEnd');
    expect(client.log.names.slice(3)).toEqual(['message', 'dataEnd']);
  });

  it('goes on after a handler that throws', async () => {
    const { client, peer } = await openPair(['message']);
    const heard: unknown[] = [];
    const uncaught = new Promise<unknown>((resolve) => {
      const others = process.rawListeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const other of others) {
          process.on('uncaughtException', other as NodeJS.UncaughtExceptionListener);
        }
        resolve(error);
      });
    });

    const second = new Promise<void>((resolve) => {
      client.ws.on('message', (_error, data) => {
        heard.push(data);
        if (data === 'first') throw new Error('thrown by a handler');
        resolve();
      });
    });
    peer.sendText('first');
    peer.sendText('second');

    expect(await uncaught).toMatchObject({ message: 'thrown by a handler' });
    await second;
    expect(heard).toEqual(['first', 'second']);
  });
});

async function openPair(
  without: readonly string[] = [],
): Promise<{ client: TestClient; peer: RawPeer }> {
  const listener = await RawListener.listen();
  const client = new TestClient({ without });
  await client.connect(listener.url());
  const peer = await listener.acceptOpen();
  await client.log.next('openInfo');
  return { client, peer };
}
