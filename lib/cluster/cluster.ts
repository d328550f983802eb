/**
 * One machine's part of a cluster: publishes its messages through Redis, delivers those of the others to its
 * own connections, and says what did not come. How the pieces work together is in docs/cluster.md.
 *
 * All on the JavaScript thread that joined.
 */

import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { throwLater } from '../listeners.js';
import { isArrayBuffer, mismatch } from '../validate.js';
import { Drops } from './drops.js';
import { ClusterError } from './errors.js';
import { decode, encodeMessage, MAX_TOPIC_BYTES, type MessageFrame } from './frame.js';
import { Inbox } from './inbox.js';
import { Ledger, type Missing } from './ledger.js';
import { Marks } from './marks.js';
import { type ReadOptions, readClusterOptions, refuse } from './options.js';
import { Presence } from './presence.js';
import { RedisLink } from './redis-link.js';
import { RollCall } from './roll-call.js';
import { Topics } from './topics.js';
import type {
  ClusterCounters,
  ClusterEvents,
  ClusterOptions,
  ClusterState,
  Gap,
  TopicData,
} from './types.js';

/** Between two attempts after Redis refused something. */
const RETRY_MS = 1000;
/** After this long without Redis the others may have forgotten us: we come back as somebody else. */
const NEW_ID_AFTER_MS = 30 * 60_000;
/** Looks at the numbers of subscribers between two looks for the dead. */
const LOOKS_PER_ROLL_CALL = 30;

/** A channel that is listened to. */
interface Listening {
  readonly ledger: Ledger;
  /** Who waits for the ledger to be complete; empty from then on. */
  readonly waiting: (() => void)[];
}

type Counters = { -readonly [Name in keyof ClusterCounters]: ClusterCounters[Name] };

