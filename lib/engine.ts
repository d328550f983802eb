/**
 * The transport over a native engine, which is started with the first endpoint and stopped a moment after
 * the last: the two rings, and who is behind which id. It reads what the engine tells and calls the
 * handlers; it knows nothing of the API above.
 *
 * A crossing into native code happens once a batch. Everything a turn of ours writes is shown to
 * the engine at its end, and the engine is woken only if it sleeps.
 */
import { binding } from './binding.js';
import type { DeflateConfig } from './deflate.js';
import { nameOfErrno } from './errno.js';
import type { Limits } from './limits.js';
import { PublishQueue } from './publish-queue.js';
import {
  ABNORMAL,
  ASCII_ONLY,
  DETAILED,
  Down,
  decodeStrings,
  encodeStrings,
  HEADER_BYTES,
  JS_OWNED_ID,
  LOCAL_CLOSE,
  PAD,
  recordBytes,
  SECURE,
  Up,
  WATCH_PINGS,
  WATCH_PONGS,
} from './records.js';
import { RING_HEAD_BYTES, Ring, RingReader, RingWriter } from './ring.js';
import { processQueue, type QueueFull, type QueueRules, SendQueue } from './send-queue.js';
import type { EngineStats } from './server-stats.js';
import type {
  AcceptedDetails,
  ClientConfig,
  ClientHandler,
  CloseInfo,
  Connection,
  DrainReport,
  EngineFailure,
  EngineListener,
  FailureKind,
  ListenAddress,
  Message,
  Phase,
  ProxyConfig,
  Publisher,
  ServerConfig,
  ServerConnectionHandler,
  ServerHandler,
  TlsConfig,
  Transport,
  UpgradeAnswer,
  UpgradeInfo,
} from './transport.js';
import type { BinaryType } from './types.js';

/**
 * Powers of two. Between two threads: what a batch of large messages needs. On one thread it is shorter, so that what
 * is written stays in the processor's cache until it is read.
 */
const RING_BYTES = { ownThread: 1 << 22, thisThread: 1 << 20 };
/** Payloads of this size and more go beside the ring (`UpWriter::kLargeMessageBytes`). */
const LARGE_BYTES = 64 * 1024;
/** The largest record of a connect or listen; the engine's header memory is far smaller. */
const MAX_REQUEST_BYTES = 256 * 1024;
/** Views of binary messages lie in copies of the ring of at most so many bytes. */
const SLAB_BYTES = 64 * 1024;
/** More of a close reason than a frame has room for. */
const MAX_REASON_BYTES = 1024;
/** A connection that refuses messages asks after a sixteenth of its mark what has left, but at least so many bytes. */
const MIN_ASK_BYTES = 64 * 1024;
/** How a connection ends that is given up because too much waits. */
const POLICY_VIOLATION = 1008;
const SLOW_READER: Uint8Array = Buffer.from('too much waits to be sent');
/** Room is given back, and what was sent is shown, after so many bytes read … */
const RELEASE_BYTES = 16 * 1024;
/** … and after so many bytes the event loop has its turn. */
const TURN_BYTES = 1 << 20;
/** An idle engine is stopped after this, so that quick reconnects do not pay for a thread. */
const IDLE_STOP_MS = 1000;

type Handler = ClientHandler | ServerConnectionHandler;

/** The options that a connection goes by on this side of the rings. */
interface ConnectionRules extends QueueRules {
  readonly binaryType: BinaryType;
}

const EMPTY = new Uint8Array(0);
const NO_SLAB = new ArrayBuffer(0);

/** Of a connection whose listener is gone already. */
const NO_RULES: ConnectionRules = { limits: {}, backPressure: 'wait', binaryType: 'arraybuffer' };
const NOBODY: ServerConnectionHandler = {
  onMessage() {},
  onClosed() {},
  onDrained() {},
  onPing() {},
  onPong() {},
};

/** A question to the engine that is under way: have so many bytes left, of what was not asked before? */
interface Ask {
  readonly bytes: number;
  readonly onAnswer: (() => void) | undefined;
}

class EngineConnection implements Connection {
  readonly id: number;
  handler: Handler;
  /** Whether the data of binary messages are views. */
  readonly wantsViews: boolean;
  /** The reason of our own close, once there was one. */
  closeReason: string | undefined;
  readonly #engine: Engine;
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

