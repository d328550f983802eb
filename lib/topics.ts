/**
 * The topics of one server: which there are, by name, and which of its connections subscribe to them. The
 * engine knows topics by number and has a list of its own of who gets what, which follows this one: both rings
 * keep order, so a number that is free here is free there.
 */

import type { ServerPeer } from './server-peer.js';
import type { Publisher } from './transport.js';

/** A topic that has subscribers. */
export interface Topic {
  readonly name: string;
  readonly number: number;
  subscribers: number;
  /** The engines that have some of them, and how many. */
  readonly publishers: Map<Publisher, number>;
}

/** Numbers of topics are those of all servers of this thread together: servers share an engine. */
const freeNumbers: number[] = [];
let nextNumber = 0;

function openTopic(name: string): Topic {
  const number = freeNumbers.pop() ?? nextNumber++;
  return { name, number, subscribers: 0, publishers: new Map() };
}

function add({ connection }: ServerPeer, topic: Topic): void {
  const { publisher } = connection;
  topic.subscribers += 1;
  topic.publishers.set(publisher, (topic.publishers.get(publisher) ?? 0) + 1);
  connection.subscribe(topic.number);
}

export class Topics {
  readonly #topics = new Map<string, Topic>();
  /** What `broadcast` goes to. Only from the first one on, as long as there are connections. */
  #everybody: Topic | undefined;
  readonly #all = new Set<ServerPeer>();

  find(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  names(): string[] {
    return [...this.#topics.keys()];
  }

  /** False if the connection has `most` topics already. */
  subscribe(peer: ServerPeer, name: string, most: number): boolean {
    const known = this.#topics.get(name);
    peer.topics ??= new Set();
    const own = peer.topics;
    if (known !== undefined && own.has(known)) return true;
    if (own.size >= most) return false;
    const topic = known ?? openTopic(name);
    this.#topics.set(name, topic);
    own.add(topic);
    add(peer, topic);
    return true;
  }

  unsubscribe(peer: ServerPeer, name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined || !peer.topics?.delete(topic)) return;
    peer.connection.unsubscribe(topic.number);
    this.#lost(peer, topic);
  }

  /** The topic of all connections; undefined if there are none. */
  everybody(peers: Iterable<ServerPeer>): Topic | undefined {
    if (this.#everybody !== undefined) return this.#everybody;
    const topic = openTopic('');
    for (const peer of peers) this.#join(peer, topic);
    if (topic.subscribers > 0) this.#everybody = topic;
    else freeNumbers.push(topic.number);
    return this.#everybody;
  }

  /** A connection has come. */
  joined(peer: ServerPeer): void {
    if (this.#everybody !== undefined) this.#join(peer, this.#everybody);
  }

  #join(peer: ServerPeer, topic: Topic): void {
    this.#all.add(peer);
    add(peer, topic);
  }

  /** A connection has ended; the engine has let it go already. */
  left(peer: ServerPeer): void {
    if (this.#all.delete(peer) && this.#everybody !== undefined) this.#lost(peer, this.#everybody);
    for (const topic of peer.topics ?? []) this.#lost(peer, topic);
    peer.topics = undefined;
  }

  #lost({ connection: { publisher } }: ServerPeer, topic: Topic): void {
    const left = (topic.publishers.get(publisher) ?? 0) - 1;
    if (left > 0) topic.publishers.set(publisher, left);
    else topic.publishers.delete(publisher);
    topic.subscribers -= 1;
    if (topic.subscribers > 0) return;
    freeNumbers.push(topic.number);
    if (topic === this.#everybody) this.#everybody = undefined;
    else this.#topics.delete(topic.name);
  }
}
