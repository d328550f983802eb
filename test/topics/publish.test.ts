/** Proves who gets what is published, and in which order. */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { arrayBuffer } from '../helpers/endpoints.js';
import { Opcode } from '../helpers/peers.js';
import { Room } from '../helpers/room.js';

describe('a message that is published', PATIENT, () => {
  it('goes to every subscriber and to nobody else', async () => {
    const room = await Room.open(3);
    expect(await room.server.subscribe(room.connection(0), 'news')).toBe(true);
    await room.server.subscribe(room.connection(1), 'news');

    expect(await room.server.publish('news', 'hello')).toBe(true);

    expect(await room.received()).toEqual([['hello'], ['hello'], []]);
  });

  it('does not go to `except`', async () => {
    const room = await Room.open(3);
    for (const { connection } of room.guests) await room.server.subscribe(connection, 'news');

    await room.server.publish('news', 'one', { except: room.connection(1) });
    await room.server.publish('news', 'two', { except: { ...room.connection(2) } });
    await room.server.publish('news', 'three', { except: { clientIP: '10.0.0.1', clientPort: 1 } });
    await room.server.publish('news', 'four', { except: undefined });

    expect(await room.received()).toEqual([
      ['one', 'two', 'three', 'four'],
      ['two', 'three', 'four'],
      ['one', 'three', 'four'],
    ]);
  });

  it('is accepted where nobody subscribes', async () => {
    const room = await Room.open(1);
    expect(await room.server.publish('news', 'hello')).toBe(true);
    expect(await room.received()).toEqual([[]]);
  });

  it.each([0, 1, 125, 126, 4095, 4096, 65_535, 65_536, 5_242_864])(
    'may have %i bytes',
    async (size) => {
      const room = await Room.open(2);
      for (const { connection } of room.guests) void room.server.subscribe(connection, 'sizes');
      const bytes = Buffer.alloc(size, 'x');

      void room.server.publish('sizes', bytes.toString());
      void room.server.publish('sizes', arrayBuffer(bytes));
      void room.server.publish('sizes', bytes, { except: room.connection(0) });

      for (const { peer } of room.guests) {
        expect(Buffer.from(await peer.expectText()).equals(bytes)).toBe(true);
        const { payload } = await peer.expectFrame(Opcode.binary);
        expect(payload.equals(bytes)).toBe(true);
      }
      const { payload } = await room.peer(1).expectFrame(Opcode.binary);
      expect(payload.equals(bytes)).toBe(true);
    },
  );

  it('is what it was at the call, whatever becomes of the buffer', async () => {
    const room = await Room.open(2);
    for (const { connection } of room.guests) void room.server.subscribe(connection, 'news');
    for (const size of [10, 100_000]) {
      const bytes = Buffer.alloc(size, 'a');
      void room.server.publish('news', bytes);
      bytes.fill('b');
      for (const { peer } of room.guests) {
        const { payload } = await peer.expectFrame(Opcode.binary);
        expect(payload.equals(Buffer.alloc(size, 'a'))).toBe(true);
      }
    }
  });

  it('keeps its place among what is sent and published, to one topic and to several', async () => {
    const room = await Room.open(3);
    const [a, b, c] = [room.connection(0), room.connection(1), room.connection(2)];
    const { server } = room;
    for (const connection of [a, b]) void server.subscribe(connection, 'odd');
    for (const connection of [b, c]) void server.subscribe(connection, 'even');

    const expected: string[][] = [[], [], []];
    const to = (text: string, ...who: number[]) => {
      for (const index of who) expected[index]?.push(text);
    };
    for (let n = 0; n < 300; n++) {
      const long = n % 50 === 49 ? 'x'.repeat(70_000) : '';
      switch (n % 5) {
        case 0:
        case 1:
          void server.publish(n % 2 === 1 ? 'odd' : 'even', `${n}${long}`);
          to(`${n}${long}`, ...(n % 2 === 1 ? [0, 1] : [1, 2]));
          break;
        case 2:
          void server.send(`${n}`, b);
          to(`${n}`, 1);
          break;
        case 3:
          void server.broadcast(`${n}`);
          to(`${n}`, 0, 1, 2);
          break;
        case 4:
          void server.publish('odd', `${n}${long}`, { except: a });
          to(`${n}${long}`, 1);
          break;
      }
    }

    expect(await room.received()).toEqual(expected);
  });

  it('comes behind `subscribe` and not behind `unsubscribe`, in one turn', async () => {
    const room = await Room.open(2);
    const [a, b] = [room.connection(0), room.connection(1)];
    const { server } = room;

    void server.publish('news', 'before all');
    void server.subscribe(a, 'news');
    void server.publish('news', 'for a');
    void server.subscribe(b, 'news');
    void server.publish('news', 'for both');
    void server.unsubscribe(a, 'news');
    void server.publish('news', 'for b');
    void server.unsubscribe(b, 'news');
    void server.publish('news', 'for nobody');

    expect(await room.received()).toEqual([
      ['for a', 'for both'],
      ['for both', 'for b'],
    ]);
  });

  it('goes before a close of the same turn', async () => {
    const room = await Room.open(1);
    const [peer, connection] = [room.peer(0), room.connection(0)];
    void room.server.subscribe(connection, 'news');
    void room.server.publish('news', 'last words');
    void room.server.close(connection);
    void room.server.publish('news', 'too late');

    expect(await peer.expectText()).toBe('last words');
    expect((await peer.expectClose()).code).toBe(1000);
  });
});

describe('broadcast', PATIENT, () => {
  it('goes to every connection, to those that come later too', async () => {
    const room = await Room.open(2);
    expect(await room.server.broadcast('first')).toBe(true);
    await room.join();
    await room.server.broadcast('second');
    expect(await room.received()).toEqual([['first', 'second'], ['first', 'second'], ['second']]);
  });

  it('is accepted where there is nobody, and works again when they come back', async () => {
    const room = await Room.open(0);
    expect(await room.server.broadcast('nobody')).toBe(true);
    for (const text of ['one', 'two']) {
      const guest = await room.join();
      await room.server.broadcast(text);
      expect(await room.receivedBy(guest)).toEqual([text]);
      guest.peer.socket.destroy();
      await room.test.nextClose();
    }
  });

  it('is no topic', async () => {
    const room = await Room.open(1);
    await room.server.broadcast('hello');
    expect(room.server.topics()).toEqual([]);
    expect(room.server.topics(room.connection(0))).toEqual([]);
  });
});