  constructor(engine: Engine, id: number, rules: ConnectionRules, handler: Handler = NOBODY) {
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

  get publisher(): Engine {
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
    if (!this.#ended) this.#engine.post(Down.pause, this.id, EMPTY, 0, 1);
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
    if (!this.#ended) this.#engine.post(Down.subscribe, this.id, EMPTY, 0, topic);
  }

  unsubscribe(topic: number): void {
    if (!this.#ended) this.#engine.post(Down.unsubscribe, this.id, EMPTY, 0, topic);
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

interface ListenerEntry {
  readonly handler: ServerHandler;
  readonly rules: ConnectionRules;
  /** Wait for answers to the steps of a reload, in the order of the questions. */
  readonly reloads: ((failure: EngineFailure | 'gone' | undefined) => void)[];
  /** Wait for answers about its counters, in the order of the questions. */
  readonly asked: ((stats: EngineStats | undefined) => void)[];
}

/** Why a turn of reading ended. */
const ReadEnd = { asleep: 0, bound: 1, clientEvent: 2 } as const;
type ReadEnd = (typeof ReadEnd)[keyof typeof ReadEnd];

/** A record that found the down ring full, kept in order until there is room. */
type Waiting = () => boolean;

export class Engine implements Transport, Publisher {
  #native = -1;
  #reader!: RingReader;
  #writer!: RingWriter;
  #waiting: Waiting[] = [];
  #reading = false;
  #flushScheduled = false;
  #turnScheduled = false;
  /** Bytes read since the event loop last had its turn, and since room was last given back. */
  #turnBytes = 0;
  /** The newest copy for views, and the place in the ring that it is of; for one turn at most. */
  #slab = NO_SLAB;
  #slabBegin = 0;
  #slabEnd = 0;
  #sinceRelease = 0;
  #endpoints = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  /** Accepted connections by the engine's id, clients and listeners by ours. */
  #accepted: (EngineConnection | undefined)[] = [];
  readonly #clients = new Map<number, EngineConnection>();
  readonly #listeners = new Map<number, ListenerEntry>();
  /** Clients that are closed for the application and not yet for TCP. */
  readonly #leaving = new Set<number>();
  readonly #published = new PublishQueue(() => this.post(Down.publishedRequest, 0));

  readonly #ownThread: boolean;

  /** `ownThread`: a thread that does nothing else takes its turns; else this one does, where it can be. */
  constructor(ownThread: boolean) {
    this.#ownThread = ownThread;
    processQueue.askers.push(() => {
      for (const connection of this.#accepted) connection?.askIfUnsure();
      for (const connection of this.#clients.values()) connection.askIfUnsure();
      this.#published.askIfUnsure();
    });
  }

  connect(config: ClientConfig, handler: ClientHandler): Connection {
    const strings = encodeRequest(clientStrings(config));
    const id = this.#openEndpoint();
    const connection = new EngineConnection(this, id, config, handler);
    this.#clients.set(id, connection);
    this.post(Down.connect, id, strings);
    return connection;
  }

  listen(config: ServerConfig, handler: ServerHandler): EngineListener {
    const strings = encodeRequest(serverStrings(config));
    const id = this.#openEndpoint();
    this.#listeners.set(id, { handler, rules: config, asked: [], reloads: [] });
    this.post(Down.listen, id, strings);
    return {
      stop: (code, reason, drainMs) => {
        if (!this.#listeners.has(id)) return;
        const onWire = Buffer.from(reason, 'utf8').subarray(0, MAX_REASON_BYTES);
        if (drainMs === undefined) this.post(Down.stop, id, onWire, code);
        else this.post(Down.drain, id, onWire, code, drainMs);
      },
      accept: () => {
        if (this.#listeners.has(id)) this.post(Down.accept, id);
      },
      prepareReload: (tls) => this.#reload(id, Down.reload, 0, encodeRequest(tlsStrings(tls))),
      endReload: (take) => this.#reload(id, Down.reloadEnd, take ? 1 : 0),
      stats: () => this.#askStats(id),
      answerUpgrade: (request, answer) => {
        if (!this.#listeners.has(id)) return;
        const status = 'status' in answer ? answer.status : 0;
        this.post(Down.upgradeAnswer, id, encodeStrings(answerStrings(answer)), status, request);
      },
      watch: (pings, pongs) => {
        const what = (pings ? WATCH_PINGS : 0) | (pongs ? WATCH_PONGS : 0);
        if (this.#listeners.has(id)) this.post(Down.watch, id, EMPTY, 0, what);
      },
    };
  }

  #reload(
    id: number,
    kind: number,
    arg: number,
    strings: Uint8Array = EMPTY,
  ): Promise<EngineFailure | 'gone' | undefined> {
    const listener = this.#listeners.get(id);
    if (listener === undefined) return Promise.resolve('gone');
    return new Promise((resolve) => {
      listener.reloads.push(resolve);
      this.post(kind, id, strings, 0, arg);
    });
  }

  #askStats(id: number): Promise<EngineStats | undefined> {
    const listener = this.#listeners.get(id);
    if (listener === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      listener.asked.push(resolve);
      this.post(Down.statsRequest, id);
    });
  }

  publish(
    topic: number,
    data: string | ArrayBuffer | ArrayBufferView,
    except: Connection | undefined,
  ): Promise<void> | undefined {
    if (this.#native < 0) return undefined;
    const but = except instanceof EngineConnection && except.publisher === this ? except.id : 0;
    return this.#published.add(
      typeof data === 'string'
        ? this.#publishText(topic, data, but)
        : this.#publishBytes(topic, bytesOf(data), but),
    );
  }

  #publishText(topic: number, text: string, but: number): number {
    if (text.length >= LARGE_BYTES) {
      const token = binding.putText(this.#native, text);
      this.post(Down.publishLargeText, topic, encodeId(but), 0, token);
      return Buffer.byteLength(text);
    }
    if (this.#waiting.length === 0) {
      const size = this.#writer.writeText(Down.publishText, topic, text, but);
      if (size >= 0) {
        this.#scheduleFlush();
        return size;
      }
    }
    const bytes = Buffer.from(text, 'utf8');
    this.#wait(Down.publishText, topic, bytes, 0, but);
    return bytes.length;
  }

  #publishBytes(topic: number, bytes: Uint8Array, but: number): number {
    if (bytes.length >= LARGE_BYTES) {
      const token = this.#putBytes(bytes);
      this.post(Down.publishLargeBinary, topic, encodeId(but), 0, token);
    } else if (
      this.#waiting.length > 0 ||
      !this.#writer.writeBytes(Down.publishBinary, topic, bytes, 0, but)
    ) {
      this.#wait(Down.publishBinary, topic, bytes.slice(), 0, but);
    } else {
      this.#scheduleFlush();
    }
    return bytes.length;
  }

  /** Writes one message; the number of its payload bytes. */
  write(id: number, data: string | ArrayBuffer | ArrayBufferView): number {
    if (typeof data === 'string') return this.#writeText(id, data);
    const bytes = bytesOf(data);
    if (bytes.length >= LARGE_BYTES) {
      this.post(Down.largeBinary, id, EMPTY, 0, this.#putBytes(bytes));
    } else if (this.#waiting.length > 0 || !this.#writer.writeBytes(Down.binary, id, bytes)) {
      this.#wait(Down.binary, id, bytes.slice());
    } else {
      this.#scheduleFlush();
    }
    return bytes.length;
  }

  #putBytes(bytes: Uint8Array): number {
    // Shared memory cannot cross the border: copy it out first.
    const own = bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
    return binding.putBytes(this.#native, own.buffer as ArrayBuffer, own.byteOffset, own.length);
  }

  #writeText(id: number, text: string): number {
    if (text.length >= LARGE_BYTES) {
      this.post(Down.largeText, id, EMPTY, 0, binding.putText(this.#native, text));
      return Buffer.byteLength(text);
    }
    if (this.#waiting.length === 0) {
      const size = this.#writer.writeText(Down.text, id, text);
      if (size >= 0) {
        this.#scheduleFlush();
        return size;
      }
    }
    const bytes = Buffer.from(text, 'utf8');
    this.#wait(Down.text, id, bytes);
    return bytes.length;
  }

  /** Writes a record, now or when there is room, after everything that waits. */
  post(kind: number, id: number, payload: Uint8Array = EMPTY, aux = 0, arg = 0): void {
    if (this.#waiting.length > 0 || !this.#writer.writeBytes(kind, id, payload, aux, arg)) {
      this.#wait(kind, id, payload, aux, arg);
    } else {
      this.#scheduleFlush();
    }
  }

  #wait(kind: number, id: number, payload: Uint8Array, aux = 0, arg = 0): void {
    this.#waiting.push(() => this.#writer.writeBytes(kind, id, payload, aux, arg));
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#reading || this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    if (this.#native >= 0) this.#publish();
  };

  #publish(): void {
    let written = 0;
    while (written < this.#waiting.length) {
      if (!this.#waiting[written]?.()) {
        // The engine may have made room between the look and the wish to be told of it.
        this.#writer.waitForRoom();
        if (!this.#waiting[written]?.()) break;
      }
      written += 1;
    }
    if (written > 0) this.#waiting.splice(0, written);
    if (this.#writer.publish()) binding.wake(this.#native);
  }

  // ------------------------------------------------------------------------------ what the engine tells

  readonly #onDoorbell = (): void => {
    if (this.#native >= 0 && !this.#turnScheduled) this.#turn();
  };

  readonly #nextTurn = (): void => {
    this.#turnScheduled = false;
    if (this.#native >= 0) this.#turn();
  };

  /** Runs as a microtask; the tick that it asks for comes when all microtasks have run. */
  readonly #afterMicrotasks = (): void => {
    process.nextTick(this.#nextTurn);
  };

  #turn(): void {
    this.#reading = true;
    const end = this.#read();
    this.#reading = false;
    if (this.#slabEnd !== 0) this.#dropSlab();
    switch (end) {
      case ReadEnd.clientEvent:
        this.#turnScheduled = true;
        queueMicrotask(this.#afterMicrotasks);
        return;
      case ReadEnd.bound:
        this.#turnScheduled = true;
        setImmediate(this.#nextTurn);
        break;
      case ReadEnd.asleep:
        break;
    }
    this.#publish();
  }

  /** Reads what there is, within bounds. */
  #read(): ReadEnd {
    const reader = this.#reader;
    const { words, mask } = reader.ring;
    for (;;) {
      const end = reader.available();
      while (reader.position !== end) {
        const offset = RING_HEAD_BYTES + (reader.position & mask);
        const at = offset >> 2;
        const head = words[at] as number;
        const id = words[at + 1] as number;
        const size = words[at + 2] as number;
        if ((head & 0xff) !== PAD) {
          try {
            this.#dispatch(head, id, size, words[at + 3] as number, offset + HEADER_BYTES);
          } catch (error) {
            // A handler's exception is its own: it surfaces as uncaught, and the next event follows.
            process.nextTick(rethrow, error);
          }
        }
        const bytes = recordBytes(size);
        reader.position = (reader.position + bytes) >>> 0;
        this.#turnBytes += bytes;
        this.#sinceRelease += bytes;
        if (this.#sinceRelease >= RELEASE_BYTES) {
          this.#sinceRelease = 0;
          if (reader.release()) binding.wake(this.#native);
          this.#publish();
          if (this.#turnBytes >= TURN_BYTES) {
            this.#turnBytes = 0;
            return ReadEnd.bound;
          }
        }
        // Each event of a client is a task of its own, as on a device: what its handler's promises
        // lead to happens before the next event. A server's events come in batches.
        if (id < 0 && (head & 0xff) !== PAD) return ReadEnd.clientEvent;
      }
      this.#sinceRelease = 0;
      if (reader.release()) binding.wake(this.#native);
      if (reader.trySleep()) {
        this.#turnBytes = 0;
        return ReadEnd.asleep;
      }
    }
  }

  #dispatch(head: number, id: number, size: number, arg: number, offset: number): void {
    const flags = (head >> 8) & 0xff;
    switch (head & 0xff) {
      case Up.text: {
        const { buffer } = this.#reader.ring;
        const text =
          flags & ASCII_ONLY
            ? buffer.latin1Slice(offset, offset + size)
            : buffer.utf8Slice(offset, offset + size);
        this.#message(id, text);
        return;
      }
      case Up.binary: {
        const connection = this.#find(id);
        if (connection === undefined) return;
        const data = connection.wantsViews
          ? this.#view(offset, size)
          : copyOf(this.#reader.ring.bytes, offset, size);
        connection.handler.onMessage(data);
        return;
      }
      case Up.largeText: {
        const text = binding.takeText(this.#native, arg >>> 0, (flags & ASCII_ONLY) !== 0);
        this.#countBeside(text.length);
        this.#message(id, text);
        return;
      }
      case Up.largeBinary: {
        const bytes = binding.takeBytes(this.#native, arg >>> 0);
        this.#countBeside(bytes.byteLength);
        const connection = this.#find(id);
        connection?.handler.onMessage(connection.wantsViews ? new Uint8Array(bytes) : bytes);
        return;
      }
      case Up.drained:
        this.#find(id)?.onDrained();
        return;
      default:
        this.#dispatchRare(head, id >>> 0, arg >>> 0, offset, size);
    }
  }

  /**
   * Bytes of the ring in memory of their own, which the views of what lies behind them share: one
   * allocation for many messages.
   */
  #view(offset: number, size: number): Uint8Array {
    const { ring, position } = this.#reader;
    if (offset < this.#slabBegin || offset + size > this.#slabEnd) {
      const begun = offset - RING_HEAD_BYTES - (position & ring.mask);
      const readable = ((this.#reader.available() - position) >>> 0) - begun;
      this.#slabBegin = offset;
      this.#slabEnd = Math.min(
        offset + Math.max(size, Math.min(readable, SLAB_BYTES)),
        RING_HEAD_BYTES + ring.capacity,
      );
      this.#slab = ring.bytes.slice(offset, this.#slabEnd).buffer as ArrayBuffer;
    }
    return new Uint8Array(this.#slab, offset - this.#slabBegin, size);
  }

  #dropSlab(): void {
    this.#slab = NO_SLAB;
    this.#slabBegin = 0;
    this.#slabEnd = 0;
  }

  /** What came beside the ring counts for the bounds of a turn like what came through it. */
  #countBeside(bytes: number): void {
    this.#turnBytes += bytes;
    this.#sinceRelease += bytes;
  }

  #message(id: number, data: Message): void {
    this.#find(id)?.handler.onMessage(data);
  }

  /** `id` as read from the ring: negative for ours. */
  #find(id: number): EngineConnection | undefined {
    return id >= 0 ? this.#accepted[id] : this.#clients.get(id >>> 0);
  }

  #dispatchRare(head: number, id: number, arg: number, offset: number, size: number): void {
    const aux = head >>> 16;
    const payload = this.#reader.ring.buffer.subarray(offset, offset + size);
    switch (head & 0xff) {
      case Up.started: {
        const failure = size === 0 ? undefined : toFailure(decodeStrings(payload));
        const handler = this.#clients.get(id)?.handler as ClientHandler | undefined;
        if (failure !== undefined) this.#endClient(id);
        handler?.onStarted(failure);
        return;
      }
      case Up.opened: {
        const [message = '', protocol = '', ...rest] = decodeStrings(payload);
        const headers = toPairs(rest);
        const handler = this.#clients.get(id)?.handler as ClientHandler | undefined;
        handler?.onOpened({ message, protocol, headers });
        return;
      }
      case Up.connectFailed: {
        const handler = this.#clients.get(id)?.handler as ClientHandler | undefined;
        this.#endClient(id);
        handler?.onConnectFailed(aux, toFailure(decodeStrings(payload)));
        return;
      }
      case Up.closed: {
        const [given = '', peerReason = '', ...failure] = decodeStrings(payload);
        const peer = arg === 0 ? undefined : { code: arg, reason: peerReason };
        const abnormal = ((head >> 8) & ABNORMAL) !== 0;
        const isOurs = ((head >> 8) & LOCAL_CLOSE) !== 0;
        const reason = (isOurs ? this.#find(id | 0)?.closeReason : undefined) ?? given;
        const close: CloseInfo = abnormal
          ? { code: aux, reason, abnormal, peer, failure: toFailure(failure) }
          : { code: aux, reason, abnormal, peer };
        this.#closed(id, close);
        return;
      }
      case Up.accepted: {
        const listener = this.#listeners.get(arg);
        const connection = new EngineConnection(this, id, listener?.rules ?? NO_RULES);
        this.#accepted[id] = connection;
        const isDetailed = ((head >> 8) & DETAILED) !== 0;
        const known = isDetailed ? toDetails(decodeStrings(payload)) : toPeer(payload);
        const { ip, details, certificate } = known;
        const port = ip.startsWith('unix:') ? id : aux;
        const handler = listener?.handler.onAccepted(connection, ip, port, details, certificate);
        if (handler !== undefined) connection.handler = handler;
        return;
      }
      case Up.published:
        this.#published.onPublished();
        return;
      case Up.upgradeRequest: {
        const secure = ((head >> 8) & SECURE) !== 0;
        const request = toUpgradeInfo(arg, aux, secure, decodeStrings(payload));
        this.#listeners.get(id)?.handler.onUpgrade(request);
        return;
      }
      case Up.upgradeEnded:
        this.#listeners.get(id)?.handler.onUpgradeEnded(arg);
        return;
      case Up.ping:
        this.#acceptedHandler(id)?.onPing(toArrayBuffer(payload));
        return;
      case Up.pong:
        this.#acceptedHandler(id)?.onPong(toArrayBuffer(payload));
        return;
      case Up.gone:
        if (this.#leaving.delete(id)) this.#closeEndpoint();
        return;
      case Up.listening: {
        const handler = this.#listeners.get(id)?.handler;
        const strings = decodeStrings(payload);
        const failure = strings[0] === '' ? undefined : toFailure(strings);
        if (failure !== undefined) this.#endListener(id);
        handler?.onStarted(failure === undefined ? strings.slice(1).map(Number) : [], failure);
        return;
      }
      case Up.refused: {
        const [ip = '', detail = ''] = decodeStrings(payload);
        this.#listeners.get(id)?.handler.onRefused(ip, aux, detail);
        return;
      }
      case Up.reloaded: {
        const failure = size === 0 ? undefined : toFailure(decodeStrings(payload));
        this.#listeners.get(id)?.reloads.shift()?.(failure);
        return;
      }
      case Up.stats:
        this.#listeners.get(id)?.asked.shift()?.(toStats(decodeStrings(payload)));
        return;
      case Up.stopped: {
        const handler = this.#listeners.get(id)?.handler;
        this.#endListener(id);
        handler?.onStopped(size === 0 ? undefined : toDrainReport(decodeStrings(payload)));
        return;
      }
      default:
        throw new Error(`ohos-websocket: unknown record ${head & 0xff}`);
    }
  }

  #acceptedHandler(id: number): ServerConnectionHandler | undefined {
    return this.#accepted[id]?.handler as ServerConnectionHandler | undefined;
  }

  #closed(id: number, close: CloseInfo): void {
    const connection = this.#find(id | 0);
    if (connection === undefined) return;
    if (id >= JS_OWNED_ID) {
      // The endpoint lasts until the engine has done with it: what was sent may still be leaving.
      this.#clients.delete(id);
      this.#leaving.add(id);
    } else {
      this.#accepted[id] = undefined;
    }
    connection.onEnded();
    this.post(Down.release, id);
    connection.handler.onClosed(close);
  }

  #endClient(id: number): void {
    this.#clients.get(id)?.onEnded();
    if (this.#clients.delete(id)) this.#closeEndpoint();
  }

  #endListener(id: number): void {
    const listener = this.#listeners.get(id);
    for (const resolve of listener?.asked ?? []) resolve(undefined);
    for (const resolve of listener?.reloads ?? []) resolve('gone');
    if (this.#listeners.delete(id)) this.#closeEndpoint();
  }

  // -------------------------------------------------------------------------------- life of the native part

  #openEndpoint(): number {
    if (this.#native < 0) this.#start();
    clearTimeout(this.#idleTimer);
    if (this.#endpoints === 0) binding.setRef(this.#native, true);
    this.#endpoints += 1;
    const id = (JS_OWNED_ID | this.#nextId) >>> 0;
    this.#nextId = (this.#nextId % 0x7ffffffe) + 1;
    return id;
  }

  #closeEndpoint(): void {
    this.#endpoints -= 1;
    if (this.#endpoints > 0) return;
    binding.setRef(this.#native, false);
    this.#idleTimer = setTimeout(this.#stop, IDLE_STOP_MS).unref();
  }

  #start(): void {
    const capacity = this.#ownThread ? RING_BYTES.ownThread : RING_BYTES.thisThread;
    const up = new Ring(capacity);
    const down = new Ring(capacity);
    processQueue.count = binding.countQueuedBytes;
    this.#native = binding.start(up.memory, down.memory, this.#onDoorbell, this.#ownThread);
    this.#reader = new RingReader(up);
    this.#writer = new RingWriter(down);
    this.#waiting = [];
    this.#accepted = [];
    this.#turnScheduled = false;
    this.#turnBytes = 0;
    this.#sinceRelease = 0;
    binding.setRef(this.#native, false);
    // The engine finds us asleep, so that its first word rings.
    this.#reader.trySleep();
  }

  readonly #stop = (): void => {
    if (this.#endpoints > 0 || this.#native < 0) return;
    binding.stop(this.#native);
    this.#native = -1;
    this.#published.clear();
  };
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  // Not `instanceof`: a buffer may come from another realm (node:vm).
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

function encodeId(id: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(id).buffer);
}

/** A request has to fit into the ring, wherever that stands. */
function encodeRequest(strings: readonly string[]): Buffer {
  const bytes = encodeStrings(strings);
  if (bytes.length > MAX_REQUEST_BYTES) throw new Error('the request is too large');
  return bytes;
}

function toPairs(strings: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let n = 0; n + 1 < strings.length; n += 2) {
    pairs.push([strings[n] as string, strings[n + 1] as string]);
  }
  return pairs;
}

function toUpgradeInfo(
  id: number,
  port: number,
  secure: boolean,
  [ip = '', remoteAddress = '', method = '', target = '', certificate = '', ...rest]: string[],
): UpgradeInfo {
  const headers = toPairs(rest);
  return { id, ip, port, remoteAddress, method, target, secure, certificate, headers };
}

/** What is known of an accepted connection. */
interface Known {
  readonly ip: string;
  readonly details?: AcceptedDetails;
  readonly certificate: Buffer | undefined;
}

let lastText = '';

/** The same string as the last time if it says the same: most connections come from where others do. */
function sameText(text: string): string {
  if (text !== lastText) lastText = text;
  return lastText;
}

function toPeer(payload: Buffer): Known {
  // Behind a NUL there is the certificate of the client.
  const end = payload.indexOf(0);
  if (end < 0) return { ip: sameText(payload.toString('utf8')), certificate: undefined };
  const certificate = Buffer.from(payload.subarray(end + 1));
  return { ip: payload.toString('utf8', 0, end), certificate };
}

function toDetails([
  ip = '',
  remoteAddress = '',
  request = '',
  target = '',
  protocol = '',
  pem = '',
  ...rest
]: string[]): Known {
  const upgradeId = request === '' ? undefined : Number(request);
  const headers = rest.length > 0 ? toPairs(rest) : undefined;
  const certificate = pem === '' ? undefined : Buffer.from(pem);
  return { ip, details: { remoteAddress, upgradeId, target, protocol, headers }, certificate };
}

function answerStrings(answer: UpgradeAnswer): string[] {
  const isRefusal = 'status' in answer;
  const first = isRefusal
    ? [answer.body]
    : [flag(answer.protocol !== undefined), answer.protocol ?? ''];
  return [...first, ...answer.headers.flat()];
}

/** A copy, for the application to keep; the way that is the quickest for its size. */
function copyOf(bytes: Uint8Array, offset: number, size: number): ArrayBuffer {
  if (size > 128) return bytes.slice(offset, offset + size).buffer as ArrayBuffer;
  const copy = new ArrayBuffer(size);
  new Uint8Array(copy).set(bytes.subarray(offset, offset + size));
  return copy;
}

/** A copy, for the application to keep. */
function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function rethrow(error: unknown): never {
  throw error;
}

/** Names and values by turns. */
function toStats(strings: readonly string[]): EngineStats {
  const stats = new Map<string, number>();
  for (let n = 0; n + 1 < strings.length; n += 2) {
    stats.set(strings[n] as string, Number(strings[n + 1]));
  }
  return stats;
}

function toFailure(strings: readonly string[]): EngineFailure {
  const [kind = 'network', phase = 'established', errno = '', detail = ''] = strings;
  return {
    kind: kind as FailureKind,
    phase: phase as Phase,
    errno: errno === '' ? '' : nameOfErrno(Number(errno)),
    detail,
  };
}

function toDrainReport(numbers: readonly string[]): DrainReport {
  const [closed = 0, cut = 0, refused = 0, milliseconds = 0] = numbers.map(Number);
  return { closed, cut, refused, milliseconds };
}

function clientStrings(config: ClientConfig): string[] {
  return [
    ...config.addresses.flatMap((address) => ['address', address]),
    ...['port', String(config.port), 'tls', flag(config.tls), 'host', config.host],
    ...['serverName', config.serverName, 'path', config.path, 'origin', config.origin],
    ...['protocol', config.protocol],
    ...config.headers.flatMap(([name, value]) => ['header', name, value]),
    ...['caPath', config.caPath, 'certPath', config.certPath, 'keyPath', config.keyPath],
    ...['keyPassword', config.keyPassword, 'caAddsToSystem', flag(config.caAddsToSystem)],
    ...['trust', config.trust, 'rules', config.rules],
    ...(config.minTlsVersion === undefined ? [] : ['minTlsVersion', String(config.minTlsVersion)]),
    ...(config.proxy === undefined ? [] : proxyStrings(config.proxy)),
    ...limitStrings(config.limits),
    ...limitStrings({
      pingIntervalMs: config.pingIntervalSeconds * 1000,
      pongTimeoutMs: config.pongTimeoutSeconds * 1000,
    }),
    ...deflateStrings(config.deflate),
  ];
}

function proxyStrings(proxy: ProxyConfig): string[] {
  return [
    ...proxy.addresses.flatMap((address) => ['proxyAddress', address]),
    ...['proxyPort', String(proxy.port), 'proxyUser', proxy.user],
    ...['proxyPassword', proxy.password],
  ];
}

function serverStrings(config: ServerConfig): string[] {
  return [
    ...config.listen.flatMap(listenStrings),
    ...['rules', config.rules],
    ...tlsStrings(config.tls),
    ...config.protocols.flatMap((protocol) => ['protocol', protocol]),
    ...['maxClients', String(config.maxClients)],
    ...['maxConnectionsPerClient', String(config.maxConnectionsPerClient)],
    ...['connectRateLimit', flag(config.connectRateLimit)],
    ...config.trustedProxies.networks.flatMap((network) => ['trustedProxy', network]),
    ...['proxyHeader', config.trustedProxies.header],
    ...['asksUpgrades', flag(config.asksUpgrades), 'keepsHeaders', flag(config.keepsHeaders)],
    ...['admissionName', config.admissionName, 'holds', flag(config.holds)],
    ...limitStrings(config.limits),
    ...limitStrings({ ...config.heartbeat }),
    ...['ratePolicy', config.ratePolicy],
    ...originStrings(config.allowedOrigins),
    ...deflateStrings(config.deflate),
  ];
}

function tlsStrings(tls: TlsConfig | undefined): string[] {
  if (tls === undefined) return [];
  const { certificates, clientCertificates, caPath } = tls;
  return [
    ...certificates.flatMap(({ hosts, certPath, keyPath, keyPassword }) => [
      ...['certificate', certPath, keyPath, keyPassword, String(hosts.length), ...hosts],
    ]),
    ...['clientCertificates', clientCertificates, 'caPath', caPath],
  ];
}

function listenStrings(address: ListenAddress): string[] {
  const options = Object.entries(address).filter(([, value]) => value !== undefined);
  return [
    ...['listen', ''],
    ...options.flatMap(([name, value]) => [
      ...['listenOption', name, typeof value === 'boolean' ? flag(value) : String(value)],
    ]),
  ];
}

function limitStrings(limits: Limits): string[] {
  return Object.entries(limits).flatMap(([name, value]) => ['limit', name, String(value)]);
}

/** An empty list is not the same as none. */
function originStrings(origins: readonly string[] | undefined): string[] {
  if (origins === undefined) return [];
  return ['allowedOrigins', '', ...origins.flatMap((origin) => ['allowedOrigin', origin])];
}

function deflateStrings(config: DeflateConfig | undefined): string[] {
  return Object.entries(config ?? {}).flatMap(([name, value]) => ['deflate', name, String(value)]);
}

function flag(value: boolean): string {
  return value ? '1' : '0';
}
