/**
 * Machines of a cluster as the tests hold them, in this process: topics over connections that are mere names,
 * and a record of all that is delivered and reported.
 */

import {
  type Cluster,
  type ClusterOptions,
  type ClusterState,
  type Gap,
  joinCluster,
  type LocalTopics,
  type TopicData,
} from 'ohos-websocket/cluster';
import { onTestFinished } from 'vitest';
import { Changes, within } from '../helpers/deadline.js';
import type { RedisServer } from './redis-server.js';

export interface Delivery {
  readonly to: string;
  readonly topic: string;
  /** Text, or the bytes. */
  readonly data: string | number[];
}

/** `LocalTopics` over names. */
export class NamedTopics implements LocalTopics<string> {
  readonly deliveries: Delivery[] = [];
  readonly changes: Changes = new Changes();
  /** What `publish` returns. */
  asked: Promise<void> | undefined;
  readonly #subscribers = new Map<string, Set<string>>();

  subscribe(connection: string, topic: string): void {
    const names = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, names.add(connection));
  }

  unsubscribe(connection: string, topic: string): void {
    this.#subscribers.get(topic)?.delete(connection);
  }

  /** The connection is gone, without a word. */
  close(connection: string): void {
    for (const names of this.#subscribers.values()) names.delete(connection);
  }

  publish(topic: string, data: TopicData, options: { except?: string | undefined } = {}): unknown {
    const shown = typeof data === 'string' ? data : [...new Uint8Array(bytesOf(data))];
    for (const to of this.#subscribers.get(topic) ?? []) {
      if (to !== options.except) this.deliveries.push({ to, topic, data: shown });
    }
    this.changes.notify();
    return this.asked;
  }

  subscriberCount(topic: string): number {
    return this.#subscribers.get(topic)?.size ?? 0;
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

export class Machine {
  readonly local: NamedTopics;
  readonly cluster: Cluster<string>;
  readonly gaps: Gap[] = [];
  readonly states: ClusterState[] = [];
  readonly warnings: Error[] = [];
  readonly #changes = new Changes();

  private constructor(local: NamedTopics, cluster: Cluster<string>) {
    this.local = local;
    this.cluster = cluster;
    cluster.on('gap', (gap) => {
      this.gaps.push(gap);
      this.#changes.notify();
    });
    cluster.on('state', (state) => {
      this.states.push(state);
      this.#changes.notify();
    });
    cluster.on('warning', (warning) => void this.warnings.push(warning));
    onTestFinished(() => within(cluster.leave(), 'a machine to leave'));
  }

  static async join(
    redis: RedisServer,
    options: Partial<ClusterOptions<string>> = {},
  ): Promise<Machine> {
    const local = new NamedTopics();
    const joined = joinCluster({
      local,
      redis: redis.options,
      presenceIntervalMs: 100,
      ...options,
    });
    return new Machine(local, await within(joined, 'a machine to join'));
  }

  async subscribe(connection: string, topic: string): Promise<void> {
    await within(this.cluster.subscribe(connection, topic), 'a subscription');
  }

  async publish(topic: string, data: TopicData): Promise<void> {
    await within(this.cluster.publish(topic, data), 'a message to be published');
  }

  /** What a connection got, once it is this many messages. */
  async received(connection: string, count: number): Promise<Delivery['data'][]> {
    const all = () => this.local.deliveries.filter(({ to }) => to === connection);
    await this.local.changes.until(
      () => (all().length >= count ? true : undefined),
      `${count} messages for ${connection}; it has ${all().length}`,
    );
    return all().map(({ data }) => data);
  }

  async gap(n: number): Promise<Gap> {
    return this.#changes.until(() => this.gaps[n], `gap no. ${n + 1}`);
  }

  /** Waits until the last state is this. */
  async inState(state: ClusterState, deadlineMs?: number): Promise<void> {
    const reached = () => (this.cluster.state === state ? true : undefined);
    await this.#changes.until(reached, `state ${state}`, deadlineMs);
  }
}
