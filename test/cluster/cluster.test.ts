/** A cluster over a real Redis: what reaches whom, counts, arguments, joining and leaving. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ClusterError, type ClusterOptions, joinCluster } from 'ohos-websocket/cluster';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PATIENT, poll, within } from '../helpers/deadline.js';
import { callWith } from '../helpers/endpoints.js';
import { uncaughtExceptions } from '../helpers/uncaught.js';
import { Machine, NamedTopics } from './machines.js';
import { RedisServer } from './redis-server.js';

const refusal = (code: string) => expect.objectContaining({ name: 'ClusterError', code });

describe('two machines', PATIENT, () => {
  async function two(options: Partial<ClusterOptions<string>> = {}) {
    const redis = await RedisServer.start();
    const a = await Machine.join(redis, options);
    const b = await Machine.join(redis, options);
    return { redis, a, b };
  }

  it('deliver text and bytes to the subscribers of both, in order, and to nobody else', async () => {
    const { a, b } = await two();
    await a.subscribe('anna', 'news');
    await b.subscribe('bert', 'news');
    await b.subscribe('berta', 'weather');
    await a.publish('news', 'ünï');
    await a.publish('news', Uint8Array.of(1, 2, 3).subarray(1));
    await a.publish('news', new ArrayBuffer(1));
    await a.publish('weather', 'rain');
    expect(await b.received('bert', 3)).toEqual(['ünï', [2, 3], [0]]);
    expect(await b.received('berta', 1)).toEqual(['rain']);
    expect(await a.received('anna', 3)).toEqual(['ünï', [2, 3], [0]]);
    expect(a.local.deliveries.length).toBe(3);
    expect(b.local.deliveries.length).toBe(4);
    expect(a.cluster.counters).toMatchObject({ published: 4, received: 0, unpublished: 0 });
    expect(b.cluster.counters).toMatchObject({ received: 4, repeated: 0, gaps: 0 });
  });

  it('leave the one out that is excepted', async () => {
    const { a, b } = await two();
    await a.subscribe('anna', 'news');
    await a.subscribe('anton', 'news');
    await b.subscribe('anna', 'news');
    await within(a.cluster.publish('news', 'x', { except: 'anna' }), 'a message to be published');
    // A name is a connection of its own machine.
    expect(await b.received('anna', 1)).toEqual(['x']);
    expect(a.local.deliveries).toEqual([{ to: 'anton', topic: 'news', data: 'x' }]);
  });

  it('do not hear what only others subscribe to, but for what shares a channel', async () => {
    const { a, b } = await two({ channels: 1 });
    await b.subscribe('bert', 'wanted');
    await a.publish('unwanted', 'x');
    await a.publish('wanted', 'y');
    expect(await b.received('bert', 1)).toEqual(['y']);
    expect(b.cluster.counters).toMatchObject({ received: 1, unwanted: 1 });

    b.cluster.unsubscribe('bert', 'wanted');
    await b.subscribe('berta', 'other');
    await a.publish('wanted', 'z');
    await a.publish('other', 'last');
    expect(await b.received('berta', 1)).toEqual(['last']);
    expect(b.local.deliveries.length).toBe(2);
  });

  it('give up a channel with its last subscriber, told or not', async () => {
    const { redis, a } = await two();
    const client = await redis.client();
    const channels = () =>
      client.sendCommand<string[]>(['PUBSUB', 'SHARDCHANNELS', 'ohws:64:[0-9]*']);
    await a.subscribe('anna', 'one');
    await a.subscribe('anton', 'one');
    await a.subscribe('anna', 'two');
    expect((await channels()).length).toBe(2);
    a.cluster.unsubscribe('anna', 'one');
    a.cluster.unsubscribe('anna', 'two');
    await poll(
      async () => (await channels()).length === 1,
      () => 'one channel to be given up',
    );
    a.local.close('anton');
    await poll(
      async () => (await channels()).length === 0,
      () => 'the other channel to be given up',
    );
    // And taken again.
    await a.subscribe('anna', 'one');
    expect((await channels()).length).toBe(1);
  });

  it('count the subscribers of both, and forget those of a machine that leaves', async () => {
    const { a, b } = await two();
    await a.subscribe('anna', 'news');
    await b.subscribe('bert', 'news');
    await b.subscribe('berta', 'news');
    const expectCount = (count: number) =>
      poll(
        async () => (await a.cluster.subscriberCount('news')) === count,
        () => `${count} subscribers`,
      );
    await expectCount(3);
    expect(await a.cluster.subscriberCount('nobody')).toBe(0);
    b.local.close('berta');
    await expectCount(2);
    expect((await a.cluster.nodes()).sort()).toEqual([a.cluster.id, b.cluster.id].sort());
    await b.cluster.leave();
    await expectCount(1);
    expect(await a.cluster.nodes()).toEqual([a.cluster.id]);
  });

  it('strike a machine off that is dead', async () => {
    const { redis, a, b } = await two();
    const client = await redis.client();
    // As its time to live would.
    await client.del(`ohws:node:${b.cluster.id}`);
    await client.sAdd('ohws:nodes', 'deaddeaddeaddead');
    expect(await a.cluster.nodes()).not.toContain('deaddeaddeaddead');
    expect(await client.sIsMember('ohws:nodes', 'deaddeaddeaddead')).toBe(0);
    // Who lives comes back by itself.
    await poll(
      async () => (await a.cluster.nodes()).includes(b.cluster.id),
      () => 'the living machine to be back',
    );
  });

  it('keep prefixes apart', async () => {
    const { redis, a } = await two();
    const other = await Machine.join(redis, { prefix: 'other:', channels: 8 });
    await other.subscribe('otto', 'news');
    await other.publish('news', 'mine');
    await a.publish('news', 'theirs');
    await other.publish('news', 'last');
    expect(await other.received('otto', 2)).toEqual(['mine', 'last']);
    expect(other.cluster.counters.received).toBe(0);
  });

  it('slow a publisher down that waits for its own connections', async () => {
    const { a, b } = await two();
    await a.subscribe('anna', 'news');
    await b.subscribe('bert', 'news');
    let go: () => void = () => undefined;
    a.local.asked = new Promise((resolve) => {
      go = resolve;
    });
    let isPublished = false;
    const published = a.cluster.publish('news', 'x').then(() => {
      isPublished = true;
    });
    await b.received('bert', 1);
    expect(isPublished).toBe(false);
    go();
    await within(published, 'the message to be published');
  });

  it('refuse more than may wait for Redis, and neither deliver nor number it', async () => {
    const { a, b } = await two({ maxPendingBytes: 100 });
    await a.subscribe('anna', 'news');
    await b.subscribe('bert', 'news');
    const first = a.cluster.publish('news', 'x'.repeat(90));
    const second = a.cluster.publish('news', 'y'.repeat(90));
    await expect(second).rejects.toEqual(refusal('ERR_CLUSTER_OVERLOAD'));
    await within(first, 'the first message');
    await a.publish('news', 'z');
    expect(await b.received('bert', 2)).toEqual(['x'.repeat(90), 'z']);
    expect(await a.received('anna', 2)).toEqual(['x'.repeat(90), 'z']);
    expect(a.cluster.counters).toMatchObject({ published: 2, unpublished: 1, pendingBytes: 0 });
    expect(b.gaps).toEqual([]);
  });

  it('say nothing any more when they have left', async () => {
    const { a, b } = await two();
    await b.subscribe('bert', 'news');
    await a.publish('news', 'last');
    await b.received('bert', 1);
    const waiting = b.cluster.subscribe('bert', 'more');
    await b.cluster.leave();
    await within(waiting, 'the subscription to be over');
    await b.cluster.leave();
    expect(b.cluster.state).toBe('left');
    expect(b.states).toEqual(['left']);
    for (const [method, args] of [
      ['publish', ['news', 'x']],
      ['subscribe', ['bert', 'news']],
      ['unsubscribe', ['bert', 'news']],
    ] as const) {
      expect(() => callWith(b.cluster, method, args)).toThrow(refusal('ERR_CLUSTER_LEFT'));
    }
    await expect(b.cluster.subscriberCount('news')).rejects.toEqual(refusal('ERR_CLUSTER_LEFT'));
    await a.publish('news', 'nobody hears');
    expect(b.local.deliveries.length).toBe(1);
  });

  it('let what a listener or the local side throws go no further', async () => {
    const { a, b } = await two();
    await b.subscribe('bert', 'news');
    const thrown = new Error('mine');
    const caught = uncaughtExceptions(1);
    b.local.publish = () => {
      throw thrown;
    };
    await a.publish('news', 'x');
    expect(await within(caught, 'the exception')).toEqual([thrown]);
    Reflect.deleteProperty(b.local, 'publish');
    await a.publish('news', 'y');
    expect(await b.received('bert', 1)).toEqual(['y']);
    a.local.publish = b.local.publish = () => {
      throw thrown;
    };
    expect(() => a.cluster.publish('news', 'z')).toThrow(thrown);
    expect(a.cluster.counters.published).toBe(2);
  });
});

describe('arguments', PATIENT, () => {
  const local = new NamedTopics();
  it.each([
    [undefined],
    [{}],
    [{ local: {} }],
    [{ local, redis: 'redis://' }],
    [{ local, prefix: 7 }],
    [{ local, channels: 0 }],
    [{ local, channels: 16_385 }],
    [{ local, channels: 1.5 }],
    [{ local, maxPendingBytes: -1 }],
    [{ local, maxQueuedBytes: '1' }],
    [{ local, presenceIntervalMs: 99 }],
  ])('%j are refused', async (options) => {
    const joined = joinCluster(options as unknown as ClusterOptions<string>);
    await expect(joined).rejects.toEqual(refusal('ERR_CLUSTER_ARGUMENT'));
  });

  it('of the methods are refused at the call', async () => {
    const { cluster } = await Machine.join(await RedisServer.start());
    for (const [method, args] of [
      ['publish', []],
      ['publish', ['', 'x']],
      ['publish', [7, 'x']],
      ['publish', ['x'.repeat(65_536), 'x']],
      ['publish', ['topic', 7]],
      ['publish', ['topic']],
      ['subscribe', ['connection', '']],
      ['unsubscribe', ['connection', null]],
    ] as const) {
      expect(() => callWith(cluster, method, args)).toThrow(refusal('ERR_CLUSTER_ARGUMENT'));
    }
    expect(cluster.counters).toMatchObject({ published: 0, unpublished: 0 });
  });
});

describe('joining', PATIENT, () => {
  it('fails without Redis', async () => {
    const redis = await RedisServer.start();
    await redis.kill();
    const joined = joinCluster({ local: new NamedTopics(), redis: redis.options });
    await expect(joined).rejects.toEqual(refusal('ERR_CLUSTER_REDIS'));
  });

  it('fails with another number of channels', async () => {
    const redis = await RedisServer.start();
    await Machine.join(redis, { channels: 8 });
    const joined = joinCluster({ local: new NamedTopics(), redis: redis.options, channels: 9 });
    await expect(joined).rejects.toEqual(refusal('ERR_CLUSTER_CHANNELS'));
  });

  it('fails when Redis refuses', async () => {
    const redis = await RedisServer.start();
    const client = await redis.client();
    await client.sendCommand([
      'ACL',
      'SETUSER',
      'weak',
      'on',
      '>secret',
      '+@all',
      '~*',
      'resetchannels',
    ]);
    const options = { ...redis.options, username: 'weak', password: 'secret' };
    const joined = joinCluster({ local: new NamedTopics(), redis: options });
    await expect(joined).rejects.toEqual(refusal('ERR_CLUSTER_REDIS'));
  });

  it('says how to get the package redis', () => {
    // The compiled files alone, where no package is installed.
    const folder = mkdtempSync(path.join(tmpdir(), 'ohws-cluster-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(path.join(import.meta.dirname, '../../dist'), folder, { recursive: true });
    const program = `
      const { joinCluster } = require('./cluster.js');
      const f = () => 0;
      const local = { subscribe: f, unsubscribe: f, publish: f, subscriberCount: f };
      joinCluster({ local }).catch(({ code, message }) => console.log(code, message));`;
    const { stdout } = spawnSync(process.execPath, ['-e', program], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^ERR_CLUSTER_REDIS_MISSING .*npm install redis/);
  });

  it('knows its own errors', () => {
    expect(new ClusterError('ERR_CLUSTER_LEFT', 'x', 'y')).toMatchObject({
      code: 'ERR_CLUSTER_LEFT',
      message: 'x',
      cause: 'y',
    });
  });
});
