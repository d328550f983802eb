/** The options of `joinCluster`, checked, with their defaults. */

import type { RedisClientOptions } from 'redis';
import { isFunction, isObject, mismatch } from '../validate.js';
import { ClusterError } from './errors.js';
import type { ClusterOptions, LocalTopics } from './types.js';

const MIB = 1024 * 1024;
/** As many as Redis has hash slots: more could not be spread further. */
export const MAX_CHANNELS = 16_384;

export interface ReadOptions<Connection> {
  readonly local: LocalTopics<Connection>;
  readonly redis: RedisClientOptions;
  readonly prefix: string;
  readonly channels: number;
  readonly maxPendingBytes: number;
  readonly maxQueuedBytes: number;
  readonly presenceIntervalMs: number;
}

/** Throws ERR_CLUSTER_ARGUMENT. */
export function readClusterOptions<Connection>(
  options: ClusterOptions<Connection>,
): ReadOptions<Connection> {
  const given: unknown = options;
  if (!isObject(given)) refuse(mismatch('options', 'an object', given));
  const { local, redis = {}, prefix = 'ohws:' } = given;
  const methods = ['subscribe', 'unsubscribe', 'publish', 'subscriberCount'];
  if (!isObject(local) || !methods.every((name) => isFunction(local[name]))) {
    refuse(mismatch('local', 'a server with topics', local));
  }
  if (!isObject(redis)) refuse(mismatch('redis', 'an object', redis));
  if (typeof prefix !== 'string') refuse(mismatch('prefix', 'a string', prefix));
  return {
    local: options.local,
    redis,
    prefix,
    channels: whole(given, 'channels', 64, 1, MAX_CHANNELS),
    maxPendingBytes: whole(given, 'maxPendingBytes', 64 * MIB, 0, Number.MAX_SAFE_INTEGER),
    maxQueuedBytes: whole(given, 'maxQueuedBytes', 64 * MIB, 0, Number.MAX_SAFE_INTEGER),
    presenceIntervalMs: whole(given, 'presenceIntervalMs', 1000, 100, 60_000),
  };
}

function whole(
  options: Record<string, unknown>,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const value = options[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    refuse(mismatch(name, `a whole number of ${min}–${max}`, value));
  }
  return value;
}

export function refuse(detail: string): never {
  throw new ClusterError('ERR_CLUSTER_ARGUMENT', detail);
}
