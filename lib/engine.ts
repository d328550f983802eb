/**
 * The transport over a native engine, which is started with the first endpoint and stopped a moment after
 * the last: the two rings, and who is behind which id. It reads what the engine tells and calls the
 * handlers; it knows nothing of the API above.
 *
 * A crossing into native code happens once a batch. Everything a turn of ours writes is shown to
 * the engine at its end, and the engine is woken only if it sleeps.
 */
import { binding } from './binding.js';
import {
  toDetails,
  toDrainReport,
  toFailure,
  toPairs,
  toPeer,
  toStats,
  toUpgradeInfo,
} from './engine-answers.js';
import {
  type ConnectionEngine,
  type ConnectionRules,
  EngineConnection,
  MAX_REASON_BYTES,
  NO_RULES,
} from './engine-connection.js';
import {
  answerStrings,
  clientStrings,
  encodeRequest,
  serverStrings,
  tlsStrings,
} from './engine-requests.js';
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
import { lengthOf, RING_HEAD_BYTES, Ring, RingReader, RingWriter } from './ring.js';
import { processQueue } from './send-queue.js';
import type { EngineStats } from './server-stats.js';
import type {
  ClientConfig,
  ClientHandler,
  CloseInfo,
  Connection,
  EngineFailure,
  EngineListener,
  Message,
  ServerConfig,
  ServerConnectionHandler,
  ServerHandler,
  Transport,
} from './transport.js';

/**
 * Powers of two. Between two threads: what a batch of large messages needs. On one thread it is shorter, so that what
 * is written stays in the processor's cache until it is read.
 */
const RING_BYTES = { ownThread: 1 << 22, thisThread: 1 << 20 };
/** Payloads of this size and more go beside the ring (`UpWriter::kLargeMessageBytes`). */
const LARGE_BYTES = 64 * 1024;
/**
 * A text of this length and more that is sent again, to whatever connection, is encoded and framed once: from its second
 * time on the engine keeps it, and the ring carries nothing but who gets it.
 */
const REPEATED_CHARS = 1024;
/**
 * Binary messages of this size and more are sent at once, from where they lie. Smaller ones are copied: it is worth
 * more that those of a turn leave together.
 */
const SEND_NOW_BYTES = 256 * 1024;
/** Views of binary messages lie in copies of the ring of at most so many bytes. */
const SLAB_BYTES = 64 * 1024;
/**
 * Room is given back, and what was sent is shown, after so many bytes read: so that both threads work at the same time,
 * or so that many messages leave together …
 */
const RELEASE_BYTES = { ownThread: 16 * 1024, thisThread: 256 * 1024 };
/** … and after so many bytes the event loop has its turn. */
const TURN_BYTES = 1 << 20;
/** An idle engine is stopped after this, so that quick reconnects do not pay for a thread. */
const IDLE_STOP_MS = 1000;

const EMPTY = new Uint8Array(0);
const NO_SLAB = new ArrayBuffer(0);

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

export class Engine implements Transport, ConnectionEngine {
  #native = -1;
  #reader!: RingReader;
  #writer!: RingWriter;
  #waiting: Waiting[] = [];
  /** The last text of at least `REPEATED_CHARS` in this turn of the event loop, its size, and whether the engine keeps it. */
  readonly #lastText = { text: '', bytes: 0, kept: false };
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
    const size = lengthOf(bytes);
    if (size >= LARGE_BYTES) {
      const token = this.#putBytes(bytes, size);
      this.post(Down.publishLargeBinary, topic, encodeId(but), 0, token);
    } else if (
      this.#waiting.length > 0 ||
      !this.#writer.writeBytes(Down.publishBinary, topic, bytes, 0, but)
    ) {
      this.#wait(Down.publishBinary, topic, new Uint8Array(bytes), 0, but);
    } else {
      this.#scheduleFlush();
    }
    return size;
  }

  /** Writes one message; the number of its payload bytes. */
  write(id: number, data: string | ArrayBuffer | ArrayBufferView): number {
    if (typeof data === 'string') return this.#writeText(id, data);
    const bytes = bytesOf(data);
    const size = lengthOf(bytes);
    if (size >= LARGE_BYTES) {
      this.#writeLarge(id, bytes, size);
    } else if (this.#waiting.length > 0 || !this.#writer.writeBytes(Down.binary, id, bytes)) {
      this.#wait(Down.binary, id, new Uint8Array(bytes));
    } else {
      this.#scheduleFlush();
    }
    return size;
  }

  #writeLarge(id: number, given: Uint8Array, size: number): void {
    const bytes = unshared(given);
    const isWorthTrying = size >= SEND_NOW_BYTES && id < JS_OWNED_ID && !this.#ownThread;
    if (isWorthTrying && this.#waiting.length === 0) {
      const owesDoorbell = this.#writer.publish();
      if (binding.sendBytes(this.#native, id, bytes.buffer, bytes.byteOffset, size)) return;
      if (owesDoorbell) binding.wake(this.#native);
    }
    this.post(Down.largeBinary, id, EMPTY, 0, this.#putBytes(bytes, size));
  }

  #putBytes(given: Uint8Array, size: number): number {
    const bytes = unshared(given);
    return binding.putBytes(this.#native, bytes.buffer, bytes.byteOffset, size);
  }

  #writeText(id: number, text: string): number {
    if (text.length >= LARGE_BYTES) {
      this.post(Down.largeText, id, EMPTY, 0, binding.putText(this.#native, text));
      return Buffer.byteLength(text);
    }
    if (text.length < REPEATED_CHARS || id >= JS_OWNED_ID) return this.#writeSmallText(id, text, 0);
    const last = this.#lastText;
    if (last.text !== text) {
      if (last.text === '') setImmediate(this.#forgetText).unref();
      last.text = text;
      last.kept = false;
      last.bytes = this.#writeSmallText(id, text, 0);
    } else if (last.kept) {
      this.post(Down.sameText, id);
    } else {
      last.kept = true;
      this.#writeSmallText(id, text, 1);
    }
    return last.bytes;
  }

  /** A text may be a piece of a larger one, which it keeps alive. */
  readonly #forgetText = (): void => {
    this.#lastText.text = '';
  };

  #writeSmallText(id: number, text: string, keep: number): number {
    if (this.#waiting.length === 0) {
      const size = this.#writer.writeText(Down.text, id, text, keep);
      if (size >= 0) {
        this.#scheduleFlush();
        return size;
      }
    }
    const bytes = Buffer.from(text, 'utf8');
    this.#wait(Down.text, id, bytes, 0, keep);
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
    const releaseBytes = this.#ownThread ? RELEASE_BYTES.ownThread : RELEASE_BYTES.thisThread;
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
        if (this.#sinceRelease >= releaseBytes) {
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
        collectYoungBuffers();
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
    this.#lastText.text = '';
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
  // A view of its own costs more than a short message; but what there is may come from another realm (node:vm).
  if (data instanceof Uint8Array) return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** Shared memory cannot cross the border: it is copied first. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);
}

/**
 * V8 looks whether many bytes of young ArrayBuffers are there to be collected when it makes one itself, not
 * when it is given memory, as for a large message. Then it would collect the whole heap once those have grown
 * to be too many.
 */
function collectYoungBuffers(): ArrayBuffer {
  return new ArrayBuffer(1);
}

function encodeId(id: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(id).buffer);
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
