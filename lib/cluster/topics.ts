/**
 * The topics that connections of this machine subscribe to, the channel that each travels in, and how many
 * subscribers it was last seen to have. Knows nothing of Redis.
 */

/** FNV-1a over UTF-16 units: the same on every machine, quick, and even enough for this. */
function hash(topic: string): number {
  let value = 0x811c9dc5;
  for (let n = 0; n < topic.length; n++) {
    value = Math.imul(value ^ topic.charCodeAt(n), 0x01000193);
  }
  return value >>> 0;
}

export class Topics {
  readonly #channels: number;
  readonly #byChannel = new Map<number, Set<string>>();

  constructor(channels: number) {
    this.#channels = channels;
  }

  channelOf(topic: string): number {
    return hash(topic) % this.#channels;
  }

  /** The channel of a topic that now has subscribers. */
  add(topic: string): number {
    const channel = this.channelOf(topic);
    const topics = this.#byChannel.get(channel);
    if (topics === undefined) this.#byChannel.set(channel, new Set([topic]));
    else topics.add(topic);
    return channel;
  }

  /** Nobody subscribes to the topic any more; the channel, if that was its last one. */
  remove(topic: string): number | undefined {
    const channel = this.channelOf(topic);
    const topics = this.#byChannel.get(channel);
    if (!topics?.delete(topic) || topics.size > 0) return undefined;
    this.#byChannel.delete(channel);
    return channel;
  }

  has(channel: number, topic: string): boolean {
    return this.#byChannel.get(channel)?.has(topic) === true;
  }

  /** Those of one channel. */
  of(channel: number): readonly string[] {
    return [...(this.#byChannel.get(channel) ?? [])];
  }

  *all(): Generator<string, void, undefined> {
    for (const topics of this.#byChannel.values()) yield* topics;
  }
}
