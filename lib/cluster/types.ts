/** Public types of the cluster. No values. */

import type { RedisClientOptions } from 'redis';

/** What is published: a string as text, buffers and views as binary. */
export type TopicData = string | ArrayBuffer | ArrayBufferView;

/**
 * What the cluster needs of the server of this machine: topics among its own connections. A connection that
 * closes leaves its topics by itself.
 */
export interface LocalTopics<Connection> {
  /** From now on `publish` to this topic reaches the connection. */
  subscribe(connection: Connection, topic: string): unknown;
  /** The opposite. */
  unsubscribe(connection: Connection, topic: string): unknown;
  /**
   * Sends to every subscriber but `except`. A promise says that the next message had better wait for it;
   * what it rejects with, and what is returned otherwise, does not matter.
   */
  publish(topic: string, data: TopicData, options?: { except?: Connection | undefined }): unknown;
  /** How many of its connections are subscribed to the topic. */
  subscriberCount(topic: string): number;
}

/** What `joinCluster` is told. */
export interface ClusterOptions<Connection> {
  /** The server of this machine. */
  local: LocalTopics<Connection>;
  /**
   * Options of `createClient` of the package `redis`: `url`, `socket`, `username`, `password` and so on. Ours,
   * where they are not given: a lost connection is tried again at once and then every 50 ms to 1 s, a server
   * that says nothing for 4 s counts as lost. RESP 3 and no offline queue in any case.
   */
  redis?: RedisClientOptions | undefined;
  /** Begins every key and channel. The same on every machine that belongs together. Default `ohws:`. */
  prefix?: string | undefined;
  /**
   * Channels that the topics are spread over, 1–16,384, the same on every machine. Default 64. See
   * docs/cluster.md.
   */
  channels?: number | undefined;
  /** Bytes that may wait for Redis to take them, else `ERR_CLUSTER_OVERLOAD`. Default 64 MiB. */
  maxPendingBytes?: number | undefined;
  /**
   * Bytes of other machines' messages that may wait for `local.publish`; what comes on top is dropped and
   * reported as a gap. Default 64 MiB.
   */
  maxQueuedBytes?: number | undefined;
  /** Milliseconds between two looks at the numbers of subscribers, 100–60,000. Default 1000. */
  presenceIntervalMs?: number | undefined;
}

/**
 * Messages that this machine's subscribers did not get. Reported once.
 * - `lost`: they were published and did not arrive;
 * - `overload`: they arrived while `maxQueuedBytes` waited already.
 */
export interface Gap {
  /** How they were missed. */
  readonly reason: 'lost' | 'overload';
  /** Number of the channel that the topics belong to. */
  readonly channel: number;
  /** `id` of the publisher. */
  readonly publisher: string;
  /** The first of the publisher's numbers in this channel that was missed. */
  readonly from: number;
  /** The last one. */
  readonly to: number;
  /** How many: `to - from + 1`. Of all topics of the channel together. */
  readonly count: number;
  /** The topics of the channel that have subscribers here, any of which may have lost something. */
  readonly topics: readonly string[];
}

/**
 * - `joined`: connected, subscribed, known to the others;
 * - `apart`: Redis is not there; local delivery goes on, and it comes back by itself;
 * - `left`: after `leave`, for good.
 */
export type ClusterState = 'joined' | 'apart' | 'left';

/** What has happened since `joinCluster`. */
export interface ClusterCounters {
  /** Messages that Redis took from this machine. */
  readonly published: number;
  /** Messages that it did not take, or perhaps not. */
  readonly unpublished: number;
  /** Messages of other machines for topics that have subscribers here. */
  readonly received: number;
  /** The same for topics that have none: the price of shared channels. */
  readonly unwanted: number;
  /** Messages that came again and were not delivered. */
  readonly repeated: number;
  /** What no machine of the cluster has sent. */
  readonly malformed: number;
  /** `gap` events. */
  readonly gaps: number;
  /** The messages they were about. */
  readonly missed: number;
  /** Connections to Redis that were lost. */
  readonly partings: number;
  /** Bytes that wait for Redis at the moment. */
  readonly pendingBytes: number;
  /** Bytes that wait for `local.publish` at the moment. */
  readonly queuedBytes: number;
}

/** The events of a cluster, by name, with their arguments. */
export interface ClusterEvents {
  /** Messages did not arrive. */
  gap: [gap: Gap];
  /** `cause` is the error of the client, where there is one. */
  state: [state: ClusterState, cause: unknown];
  /** Redis refused something in the background (`cause`); it is tried again. */
  warning: [warning: Error];
}
