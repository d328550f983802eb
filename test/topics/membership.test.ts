/** Proves who subscribes to what: calls, limits, ends of connections and of the server, and long lives. */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { callWith, rejection } from '../helpers/endpoints.js';
import { Room } from '../helpers/room.js';

const NEWS = 'news';
const gone = { clientIP: '127.0.0.1', clientPort: 1 };

describe('subscribe and unsubscribe', PATIENT, () => {
  it('count each connection once, and list topics', async () => {
    const room = await Room.open(2);
    const { server } = room;
    const [a, b] = [room.connection(0), room.connection(1)];
    for (let n = 0; n < 3; n++) expect(await server.subscribe(a, NEWS)).toBe(true);
    await server.subscribe(b, NEWS);
    await server.subscribe({ ...b }, 'sport');

    expect(server.subscriberCount(NEWS)).toBe(2);
    expect(server.subscriberCount('sport')).toBe(1);
    expect(server.topics()).toEqual([NEWS, 'sport']);
    expect(server.topics(a)).toEqual([NEWS]);
    expect(server.topics({ ...b })).toEqual([NEWS, 'sport']);

    for (let n = 0; n < 2; n++) expect(await server.unsubscribe(b, NEWS)).toBe(true);
    expect(await server.unsubscribe(a, 'never subscribed')).toBe(true);
    expect(server.subscriberCount(NEWS)).toBe(1);
    expect(server.topics(b)).toEqual(['sport']);
    await server.publish(NEWS, 'one');
    expect(await room.received()).toEqual([['one'], []]);
  });

  it('tell of nothing where there is nothing, and never throw', async () => {
    const room = await Room.open(1);
    const { server } = room;
    expect(server.subscriberCount('nobody')).toBe(0);
    expect(server.topics(gone)).toEqual([]);
    for (const value of [undefined, null, 5, {}, '']) {
      expect(callWith(server, 'subscriberCount', [value])).toBe(0);
    }
    for (const value of [null, 5, {}, 'x']) expect(callWith(server, 'topics', [value])).toEqual([]);
  });

  it.each(['a', ' ', '*', 'a/#', 'ä', '\0', '__proto__', 'constructor'])(
    'take any name: %j',
    async (topic) => {
      const room = await Room.open(1);
      await room.server.subscribe(room.connection(0), topic);
      expect(room.server.topics()).toEqual([topic]);
      await room.server.publish(topic, 'hello');
      await room.server.publish(`${topic}x`, 'not this');
      expect(await room.received()).toEqual([['hello']]);
    },
  );

  it('forget a connection that ends, however it ends', async () => {
    const room = await Room.open(3);
    const { server } = room;
    for (const { connection } of room.guests) {
      await server.subscribe(connection, NEWS);
      await server.subscribe(connection, 'sport');
    }
    await server.unsubscribe(room.connection(0), 'sport');

    room.peer(0).socket.resetAndDestroy();
    await room.test.nextClose();
    expect(server.subscriberCount(NEWS)).toBe(2);
    room.peer(1).sendClose(1000);
    await room.test.nextClose();
    expect(server.topics()).toEqual([NEWS, 'sport']);
    expect(server.subscriberCount('sport')).toBe(1);
    await server.close(room.connection(2));
    expect(await rejection(server.subscribe(room.connection(2), 'more'))).toMatchObject({
      code: -1,
    });
    await room.test.nextClose();
    expect(server.topics()).toEqual([]);
    expect(await server.publish(NEWS, 'to nobody')).toBe(true);
  });

  it('begin anew when the server is started again', async () => {
    const room = await Room.open(1);
    const { server } = room;
    await server.subscribe(room.connection(0), NEWS);
    await server.broadcast('to all');
    await room.test.stop();
    expect(server.topics()).toEqual([]);
    expect(server.subscriberCount(NEWS)).toBe(0);
    expect(await rejection(server.publish(NEWS, 'x'))).toMatchObject({ code: 2302999 });
    expect(await rejection(server.broadcast('x'))).toMatchObject({ code: 2302999 });

    await room.test.start();
    const guest = await room.join();
    await server.publish(NEWS, 'to nobody');
    await server.subscribe(guest.connection, 'sport');
    await server.publish('sport', 'first');
    await server.broadcast('second');
    expect(await room.receivedBy(guest)).toEqual(['first', 'second']);
  });

  it('give numbers of topics that are gone to others, and nobody gets what is not his', async () => {
    const room = await Room.open(2);
    const { server } = room;
    const [a, b] = [room.connection(0), room.connection(1)];
    for (let n = 0; n < 100; n++) {
      void server.subscribe(a, `a${n}`);
      void server.publish(`a${n}`, `${n}`);
      void server.unsubscribe(a, `a${n}`);
      void server.subscribe(b, `b${n}`);
      void server.publish(`a${n}`, 'nobody');
      void server.publish(`b${n}`, `${n}`);
      void server.unsubscribe(b, `b${n}`);
    }
    const all = Array.from({ length: 100 }, (_, n) => `${n}`);
    expect(await room.received()).toEqual([all, all]);
  });

  it.each([1, 3])('agree with a model over a long random life, on %i threads', async (threads) => {
    const room = await Room.open(5 * threads, { threads });
    const { server } = room;
    const topics = ['a', 'b', 'c', 'd'];
    const members = new Map(topics.map((topic) => [topic, new Set<number>()]));
    const expected: string[][] = room.guests.map(() => []);
    // A fixed seed: the same life in every run.
    let state = 12345;
    const below = (bound: number) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >> 8) % bound;
    };
    for (let step = 0; step < 5000; step++) {
      const topic = topics[below(topics.length)] as string;
      const who = below(room.guests.length);
      const set = members.get(topic) as Set<number>;
      switch (below(4)) {
        case 0:
          void server.subscribe(room.connection(who), topic);
          set.add(who);
          break;
        case 1:
          void server.unsubscribe(room.connection(who), topic);
          set.delete(who);
          break;
        case 2: {
          const but = below(2) === 0;
          void server.publish(topic, `${step}`, but ? { except: room.connection(who) } : {});
          for (const one of set) if (!but || one !== who) expected[one]?.push(`${step}`);
          break;
        }
        case 3:
          void server.send(`${step}`, room.connection(who));
          expected[who]?.push(`${step}`);
          break;
      }
    }
    expect(await room.received()).toEqual(expected);
    for (const [topic, set] of members) expect(server.subscriberCount(topic)).toBe(set.size);
  });
});

