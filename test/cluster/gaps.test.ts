/**
 * What is lost, and that it is told: machines that lose Redis while others publish, messages that come twice
 * or make no sense, connections that are too slow. A machine is kept from Redis by its user's being switched
 * off there, so that nothing depends on time.
 */

import { describe, expect, it, vi } from 'vitest';
import { PATIENT, poll, within } from '../helpers/deadline.js';
import { Machine } from './machines.js';
import { RedisServer } from './redis-server.js';

/** A machine with a user of its own in Redis. */
async function machine(redis: RedisServer, user: string, options = {}) {
  const admin = await redis.client();
  const rule = async (...rules: string[]) => {
    await admin.sendCommand(['ACL', 'SETUSER', user, ...rules]);
  };
  await rule('on', '>secret', '~*', '&*', '+@all');
  const credentials = { ...redis.options, username: user, password: 'secret' };
  const it = await Machine.join(redis, { redis: credentials, ...options });
  return {
    it,
    /** Its connection is lost, and it gets no other one. */
    async part() {
      await rule('off');
      await admin.sendCommand(['CLIENT', 'KILL', 'USER', user]);
      await it.inState('apart');
    },
    async rejoin() {
      await rule('on');
      await it.inState('joined');
    },
  };
}

describe('a gap', PATIENT, () => {
  it('is told to a subscriber that was away, once, with its topics', async () => {
    const redis = await RedisServer.start();
    const a = await Machine.join(redis);
    const { it: b, part, rejoin } = await machine(redis, 'b');
    await b.subscribe('bert', 'news');
    await a.publish('news', '1');
    await b.received('bert', 1);
    await part();
    for (const text of ['2', '3', '4']) await a.publish('news', text);
    await rejoin();
    // Nothing else is published: the mark tells.
    const channel = b.gaps[0]?.channel ?? (await b.gap(0)).channel;
    expect(b.gaps).toEqual([
      {
        reason: 'lost',
        channel,
        publisher: a.cluster.id,
        from: 2,
        to: 4,
        count: 3,
        topics: ['news'],
      },
    ]);
    await a.publish('news', '5');
    expect(await b.received('bert', 2)).toEqual(['1', '5']);
    expect(b.gaps.length).toBe(1);
    expect(b.cluster.counters).toMatchObject({ gaps: 1, missed: 3, partings: 1, repeated: 0 });
    expect(b.states).toEqual(['apart', 'joined']);
  });

  it('is told when the publisher was away; its own connections miss nothing', async () => {
    const redis = await RedisServer.start();
    const { it: a, part, rejoin } = await machine(redis, 'a');
    const b = await Machine.join(redis);
    await a.subscribe('anna', 'news');
    await b.subscribe('bert', 'news');
    await a.publish('news', '1');
    await part();
    for (const text of ['2', '3']) {
      await expect(a.cluster.publish('news', text)).rejects.toMatchObject({
        code: 'ERR_CLUSTER_APART',
      });
    }
    // Ignored, as a program may.
    void a.cluster.publish('news', '4');
    await expect(a.cluster.subscriberCount('news')).rejects.toMatchObject({
      code: 'ERR_CLUSTER_APART',
    });
    await rejoin();
    expect(await b.gap(0)).toMatchObject({ from: 2, to: 4, publisher: a.cluster.id });
    await a.publish('news', '5');
    expect(await b.received('bert', 2)).toEqual(['1', '5']);
    expect(await a.received('anna', 5)).toEqual(['1', '2', '3', '4', '5']);
    expect(a.cluster.counters).toMatchObject({ published: 2, unpublished: 3, gaps: 0 });
  });

  it('is told of the first messages of a publisher that joined meanwhile', async () => {
    const redis = await RedisServer.start();
    const { it: b, part, rejoin } = await machine(redis, 'b');
    await b.subscribe('bert', 'news');
    await part();
    const c = await Machine.join(redis);
    await c.publish('news', '1');
    await c.publish('news', '2');
    await rejoin();
    expect(await b.gap(0)).toMatchObject({ from: 1, to: 2, publisher: c.cluster.id });
  });

  it('is none for whoever subscribes later, and none for a new publisher', async () => {
    const redis = await RedisServer.start();
    const a = await Machine.join(redis);
    const b = await Machine.join(redis);
    for (const text of ['1', '2', '3']) await a.publish('news', text);
    await b.subscribe('bert', 'news');
    await a.publish('news', '4');
    const c = await Machine.join(redis);
    await c.publish('news', 'first');
    await b.received('bert', 2);
    // Marks of both have come by then.
    const admin = await redis.client();
    let marks = 0;
    await admin.sSubscribe('ohws:64:6', () => void marks++);
    await a.publish('news', '5');
    await c.publish('news', 'second');
    await poll(
      () => marks >= 4,
      () => `two messages and two marks; so far ${marks}`,
    );
    expect(await b.received('bert', 4)).toEqual(['4', 'first', '5', 'second']);
    expect(b.gaps).toEqual([]);
  });

  it('is told of what could not be kept for slow connections', async () => {
    const redis = await RedisServer.start();
    const a = await Machine.join(redis);
    const b = await Machine.join(redis, { maxQueuedBytes: 10 });
    await b.subscribe('bert', 'news');
    let go: () => void = () => undefined;
    b.local.asked = new Promise((resolve) => {
      go = resolve;
    });
    for (const text of ['1', '2.........', '3', '4', '5']) await a.publish('news', text);
    expect(await b.gap(0)).toMatchObject({ reason: 'overload', from: 3, to: 5, count: 3 });
    expect(b.cluster.counters.queuedBytes).toBe(10);
    b.local.asked = undefined;
    go();
    expect(await b.received('bert', 2)).toEqual(['1', '2.........']);
    await a.publish('news', '6');
    expect(await b.received('bert', 3)).toEqual(['1', '2.........', '6']);
    expect(b.cluster.counters).toMatchObject({ gaps: 1, missed: 3, received: 6, queuedBytes: 0 });
  });
});