export class Cluster<Connection> extends EventEmitter<ClusterEvents> {
  readonly #options: ReadOptions<Connection>;
  readonly #topics: Topics;
  readonly #presence: Presence;
  readonly #inbox: Inbox<MessageFrame>;
  readonly #listening = new Map<number, Listening>();
  readonly #marks: Marks;
  /** Messages that were dropped, not reported yet. */
  readonly #drops = new Drops((row) => this.#report('overload', row));
  readonly #rollCall = new RollCall();
  readonly #counters: Counters = {
    published: 0,
    unpublished: 0,
    received: 0,
    unwanted: 0,
    repeated: 0,
    malformed: 0,
    gaps: 0,
    missed: 0,
    partings: 0,
    pendingBytes: 0,
    queuedBytes: 0,
  };
  #link: RedisLink | undefined;
  #state: ClusterState = 'apart';
  #id = newId();
  #apartSince = performance.now();
  /** Which return to Redis this is: an older one that is still under way has nothing to say. */
  #attempt = 0;
  #lookTimer: NodeJS.Timeout | undefined;
  #looks = 0;

  /** @internal For `joinCluster`. */
  constructor(options: ReadOptions<Connection>) {
    super();
    this.#options = options;
    this.#topics = new Topics(options.channels);
    this.#presence = new Presence(options.prefix);
    this.#inbox = new Inbox(options.maxQueuedBytes, (message) => this.#deliver(message));
    this.#marks = new Marks({
      id: () => this.#id,
      isJoined: () => this.#state === 'joined',
      publish: async (channel, frame) => this.#link?.publish(this.#nameOf(channel), frame),
      tryTo: (command, again) => this.#tryTo(command, again),
    });
  }

  /** @internal For `joinCluster`. */
  async join(): Promise<void> {
    this.#link = await RedisLink.connect(this.#options.redis, {
      onReady: () => void this.#comeBack(),
      onLost: (cause) => this.#onLost(cause),
      onMessage: (channel, bytes) => this.#onBytes(channel, bytes),
    });
    try {
      await this.#register(this.#link);
    } catch (error) {
      this.#link.destroy();
      throw error instanceof ClusterError ? error : refused(error);
    }
    this.#joined();
    this.#lookLater();
  }

  /** 16 hexadecimal digits, another one for every `joinCluster`, and after half an hour without Redis. */
  get id(): string {
    return this.#id;
  }

  /** Whether Redis is there. */
  get state(): ClusterState {
    return this.#state;
  }

  /** What has happened so far, and what waits now. */
  get counters(): ClusterCounters {
    return { ...this.#counters, queuedBytes: this.#inbox.waitingBytes };
  }

  // ------------------------------------------------------------------------------------ what is called

  /**
   * Subscribes a connection of this machine. Resolves when no message of another machine can be lost unseen
   * any more: at once if the topic's channel is listened to, else when Redis has confirmed it and every other
   * machine has said where it is, be it after an outage. (A machine that has just died is waited for 10 s.)
   * Messages may come before. `topic` has 1–65,535 bytes of UTF-8.
   *
   * Throws ERR_CLUSTER_ARGUMENT, ERR_CLUSTER_LEFT, and what `local.subscribe` throws; rejects with what that
   * rejects with, and with nothing else.
   */
  subscribe(connection: Connection, topic: string): Promise<void> {
    this.#check(topic);
    const { local } = this.#options;
    const subscribed = local.subscribe(connection, topic);
    const heard = this.#listen(this.#topics.add(topic));
    if (!(subscribed instanceof Promise)) return heard;
    return Promise.all([subscribed, heard]).then(
      () => undefined,
      (error: unknown) => {
        this.#dropUnwanted(topic);
        throw error;
      },
    );
  }

  /**
   * Takes a subscription back. A connection that closes needs none. Throws as `subscribe`; what
   * `local.unsubscribe` rejects with does not matter.
   */
  unsubscribe(connection: Connection, topic: string): void {
    this.#check(topic);
    heeded(this.#options.local.unsubscribe(connection, topic));
    this.#dropUnwanted(topic);
  }

  #dropUnwanted(topic: string): void {
    if (this.#options.local.subscriberCount(topic) === 0) this.#drop(topic);
  }

  /**
   * Sends to every subscriber of the cluster but `except`. Those of this machine get it at once, Redis or not;
   * the others at most once, in the order of this machine's calls for the topic, and what they miss is a gap
   * to them.
   *
   * Resolves when Redis has taken it and the local side does not ask to wait; who awaits it is slowed down to
   * their pace. Rejects with ERR_CLUSTER_APART, ERR_CLUSTER_UNCERTAIN, ERR_CLUSTER_REDIS or
   * ERR_CLUSTER_OVERLOAD; that may be ignored, `counters.unpublished` has it. Throws ERR_CLUSTER_ARGUMENT,
   * ERR_CLUSTER_LEFT, and what `local.publish` throws.
   */
  publish(
    topic: string,
    data: TopicData,
    options: { except?: Connection | undefined } = {},
  ): Promise<void> {
    this.#check(topic);
    const bytes = contentOf(data);
    const outcome = this.#publish(topic, data, bytes, options);
    // Whoever does not look must not be ended by it.
    outcome.catch(() => undefined);
    return outcome;
  }

  /** Subscribers of a topic in the whole cluster, those of other machines as they were a moment ago. */
  async subscriberCount(topic: string): Promise<number> {
    this.#check(topic);
    const link = this.#joinedLink();
    const elsewhere = await answered(this.#presence.elsewhere(link, this.#id, topic));
    return this.#options.local.subscriberCount(topic) + elsewhere;
  }

  /** `id` of every machine that gave a sign of life in the last 10 s. */
  async nodes(): Promise<string[]> {
    return answered(this.#presence.alive(this.#joinedLink()));
  }

  /**
   * Leaves, for good: nothing is published and delivered any more. What was published before leaves first.
   * Local subscriptions stay. Never rejects.
   */
  async leave(): Promise<void> {
    if (this.#state === 'left') return;
    const wasJoined = this.#state === 'joined';
    this.#drops.flush();
    this.#setState('left', undefined);
    this.#marks.stop();
    clearTimeout(this.#lookTimer);
    for (const listening of this.#listening.values()) release(listening);
    this.#listening.clear();
    const link = this.#link;
    if (link === undefined) return;
    try {
      if (wasJoined) {
        await this.#marks.flush();
        await this.#presence.unregister(link, this.#id);
      }
    } catch {
      // Then the others see us die.
    }
    link.destroy();
  }

  #check(topic: unknown): void {
    if (this.#state === 'left') throw new ClusterError('ERR_CLUSTER_LEFT', 'this machine has left');
    if (typeof topic !== 'string' || topic === '' || Buffer.byteLength(topic) > MAX_TOPIC_BYTES) {
      refuse(mismatch('topic', `a string of 1–${MAX_TOPIC_BYTES} bytes`, topic));
    }
  }

  #joinedLink(): RedisLink {
    if (this.#state === 'joined' && this.#link !== undefined) return this.#link;
    throw new ClusterError('ERR_CLUSTER_APART', 'there is no connection to Redis');
  }

  // ---------------------------------------------------------------------------------------- publishing

  /** Not async: what `local.publish` throws is thrown. */
  #publish(
    topic: string,
    data: TopicData,
    bytes: string | Uint8Array,
    options: { except?: Connection | undefined },
  ): Promise<void> {
    const { maxPendingBytes, local } = this.#options;
    if (this.#counters.pendingBytes + bytes.length > maxPendingBytes) {
      this.#counters.unpublished += 1;
      const what = `more than ${maxPendingBytes} bytes wait for Redis`;
      return Promise.reject(new ClusterError('ERR_CLUSTER_OVERLOAD', what));
    }
    const asked = heeded(local.publish(topic, data, options));
    const channel = this.#topics.channelOf(topic);
    const sequence = this.#marks.next(channel);
    return this.#send(
      channel,
      encodeMessage({ publisher: this.#id, sequence }, topic, bytes),
      asked,
    );
  }

  async #send(channel: number, frame: Buffer, asked: unknown): Promise<void> {
    this.#counters.pendingBytes += frame.length;
    try {
      const link = this.#joinedLink();
      try {
        await link.publish(this.#nameOf(channel), frame);
      } catch (error) {
        if (link.isRefusal(error)) throw refused(error);
        throw new ClusterError('ERR_CLUSTER_UNCERTAIN', 'Redis was lost before it answered', error);
      }
      this.#counters.published += 1;
    } catch (error) {
      this.#counters.unpublished += 1;
      throw error;
    } finally {
      this.#counters.pendingBytes -= frame.length;
    }
    await asked;
  }

  #nameOf(channel: number | 'control'): string {
    const { prefix, channels } = this.#options;
    return `${prefix}${channels}:${channel}`;
  }

  /** Something in the background: what fails is tried again, and told if Redis refused it. */
  async #tryTo(command: Promise<unknown>, again: () => void): Promise<void> {
    try {
      await command;
    } catch (error) {
      if (this.#state === 'left') return;
      if (this.#link?.isRefusal(error)) this.#tell('warning', refused(error));
      again();
    }
  }

  // ----------------------------------------------------------------------------------------- receiving

  /** Called from inside the client's parser, which nothing that is thrown may reach. */
  #onBytes(name: string, bytes: Buffer): void {
    try {
      if (name === this.#nameOf('control')) this.#onQuestion(bytes);
      else this.#onFrame(Number(name.slice(name.lastIndexOf(':') + 1)), bytes);
    } catch (error) {
      throwLater(error);
    }
  }

  #onQuestion(bytes: Buffer): void {
    const frame = decode(bytes);
    if (frame?.kind !== 'question') {
      this.#counters.malformed += 1;
    } else if (frame.publisher !== this.#id) {
      const asked = frame.channels.filter((channel) => channel < this.#options.channels);
      for (const channel of asked) this.#marks.answer(channel);
    }
  }

  #onFrame(channel: number, bytes: Buffer): void {
    const listening = this.#listening.get(channel);
    if (listening === undefined) return;
    const frame = decode(bytes);
    if (frame === undefined || frame.kind === 'question') {
      this.#counters.malformed += 1;
      return;
    }
    const { publisher, sequence } = frame;
    if (publisher === this.#id) return;
    const { ledger } = listening;
    if (frame.kind === 'mark') {
      this.#reportLost(channel, publisher, ledger.mark(publisher, sequence));
      if (ledger.isComplete) release(listening);
      return;
    }
    const { repeated, missing } = ledger.take(publisher, sequence);
    this.#reportLost(channel, publisher, missing);
    if (listening.waiting.length > 0 && ledger.isComplete) release(listening);
    if (repeated) this.#counters.repeated += 1;
    else if (this.#topics.has(channel, frame.topic)) this.#receive(channel, frame);
    else this.#counters.unwanted += 1;
  }

  #receive(channel: number, frame: MessageFrame): void {
    this.#counters.received += 1;
    if (this.#inbox.push(frame, frame.payload.length)) this.#drops.flush();
    else this.#drops.add(channel, frame.publisher, frame.sequence);
  }

  #deliver({ topic, payload, isText }: MessageFrame): unknown {
    try {
      return this.#options.local.publish(topic, isText ? payload.toString('utf8') : payload);
    } catch (error) {
      throwLater(error);
      return undefined;
    }
  }

  #reportLost(channel: number, publisher: string, missing: Missing | undefined): void {
    if (missing !== undefined) this.#report('lost', { channel, publisher, ...missing });
  }

  #report(reason: Gap['reason'], gap: Pick<Gap, 'channel' | 'publisher' | 'from' | 'to'>): void {
    const count = gap.to - gap.from + 1;
    this.#counters.gaps += 1;
    this.#counters.missed += count;
    this.#tell('gap', { reason, ...gap, count, topics: this.#topics.of(gap.channel) });
  }

  // ----------------------------------------------------------------------------------------- listening

  #listen(channel: number): Promise<void> {
    const known = this.#listening.get(channel);
    const listening = known ?? { ledger: new Ledger(), waiting: [] };
    if (known === undefined) {
      this.#listening.set(channel, listening);
      if (this.#state === 'joined') void this.#tryToListen(channel, listening);
    }
    if (listening.ledger.isComplete) return Promise.resolve();
    return new Promise((resolve) => {
      listening.waiting.push(resolve);
    });
  }

  async #tryToListen(channel: number, listening: Listening): Promise<void> {
    await this.#tryTo(this.#beginToListen(channel, listening), () => {
      // Without Redis, coming back begins again anyway.
      if (this.#state === 'joined') this.#listenLater(channel, listening);
    });
  }

  #listenLater(channel: number, listening: Listening): void {
    setTimeout(() => {
      const isWanted = this.#listening.get(channel) === listening;
      if (isWanted && this.#state === 'joined') void this.#tryToListen(channel, listening);
    }, RETRY_MS).unref();
  }

  /** Subscribes, for the first time or again; then asks what there was in the meantime. */
  async #beginToListen(channel: number, listening: Listening): Promise<void> {
    const link = this.#link;
    const { ledger } = listening;
    if (link === undefined) return;
    await link.subscribe(this.#nameOf(channel));
    if (!ledger.isSettled) {
      const present = await this.#presence.registered(link);
      // Those that we know may not have come back yet.
      const others = new Set([...present, ...this.#knownPublishers()]);
      others.delete(this.#id);
      ledger.settle(others);
    }
    if (ledger.isComplete) release(listening);
    this.#marks.ask(channel);
  }

  *#knownPublishers(): Generator<string, void, undefined> {
    for (const { ledger } of this.#listening.values()) yield* ledger.publishers();
  }

  /** Nobody here subscribes to the topic any more. */
  #drop(topic: string): void {
    const channel = this.#topics.remove(topic);
    const listening = channel === undefined ? undefined : this.#listening.get(channel);
    if (channel === undefined || listening === undefined) return;
    this.#listening.delete(channel);
    release(listening);
    // If it fails there is no connection, and then no subscription.
    this.#link?.unsubscribe(this.#nameOf(channel)).catch(() => undefined);
  }

  // --------------------------------------------------------------------------- coming and going of Redis

  #onLost(cause: unknown): void {
    if (this.#link?.isReady) {
      this.#tell('warning', refused(cause));
    } else if (this.#state === 'joined') {
      this.#attempt += 1;
      this.#apartSince = performance.now();
      this.#counters.partings += 1;
      this.#setState('apart', cause);
    }
  }

  /** The connection is there again. */
  async #comeBack(): Promise<void> {
    const link = this.#link;
    if (link === undefined || this.#state === 'left') return;
    this.#attempt += 1;
    const attempt = this.#attempt;
    if (performance.now() - this.#apartSince > NEW_ID_AFTER_MS) {
      this.#id = newId();
      this.#marks.restart();
    }
    try {
      await this.#register(link);
      const channels = [...this.#listening];
      await Promise.all(channels.map((entry) => this.#beginToListen(...entry)));
      if (attempt === this.#attempt) this.#joined();
    } catch (error) {
      if (attempt !== this.#attempt || !link.isReady) return;
      this.#tell('warning', error instanceof ClusterError ? error : refused(error));
      setTimeout(() => {
        if (attempt === this.#attempt) void this.#comeBack();
      }, RETRY_MS).unref();
    }
  }

  async #register(link: RedisLink): Promise<void> {
    const { prefix, channels } = this.#options;
    const agreed = await link.agree(`${prefix}channels`, String(channels));
    if (agreed !== String(channels)) {
      const what = `the cluster has ${agreed} channels, this machine ${channels}`;
      throw new ClusterError('ERR_CLUSTER_CHANNELS', what);
    }
    await link.subscribe(this.#nameOf('control'));
    await this.#presence.register(link, this.#id);
  }

  #joined(): void {
    this.#setState('joined', undefined);
    this.#marks.answerAll();
    for (const channel of this.#listening.keys()) this.#marks.ask(channel);
    // Those that were begun while we were apart.
    for (const [channel, listening] of this.#listening) {
      if (!listening.ledger.isSettled) void this.#tryToListen(channel, listening);
    }
  }

  #setState(state: ClusterState, cause: unknown): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#tell('state', state, cause);
  }

  /** What a listener throws is its own affair. */
  #tell<Name extends keyof ClusterEvents>(name: Name, ...args: ClusterEvents[Name]): void {
    try {
      (this as EventEmitter).emit(name, ...args);
    } catch (error) {
      throwLater(error);
    }
  }

  // ------------------------------------------------------------------------------------------ presence

  #lookLater(): void {
    if (this.#state === 'left') return;
    this.#lookTimer = setTimeout(() => void this.#look(), this.#options.presenceIntervalMs);
  }

  async #look(): Promise<void> {
    const link = this.#link;
    if (this.#state === 'joined' && link !== undefined) {
      this.#looks += 1;
      await this.#tryTo(this.#lookOnce(link), () => undefined);
    }
    this.#lookLater();
  }

  async #lookOnce(link: RedisLink): Promise<void> {
    await this.#presence.update(link, this.#id, this.#topics.all(), (topic) => {
      const count = this.#options.local.subscriberCount(topic);
      if (count === 0) this.#drop(topic);
      return count;
    });
    const incomplete = [...this.#listening].filter(([, { ledger }]) => !ledger.isComplete);
    if (incomplete.length === 0 && this.#looks % LOOKS_PER_ROLL_CALL !== 0) return;
    const alive = new Set(await this.#presence.alive(link));
    for (const [channel, listening] of incomplete) {
      listening.ledger.expectOnly(alive);
      if (listening.ledger.isComplete) release(listening);
      else this.#marks.ask(channel);
    }
    const silent = this.#rollCall.call(this.#knownPublishers(), alive, performance.now());
    for (const publisher of silent) {
      for (const { ledger } of this.#listening.values()) ledger.forget(publisher);
    }
  }
}

/**
 * Joins the cluster of all machines that use the same Redis and prefix.
 *
 * Rejects with ERR_CLUSTER_ARGUMENT, ERR_CLUSTER_REDIS_MISSING, ERR_CLUSTER_REDIS (there is no Redis now; once
 * joined, it may come and go) and ERR_CLUSTER_CHANNELS.
 */
export async function joinCluster<Connection>(
  options: ClusterOptions<Connection>,
): Promise<Cluster<Connection>> {
  const cluster = new Cluster(readClusterOptions(options));
  await cluster.join();
  return cluster;
}

function newId(): string {
  return randomBytes(8).toString('hex');
}

function release({ waiting }: Listening): void {
  for (const resolve of waiting.splice(0)) resolve();
}

function refused(error: unknown): ClusterError {
  return new ClusterError('ERR_CLUSTER_REDIS', `Redis: ${String(error)}`, error);
}

/** A question to Redis that failed on the way, or was refused. */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw refused(error);
  }
}

function contentOf(data: unknown): string | Uint8Array {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return isArrayBuffer(data)
    ? new Uint8Array(data)
    : refuse(mismatch('data', 'a string, an ArrayBuffer or a view of one', data));
}

/** What the local side asks to wait for; what it rejects with does not matter. */
function heeded(asked: unknown): Promise<unknown> | undefined {
  return asked instanceof Promise ? asked.catch(() => undefined) : undefined;
}