describe('topics have limits', PATIENT, () => {
  it('of bytes a name', async () => {
    const room = await Room.open(1, { limits: { topicBytes: 4 } });
    const { server } = room;
    const connection = room.connection(0);
    for (const topic of ['abcd', 'ää', '€a']) {
      expect(await server.subscribe(connection, topic)).toBe(true);
    }
    for (const topic of ['abcde', 'äää', '€€']) {
      const error = { code: 401, cause: { detail: expect.stringContaining('the limit is 4') } };
      await expect(server.subscribe(connection, topic)).rejects.toMatchObject(error);
      await expect(server.unsubscribe(connection, topic)).rejects.toMatchObject(error);
      await expect(server.publish(topic, 'x')).rejects.toMatchObject(error);
    }
    expect(server.topics()).toEqual(['abcd', 'ää', '€a']);
  });

  it('of topics a connection', async () => {
    const room = await Room.open(2, { limits: { topicsPerConnection: 2 } });
    const { server } = room;
    const [a, b] = [room.connection(0), room.connection(1)];
    await server.subscribe(a, 'one');
    await server.subscribe(a, 'two');
    const refused = await rejection(server.subscribe(a, 'three'));
    expect(refused).toMatchObject({
      code: 2302999,
      cause: { detail: 'the connection has 2 topics already' },
    });
    expect(await server.subscribe(a, 'two')).toBe(true);
    expect(server.topics()).toEqual(['one', 'two']);
    expect(await server.subscribe(b, 'three')).toBe(true);
    await server.unsubscribe(a, 'one');
    expect(await server.subscribe(a, 'three')).toBe(true);
    // Everybody's topic is not counted.
    await server.broadcast('all');
    expect(server.topics(a)).toEqual(['two', 'three']);
  });
});

describe('wrong calls are refused and change nothing', PATIENT, () => {
  const connection = { clientIP: '127.0.0.1', clientPort: 1 };
  it.each<[string, unknown[]]>([
    ['subscribe', []],
    ['subscribe', [connection]],
    ['subscribe', [connection, '']],
    ['subscribe', [connection, 5]],
    ['subscribe', [connection, NEWS, 1]],
    ['subscribe', [5, NEWS]],
    ['subscribe', [{ clientIP: 'x' }, NEWS]],
    ['unsubscribe', [connection, '']],
    ['unsubscribe', [null, NEWS]],
    ['publish', []],
    ['publish', [NEWS]],
    ['publish', ['', 'x']],
    ['publish', [5, 'x']],
    ['publish', [NEWS, 5]],
    ['publish', [NEWS, null]],
    ['publish', [NEWS, 'x', 5]],
    ['publish', [NEWS, 'x', null]],
    ['publish', [NEWS, 'x', { except: 5 }]],
    ['publish', [NEWS, 'x', {}, 1]],
    ['publish', [NEWS, 'x'.repeat(5_242_865)]],
    ['publish', [NEWS, new SharedArrayBuffer(4)]],
    ['broadcast', []],
    ['broadcast', [5]],
    ['broadcast', ['x', 'y']],
  ])('%s(%j): 401', async (method, args) => {
    const room = await Room.open(1);
    await room.server.subscribe(room.connection(0), NEWS);
    expect(await rejection(callWith(room.server, method, args))).toMatchObject({
      code: 401,
      cause: { phase: 'arguments' },
    });
    expect(room.server.topics()).toEqual([NEWS]);
    expect(await room.received()).toEqual([[]]);
  });

  it('2302006 for a connection that is not there, 401 before it', async () => {
    const room = await Room.open(0);
    for (const method of ['subscribe', 'unsubscribe'] as const) {
      expect(await rejection(room.server[method](gone, NEWS))).toMatchObject({ code: 2302006 });
      expect(await rejection(room.server[method]({ ...gone, clientIP: '' }, NEWS))).toMatchObject({
        code: -1,
      });
      expect(await rejection(room.server[method](gone, ''))).toMatchObject({ code: 401 });
    }
    expect(room.server.topics()).toEqual([]);
  });
});
