/**
 * The numbers that this machine has given its messages in each channel, and the talk about them: marks say which
 * number was the last, questions ask the others for theirs. How they serve is in docs/cluster.md.
 *
 * On the JavaScript thread that joined. What is to be said waits for its time here, and for Redis where it is away.
 */

import { encodeMark, encodeQuestion } from './frame.js';

/** A channel is marked when nothing was published in it for this long. */
const QUIET_MS = 250;
/** How long questions and answers to questions gather before they leave. */
const GATHER_MS = 10;

/** What marks need of the cluster. */
export interface MarkSender {
  /** `id` of this machine. */
  id(): string;
  /** Whether Redis is there. Who comes back says everything again, so nothing is tried without it. */
  isJoined(): boolean;
  publish(channel: number | 'control', frame: Buffer): Promise<unknown>;
  /** Something in the background: what fails is told, and tried `again`. */
  tryTo(command: Promise<unknown>, again: () => void): Promise<void>;
}

export class Marks {
  readonly #sender: MarkSender;
  /** The last number used in each channel that we have published in. */
  readonly #sequences = new Map<number, number>();
  /** Channels that are to be marked when they are quiet, with the last number at the last look. */
  readonly #unmarked = new Map<number, number>();
  /** Channels that somebody wants marks of: we of the others, and the others of us. */
  readonly #unasked = new Set<number>();
  readonly #unanswered = new Set<number>();
  #quietTimer: NodeJS.Timeout | undefined;
  #talkTimer: NodeJS.Timeout | undefined;

  constructor(sender: MarkSender) {
    this.#sender = sender;
  }

  /** The number of the next message of a channel, which will be marked. */
  next(channel: number): number {
    const sequence = this.#lastIn(channel) + 1;
    this.#sequences.set(channel, sequence);
    this.#markLater(channel);
    return sequence;
  }

  /** Asks the others for marks of a channel. */
  ask(channel: number): void {
    this.#talkLater(this.#unasked, channel);
  }

  /** Marks a channel that somebody has asked about. */
  answer(channel: number): void {
    this.#talkLater(this.#unanswered, channel);
  }

  /** Marks everything that was published in, for those who have missed it. */
  answerAll(): void {
    for (const channel of this.#sequences.keys()) this.answer(channel);
  }

  /** Begins to count anew, as somebody else. */
  restart(): void {
    this.#sequences.clear();
  }

  /** Says nothing more by itself. */
  stop(): void {
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#talkTimer);
  }

  /** The marks that are still due, at once. */
  async flush(): Promise<void> {
    await Promise.all([...this.#unmarked.keys()].map((channel) => this.#mark(channel)));
  }

  #lastIn(channel: number): number {
    return this.#sequences.get(channel) ?? 0;
  }

  /** Marks a channel when it is quiet. */
  #markLater(channel: number): void {
    if (!this.#unmarked.has(channel)) this.#unmarked.set(channel, this.#lastIn(channel));
    this.#quietTimer ??= setTimeout(this.#markQuiet, QUIET_MS);
  }

  readonly #markQuiet = (): void => {
    this.#quietTimer = undefined;
    if (!this.#sender.isJoined()) return;
    for (const [channel, seen] of this.#unmarked) {
      const last = this.#lastIn(channel);
      // Where more was published, the next message tells what a mark would.
      if (last !== seen) this.#unmarked.set(channel, last);
      else void this.#mark(channel);
    }
    if (this.#unmarked.size > 0) this.#quietTimer = setTimeout(this.#markQuiet, QUIET_MS);
  };

  async #mark(channel: number): Promise<void> {
    this.#unmarked.delete(channel);
    const sender = this.#sender;
    const mark = encodeMark({ publisher: sender.id(), sequence: this.#lastIn(channel) });
    await sender.tryTo(sender.publish(channel, mark), () => this.#markLater(channel));
  }

  /** Puts a channel among those to ask about, or to answer for. */
  #talkLater(channels: Set<number>, channel: number): void {
    channels.add(channel);
    this.#talkTimer ??= setTimeout(this.#talk, GATHER_MS);
  }

  readonly #talk = (): void => {
    this.#talkTimer = undefined;
    if (!this.#sender.isJoined()) return;
    for (const channel of this.#unanswered) void this.#mark(channel);
    this.#unanswered.clear();
    if (this.#unasked.size > 0) void this.#askNow();
  };

  async #askNow(): Promise<void> {
    const channels = [...this.#unasked];
    this.#unasked.clear();
    const question = encodeQuestion(this.#sender.id(), channels);
    await this.#sender.tryTo(this.#sender.publish('control', question), () => {
      for (const channel of channels) this.ask(channel);
    });
  }
}
