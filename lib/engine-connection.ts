/**
 * A connection on this side of the rings, of either role: what it sends, what of that has left, and who hears
 * of what comes. What it wants of the engine it writes as records.
 */
import { Down } from './records.js';
import { processQueue, type QueueFull, type QueueRules, SendQueue } from './send-queue.js';
import type { ClientHandler, Connection, Publisher, ServerConnectionHandler } from './transport.js';
import type { BinaryType } from './types.js';

/** More of a close reason than a frame has room for. */
export const MAX_REASON_BYTES = 1024;
/** A connection that refuses messages asks after a sixteenth of its mark what has left, but at least so many bytes. */
const MIN_ASK_BYTES = 64 * 1024;
/** How a connection ends that is given up because too much waits. */
const POLICY_VIOLATION = 1008;
const SLOW_READER: Uint8Array = Buffer.from('too much waits to be sent');

type Handler = ClientHandler | ServerConnectionHandler;

/** The options that a connection goes by on this side of the rings. */
export interface ConnectionRules extends QueueRules {
  readonly binaryType: BinaryType;
}

/** Of a connection whose listener is gone already. */
export const NO_RULES: ConnectionRules = {
  limits: {},
  backPressure: 'wait',
  binaryType: 'arraybuffer',
};
const NOBODY: ServerConnectionHandler = {
  onMessage() {},
  onClosed() {},
  onDrained() {},
  onPing() {},
  onPong() {},
};

/** Where records are written to. */
export interface RecordWriter {
  /** Writes a record, now or when there is room, after everything that waits. */
  post(kind: number, id: number, payload?: Uint8Array, aux?: number, arg?: number): void;
}

/** What it wants of its engine. */
export interface ConnectionEngine extends Publisher, RecordWriter {
  /** Writes one message; the number of its payload bytes. */
  write(id: number, data: string | ArrayBuffer | ArrayBufferView): number;
}

/** A question to the engine that is under way: have so many bytes left, of what was not asked before? */
interface Ask {
  readonly bytes: number;
  readonly onAnswer: (() => void) | undefined;
}

export class EngineConnection implements Connection {
  readonly id: number;
  handler: Handler;
  /** Whether the data of binary messages are views. */
  readonly wantsViews: boolean;
  /** The reason of our own close, once there was one. */
  closeReason: string | undefined;
  readonly #engine: ConnectionEngine;
  readonly #queue: SendQueue;
  /** After so many bytes the engine is asked whether they have left. */
  readonly #askStep: number;
  /** In their order; most connections never have any. */
  #asks: Ask[] | undefined;
  /** Bytes that the questions under way cover. */
  #covered = 0;
  /** With so many bytes in the queue, or less, there is nothing to do. */
  #quiet: number;
  /** Above the mark: wait until the queue is below it. */
  #senders: (() => void)[] | undefined;
  /** Why it was given up, if it was. */
  #abandoned: QueueFull | undefined;
  #ended = false;

  constructor(
    engine: ConnectionEngine,
    id: number,
    rules: ConnectionRules,
    handler: Handler = NOBODY,
  ) {
    this.#engine = engine;
    this.id = id;
    this.handler = handler;
    this.wantsViews = rules.binaryType === 'view';
    this.#queue = new SendQueue(rules);
    // Finite: see `SendQueue.add`. Who refuses has to know better than who waits what is still there.
    const mark = Math.min(this.#queue.mark, Number.MAX_SAFE_INTEGER);
    this.#askStep = this.#queue.refuses ? Math.max(mark / 16, MIN_ASK_BYTES) : mark;
    this.#quiet = this.#askStep;
  }

  get publisher(): ConnectionEngine {
    return this.#engine;
  }

  send(data: string | ArrayBuffer | ArrayBufferView, accepted = false): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const queue = this.#queue;
    if (queue.refuses && !accepted) {
      const refusal = this.#abandoned ?? queue.refusal(data);
      if (refusal !== undefined) return this.#refuse(refusal);
    }
    const bytes = this.#engine.write(this.id, data);
    return queue.add(bytes) <= this.#quiet ? undefined : this.#mayWait(bytes);
  }