describe('what none of us has sent', PATIENT, () => {
  it('is not delivered: repetitions, garbage, echoes', async () => {
    const redis = await RedisServer.start();
    const a = await Machine.join(redis);
    const b = await Machine.join(redis);
    const admin = await redis.client();
    await b.subscribe('bert', 'news');
    const frames: Buffer[] = [];
    await admin.sSubscribe('ohws:64:6', (frame) => void frames.push(frame), true);
    await a.publish('news', '1');
    await b.received('bert', 1);
    await poll(
      () => frames.length > 0,
      () => 'the frame',
    );
    const publisher = await redis.client();
    for (const channel of ['ohws:64:6', 'ohws:64:control']) {
      for (const bytes of [frames[0] as Buffer, Buffer.alloc(0), Buffer.alloc(1000, 0xff)]) {
        await publisher.sPublish(channel, bytes);
      }
    }
    await a.publish('news', '2');
    expect(await b.received('bert', 2)).toEqual(['1', '2']);
    expect(b.cluster.counters).toMatchObject({ repeated: 1, malformed: 5, gaps: 0 });
  });
});

describe('Redis', PATIENT, () => {
  it('that lost everything is told everything again', async () => {
    const redis = await RedisServer.start();
    const a = await Machine.join(redis);
    const b = await Machine.join(redis);
    await a.subscribe('anna', 'news');
    await b.subscribe('bert', 'news');
    await redis.kill();
    await Promise.all([a.inState('apart'), b.inState('apart')]);
    // While it is away: it counts when it is back.
    const late = b.cluster.subscribe('berta', 'late');
    await redis.startAgain();
    await Promise.all([a.inState('joined', 5000), b.inState('joined', 5000)]);
    await within(late, 'the subscription of the outage');
    await a.publish('news', 'x');
    await a.publish('late', 'y');
    expect(await b.received('bert', 1)).toEqual(['x']);
    expect(await b.received('berta', 1)).toEqual(['y']);
    await poll(
      async () => (await b.cluster.subscriberCount('news')) === 2,
      () => 'two subscribers',
    );
    expect(b.gaps).toEqual([]);
    expect([...a.warnings, ...b.warnings]).toEqual([]);
  });

  it('that hangs is given up, and taken again', async () => {
    const redis = await RedisServer.start();
    const a = await Machine.join(redis);
    const b = await Machine.join(redis);
    await b.subscribe('bert', 'news');
    redis.freeze();
    const uncertain = a.cluster.publish('news', '1');
    await expect(within(uncertain, 'the message to fail')).rejects.toMatchObject({
      code: 'ERR_CLUSTER_UNCERTAIN',
    });
    await Promise.all([a.inState('apart'), b.inState('apart')]);
    redis.thaw();
    await Promise.all([a.inState('joined'), b.inState('joined')]);
    await a.publish('news', '2');
    await b.local.changes.until(
      () => (b.local.deliveries.some(({ data }) => data === '2') ? true : undefined),
      'the second message',
    );
    // It may have come after all; if not, the gap tells.
    const got = b.local.deliveries.filter(({ data }) => data === '1').length;
    expect(got + b.cluster.counters.missed).toBe(1);
  });

  it('that was away for very long is told another name', async () => {
    const redis = await RedisServer.start();
    const { it: a, part, rejoin } = await machine(redis, 'a');
    const b = await Machine.join(redis);
    await b.subscribe('bert', 'news');
    await a.publish('news', '1');
    const { id } = a.cluster;
    await part();
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 31 * 60_000);
    await rejoin();
    clock.mockRestore();
    expect(a.cluster.id).not.toBe(id);
    await a.publish('news', '2');
    expect(await b.received('bert', 2)).toEqual(['1', '2']);
    expect(b.gaps).toEqual([]);
  });
});
