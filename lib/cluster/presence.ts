/**
 * How many subscribers each machine says a topic has. A machine keeps a hash of its own in Redis, with a time
 * to live, so that what a dead one had said goes away with it; a set names the machines.
 */

import type { RedisLink } from './redis-link.js';

/** A machine that has not been heard for this long does not count. */
const TTL_MS = 10_000;
/** Fields in one command. */
const BATCH = 500;
/** Topics looked at before other work has its turn. */
const SLICE = 2000;
/** Keeps the hash in being while there is no topic; no topic is empty. */
const ALIVE_FIELD = '';

export class Presence {
  readonly #prefix: string;
  /** What Redis was told of our topics. */
  #told = new Map<string, number>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get #nodes(): string {
    return `${this.#prefix}nodes`;
  }

  #node(id: string): string {
    return `${this.#prefix}node:${id}`;
  }

  /** Says that this machine is there, with no topics so far. */
  async register(link: RedisLink, id: string): Promise<void> {
    this.#told = new Map();
    await link.remove(this.#node(id));
    await link.setFields(this.#node(id), { [ALIVE_FIELD]: '1' });
    await link.keep(this.#node(id), TTL_MS);
    await link.addMember(this.#nodes, id);
  }

  async unregister(link: RedisLink, id: string): Promise<void> {
    await link.removeMembers(this.#nodes, [id]);
    await link.remove(this.#node(id));
  }

  /** Tells what has changed: `count` of a topic is asked for each of `topics`, and of those told before. */
  async update(
    link: RedisLink,
    id: string,
    topics: Iterable<string>,
    count: (topic: string) => number,
  ): Promise<void> {
    if (!(await link.keep(this.#node(id), TTL_MS))) await this.register(link, id);
    const changed: Record<string, string> = {};
    const gone: string[] = [];
    let looked = 0;
    for (const topic of new Set([...this.#told.keys(), ...topics])) {
      const subscribers = count(topic);
      if (subscribers !== (this.#told.get(topic) ?? 0)) {
        if (subscribers > 0) changed[topic] = String(subscribers);
        else gone.push(topic);
      }
      looked += 1;
      if (looked % SLICE === 0) await new Promise(setImmediate);
    }
    await this.#tell(link, id, changed);
    await this.#takeBack(link, id, gone);
  }

  async #tell(link: RedisLink, id: string, changed: Record<string, string>): Promise<void> {
    const entries = Object.entries(changed);
    for (let at = 0; at < entries.length; at += BATCH) {
      const batch = entries.slice(at, at + BATCH);
      await link.setFields(this.#node(id), Object.fromEntries(batch));
      for (const [topic, subscribers] of batch) this.#told.set(topic, Number(subscribers));
    }
  }

  async #takeBack(link: RedisLink, id: string, gone: string[]): Promise<void> {
    for (let at = 0; at < gone.length; at += BATCH) {
      const batch = gone.slice(at, at + BATCH);
      await link.removeFields(this.#node(id), batch);
      for (const topic of batch) this.#told.delete(topic);
    }
  }

  /** Every machine that has registered and not been seen dead. */
  registered(link: RedisLink): Promise<string[]> {
    return link.members(this.#nodes);
  }

  /** The machines that live; the others are struck off the list. */
  async alive(link: RedisLink): Promise<string[]> {
    const ids = await this.registered(link);
    const alive = await Promise.all(ids.map((id) => link.exists(this.#node(id))));
    const dead = ids.filter((_, n) => !alive[n]);
    if (dead.length > 0) await link.removeMembers(this.#nodes, dead);
    return ids.filter((_, n) => alive[n]);
  }

  /** Subscribers of a topic on the other machines. */
  async elsewhere(link: RedisLink, own: string, topic: string): Promise<number> {
    const ids = (await this.registered(link)).filter((id) => id !== own);
    const counts = await Promise.all(ids.map((id) => link.field(this.#node(id), topic)));
    return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  }
}