  /** The rest of `send`, for a message of so many bytes that is queued. */
  #mayWait(bytes: number): Promise<void> | undefined {
    const queue = this.#queue;
    const wasAbove = queue.bytes - bytes > queue.mark || processQueue.isOver(-bytes);
    const isUnsure = queue.bytes - this.#covered > this.#askStep;
    if (isUnsure || (wasAbove && !this.#isAsking)) this.#ask();
    if (!wasAbove || queue.refuses) return undefined;
    this.#oweDrained();
    return new Promise((resolve) => {
      this.#senders ??= [];
      this.#senders.push(resolve);
    });
  }

  #refuse(refusal: QueueFull): Promise<void> {
    if (this.#queue.closes && this.#abandoned === undefined) {
      this.#abandoned = refusal;
      this.#engine.post(Down.abandon, this.id, SLOW_READER, POLICY_VIOLATION);
    }
    this.askIfUnsure();
    if (this.#isAsking) this.#oweDrained();
    return Promise.reject(refusal);
  }

  /** The handler hears of it when the queue is below its mark again. */
  #oweDrained(): void {
    const { handler } = this;
    if (!('onDrained' in handler) || this.#senders !== undefined) return;
    const tell = () => {
      if (!this.#ended) handler.onDrained();
    };
    this.#senders = [tell];
  }

  queuedBytes(): number {
    this.askIfUnsure();
    return this.#queue.bytes;
  }

  pause(): void {
    if (!this.#ended) this.#engine.post(Down.pause, this.id, undefined, 0, 1);
  }

  resume(): void {
    if (!this.#ended) this.#engine.post(Down.pause, this.id);
  }

  ping(payload: Uint8Array): void {
    if (!this.#ended) this.#engine.post(Down.ping, this.id, payload);
  }

  terminate(code: number, reason: string): void {
    if (!this.#ended) this.#engine.post(Down.terminate, this.id, Buffer.from(reason), code);
  }

  close(code: number, reason: string, wireCode: number): void {
    if (this.#ended || this.closeReason !== undefined) return;
    this.closeReason = reason;
    // A close frame has room for 123 bytes: the whole reason stays here, for the event.
    const onWire = Buffer.from(reason, 'utf8').subarray(0, MAX_REASON_BYTES);
    this.#engine.post(Down.close, this.id, onWire, code, wireCode);
  }

  subscribe(topic: number): void {
    if (!this.#ended) this.#engine.post(Down.subscribe, this.id, undefined, 0, topic);
  }

  unsubscribe(topic: number): void {
    if (!this.#ended) this.#engine.post(Down.unsubscribe, this.id, undefined, 0, topic);
  }

  drained(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#ask(resolve));
  }

  get #isAsking(): boolean {
    return this.#asks !== undefined;
  }

  /** Finds out what has left, if that is not under way. */
  askIfUnsure(): void {
    if (this.#queue.bytes > 0 && !this.#isAsking) this.#ask();
  }

  /** Answers come in the order of the questions. */
  #ask(onAnswer?: () => void): void {
    const bytes = this.#queue.bytes - this.#covered;
    this.#asks ??= [];
    this.#asks.push({ bytes, onAnswer });
    this.#cover(bytes);
    this.#engine.post(Down.drainRequest, this.id);
  }

  #cover(bytes: number): void {
    this.#covered += bytes;
    if (this.#queue.refuses) this.#quiet = this.#covered + this.#askStep;
  }

  /** What the oldest question covers has left. */
  onDrained(): void {
    const ask = this.#asks?.shift();
    if (ask === undefined) return;
    if (this.#asks?.length === 0) this.#asks = undefined;
    const queue = this.#queue;
    queue.add(-ask.bytes);
    this.#cover(-ask.bytes);
    if (queue.bytes <= queue.mark) this.#resumeSenders();
    else if (!this.#isAsking) this.#ask();
    ask.onAnswer?.();
  }

  #resumeSenders(): void {
    const senders = this.#senders;
    if (senders === undefined) return;
    this.#senders = undefined;
    for (const resolve of senders) resolve();
  }

  onEnded(): void {
    this.#ended = true;
    this.#queue.clear();
    this.#resumeSenders();
    const asks = this.#asks ?? [];
    this.#asks = undefined;
    for (const { onAnswer } of asks) onAnswer?.();
  }
}
