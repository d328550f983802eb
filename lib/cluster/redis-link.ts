/**
 * The connection to Redis (or Valkey): loads the package `redis`, connects, reconnects, and is the only file
 * that knows its commands. One connection carries both commands and messages, so that what we publish, ask
 * and hear keeps its order.
 */

import type { RedisClientOptions, RedisClientType } from 'redis';
import { ClusterError } from './errors.js';

/** The package `redis`, as far as it is used. */
type Redis = typeof import('redis');
type Client = RedisClientType;

/** How often we look, and after how many looks in a row without a word from Redis it counts as lost. */
const LOOK_MS = 1000;
const SILENT_LOOKS = 4;
const CONNECT_MS = 2000;
const LONGEST_RETRY_MS = 1000;

/** What is told. */
export interface LinkHandler {
  /** Connected. What was subscribed may have to be subscribed again. */
  onReady(): void;
  onLost(cause: unknown): void;
  onMessage(channel: string, bytes: Buffer): void;
}

export class RedisLink {
  readonly #redis: Redis;
  readonly #options: RedisClientOptions;
  readonly #handler: LinkHandler;
  readonly #timer: NodeJS.Timeout;
  #client: Client;
  #wasReady = false;
  #silentLooks = 0;

  private constructor(redis: Redis, options: RedisClientOptions, handler: LinkHandler) {
    this.#redis = redis;
    this.#options = options;
    this.#handler = handler;
    this.#client = this.#makeClient();
    this.#timer = setInterval(this.#look, LOOK_MS).unref();
  }

  /** Resolves when it is connected. ERR_CLUSTER_REDIS_MISSING, ERR_CLUSTER_REDIS. */
  static async connect(options: RedisClientOptions, handler: LinkHandler): Promise<RedisLink> {
    const link = new RedisLink(await load(), options, handler);
    try {
      await link.#client.connect();
      return link;
    } catch (error) {
      link.destroy();
      throw new ClusterError(
        'ERR_CLUSTER_REDIS',
        `no connection to Redis: ${String(error)}`,
        error,
      );
    }
  }

  #makeClient(): Client {
    const client = this.#redis.createClient({
      ...this.#options,
      socket: {
        connectTimeout: CONNECT_MS,
        reconnectStrategy: (retries: number, cause: Error) => this.#retry(retries, cause),
        ...this.#options.socket,
      },
      RESP: 3,
      // A message that waited here would be late, and nobody would know.
      disableOfflineQueue: true,
    } as RedisClientOptions) as unknown as Client;
    client.on('ready', () => {
      this.#wasReady = true;
      this.#silentLooks = 0;
      this.#handler.onReady();
    });
    client.on('error', (error: unknown) => {
      this.#silentLooks = 0;
      this.#handler.onLost(error);
    });
    return client;
  }

  /**
   * A server that hangs, or is gone without a word of TCP. Looks are counted, not time: while this process was
   * busy, answers may have come.
   */
  readonly #look = (): void => {
    this.#silentLooks += 1;
    if (this.#silentLooks > SILENT_LOOKS) {
      this.#replaceClient();
    } else if (this.#client.isReady) {
      this.#client.ping().then(
        () => {
          this.#silentLooks = 0;
        },
        () => undefined,
      );
    }
  };

  #replaceClient(): void {
    this.#silentLooks = 0;
    silence(this.#client);
    if (!this.#wasReady) return;
    this.#client = this.#makeClient();
    this.#client.connect().catch(() => undefined);
    this.#handler.onLost(
      new Error(`Redis has not answered for ${(SILENT_LOOKS * LOOK_MS) / 1000} s`),
    );
  }

  /** Who joins wants to know that there is no Redis; who has joined waits for it, at random intervals. */
  #retry(retries: number, cause: Error): number | Error {
    if (!this.#wasReady) return cause;
    const longest = Math.min(LONGEST_RETRY_MS, 50 * 2 ** retries);
    return longest / 2 + Math.random() * (longest / 2);
  }

  get isReady(): boolean {
    return this.#client.isReady;
  }

  /** Whether Redis itself said no; else the connection failed on the way. */
  isRefusal(error: unknown): boolean {
    return error instanceof this.#redis.ErrorReply;
  }

  async publish(channel: string, bytes: Buffer): Promise<void> {
    await this.#client.sPublish(channel, bytes);
  }

  async subscribe(channel: string): Promise<void> {
    await this.#client.sSubscribe(channel, this.#onMessage, true);
  }

  async unsubscribe(channel: string): Promise<void> {
    await this.#client.sUnsubscribe(channel, this.#onMessage, true);
  }

  readonly #onMessage = (bytes: Buffer, channel: Buffer): void => {
    this.#silentLooks = 0;
    this.#handler.onMessage(channel.toString(), bytes);
  };

  /** The value of a key, set to this one if there was none. */
  async agree(key: string, value: string): Promise<string> {
    await this.#client.set(key, value, { condition: 'NX' });
    return (await this.#client.get(key)) ?? value;
  }

  async members(key: string): Promise<string[]> {
    return this.#client.sMembers(key);
  }

  async addMember(key: string, member: string): Promise<void> {
    await this.#client.sAdd(key, member);
  }

  async removeMembers(key: string, members: string[]): Promise<void> {
    await this.#client.sRem(key, members);
  }

  async exists(key: string): Promise<boolean> {
    return (await this.#client.exists(key)) === 1;
  }

  async remove(key: string): Promise<void> {
    await this.#client.del(key);
  }

  /** Keeps a key alive; false if it is gone. */
  async keep(key: string, ms: number): Promise<boolean> {
    return (await this.#client.pExpire(key, ms)) === 1;
  }

  async setFields(key: string, fields: Record<string, string>): Promise<void> {
    await this.#client.hSet(key, fields);
  }

  async removeFields(key: string, fields: string[]): Promise<void> {
    await this.#client.hDel(key, fields);
  }

  async field(key: string, name: string): Promise<string | null> {
    return (await this.#client.hGet(key, name)) ?? null;
  }

  /** Ends the connection; nothing is told afterwards. */
  destroy(): void {
    clearInterval(this.#timer);
    silence(this.#client);
  }
}

/** What is under way fails; no more events. */
function silence(client: Client): void {
  client.removeAllListeners('ready');
  client.removeAllListeners('error');
  client.on('error', () => undefined);
  client.destroy();
}

async function load(): Promise<Redis> {
  try {
    return await import('redis');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new ClusterError(
      'ERR_CLUSTER_REDIS_MISSING',
      'ohos-websocket/cluster needs the package redis: npm install redis',
      error,
    );
  }
}
