/**
 * The transport over a native engine, which is started with the first endpoint and stopped a moment after
 * the last: who is behind which id. It reads what the engine tells and calls the handlers; what the engine is
 * told goes through its `EngineWriter`. It knows nothing of the API above. Hot path.
 *
 * Invariants:
 *  1. Records are read in their order, each once, whatever its handler throws.
 *  2. An event of a client is a task of its own, as on a device: what its handler's promises lead to happens
 *     before the next event. A server's events come in batches, and native code is crossed into once a batch.
 *  3. A record's bytes are the ring's until room is given back: a handler gets copies, or memory of its own.
 *  4. What handlers write is shown to the engine at the latest when reading ends for now.
 *  5. Nobody sleeps while something can be read (`RingReader.trySleep`), nor reads more than `TURN_BYTES`, by
 *     whatever way they came, before the event loop has its turn, however often the engine rings in one.
 */

import { binding } from './binding.js';
import { toFailure, toPairs } from './engine-answers.js';
import { type ConnectionEngine, EngineConnection, NO_RULES } from './engine-connection.js';
import { EngineListener, type ListenerEngine } from './engine-listener.js';
import { clientStrings, encodeRequest, serverStrings } from './engine-requests.js';
import { EngineWriter } from './engine-writer.js';
import { clearTimeout, nextTick, setImmediate, setTimeout, soon } from './later.js';
import { MessageViews } from './message-views.js';
import { PublishQueue } from './publish-queue.js';
import {
  ABNORMAL,
  ASCII_ONLY,
  Down,
  decodeStrings,
  HEADER_BYTES,
  JS_OWNED_ID,
  LOCAL_CLOSE,
  NEW_BLOCK,
  PAD,
  type RareRecord,
  recordBytes,
  Up,
} from './records.js';
import { Ring, RingReader } from './ring.js';
import { processQueue } from './send-queue.js';
import type {
  ClientConfig,
  ClientHandler,
  CloseInfo,
  Connection,
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
/**
 * Room is given back, and what was sent is shown, after so many bytes read: so that both threads work at the same time,
 * or so that many messages leave together …
 */
const RELEASE_BYTES = { ownThread: 16 * 1024, thisThread: 256 * 1024 };
/** … and after so many bytes the event loop has its turn. */
const TURN_BYTES = 1 << 20;
/** An idle engine is stopped after this, so that quick reconnects do not pay for a thread. */
const IDLE_STOP_MS = 1000;

/** Those that run. */
const running = new Set<Engine>();

/** The process ends, and nobody's tick comes any more: what was sent leaves as far as the system takes it. */
function showAll(): void {
  for (const engine of running) engine.showAtEnd();
}

/** Why a turn of reading ended. */
const ReadEnd = { asleep: 0, bound: 1, clientEvent: 2 } as const;
type ReadEnd = (typeof ReadEnd)[keyof typeof ReadEnd];

export class Engine implements Transport, ConnectionEngine, ListenerEngine {
  #native = -1;
  #reader!: RingReader;
  #views!: MessageViews;
  #writer!: EngineWriter;
  #turnScheduled = false;
  /** Bytes read since the event loop last had its turn, and since room was last given back. */
  #turnBytes = 0;
  #sinceRelease = 0;
  /** In the turn under way. */
  #recordsRead = 0;
  #endpoints = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  /** Accepted connections by the engine's id, clients and listeners by ours. */
  #accepted: (EngineConnection | undefined)[] = [];
  readonly #clients = new Map<number, EngineConnection>();
  /** The one that was looked for last: messages of one client come together. */
  #recentClient: EngineConnection | undefined;
  readonly #listeners = new Map<number, EngineListener>();
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
    const listener = new EngineListener(this, id, config, handler);
    this.#listeners.set(id, listener);
    this.post(Down.listen, id, strings);
    return listener;
  }

  publish(
    topic: number,
    data: string | ArrayBuffer | ArrayBufferView,
    except: Connection | undefined,
  ): Promise<void> | undefined {
    if (this.#native < 0) return undefined;
    const but = except instanceof EngineConnection && except.publisher === this ? except.id : 0;
    return this.#published.add(this.#writer.publish(topic, data, but));
  }

  write(id: number, data: string | ArrayBuffer | ArrayBufferView): number {
    return this.#writer.write(id, data);
  }

  post(kind: number, id: number, payload?: Uint8Array, aux?: number, arg?: number): void {
    this.#writer.post(kind, id, payload, aux, arg);
  }

  // ------------------------------------------------------------------------------ what the engine tells

  /** `again`: the event loop had no turn since the last time. */
  readonly #onDoorbell = (again = false): void => {
    if (this.#native < 0 || this.#turnScheduled) return;
    if (!again) this.#turnBytes = 0;
    this.#turn();
  };

  readonly #nextTurn = (): void => {
    this.#turnScheduled = false;
    if (this.#native >= 0) this.#turn();
  };

  /** Runs as a microtask; the tick that it asks for comes when all microtasks have run. */
  readonly #afterMicrotasks = (): void => {
    nextTick(this.#nextTurn);
  };

  #turn(): void {
    this.#recordsRead = 0;
    this.#writer.beginReading();
    const end = this.#read();
    switch (end) {
      case ReadEnd.clientEvent:
        this.#turnScheduled = true;
        soon(this.#afterMicrotasks);
        if (this.#reader.end() === this.#reader.position) this.#writer.endReading(false);
        else this.#writer.pauseReading();
        return;
      case ReadEnd.bound:
        this.#turnBytes = 0;
        this.#turnScheduled = true;
        setImmediate(this.#nextTurn);
        break;
      case ReadEnd.asleep:
        break;
    }
    this.#views.drop();
    this.#writer.endReading(this.#recordsRead > 1);
  }

  /** Reads what there is, within bounds. */
  #read(): ReadEnd {
    const reader = this.#reader;
    const { words } = reader.ring;
    const releaseBytes = this.#ownThread ? RELEASE_BYTES.ownThread : RELEASE_BYTES.thisThread;
    for (;;) {
      const end = reader.end();
      while (reader.position !== end) {
        const offset = reader.offsetOf(reader.position);
        const at = offset >> 2;
        const head = words[at] as number;
        const id = words[at + 1] as number;
        const size = words[at + 2] as number;
        if ((head & 0xff) !== PAD) {
          try {
            this.#dispatch(head, id, size, words[at + 3] as number, offset + HEADER_BYTES);
          } catch (error) {
            // A handler's exception is its own: it surfaces as uncaught, and the next event follows.
            nextTick(rethrow, error);
          }
        }
        const bytes = recordBytes(size);
        reader.position = (reader.position + bytes) >>> 0;
        this.#turnBytes += bytes;
        this.#sinceRelease += bytes;
        this.#recordsRead += 1;
        if (this.#sinceRelease >= releaseBytes) {
          this.#sinceRelease = 0;
          if (reader.release()) binding.wake(this.#native);
          this.#writer.flush();
          if (this.#turnBytes >= TURN_BYTES) return ReadEnd.bound;
        }
        // Invariant 2.
        if (id < 0 && (head & 0xff) !== PAD) return ReadEnd.clientEvent;
      }
      this.#sinceRelease = 0;
      if (reader.release()) binding.wake(this.#native);
      // Who sleeps is rung again, maybe in the same turn of the event loop.
      if (this.#turnBytes >= TURN_BYTES) return ReadEnd.bound;
      if (reader.trySleep()) return ReadEnd.asleep;
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
          ? this.#views.ofRing(size)
          : toArrayBuffer(new Uint8Array(this.#reader.ring.memory, offset, size));
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
        const bytes = this.#takeBytes(arg);
        this.#countBeside(bytes.byteLength);
        const connection = this.#find(id);
        connection?.handler.onMessage(connection.wantsViews ? new Uint8Array(bytes) : bytes);
        return;
      }
      case Up.lentBinary: {
        const { words } = this.#reader.ring;
        const at = offset >> 2;
        const bytes = words[at + 1] as number;
        this.#countBeside(bytes);
        this.#reader.countLent(bytes);
        if (flags & NEW_BLOCK) this.#takeBlock(arg);
        this.#find(id)?.handler.onMessage(this.#views.lent(words[at] as number, bytes));
        return;
      }
      case Up.drained:
        this.#find(id)?.onDrained();
        return;
      default:
        this.#dispatchRare({
          kind: head & 0xff,
          flags,
          aux: head >>> 16,
          id: id >>> 0,
          arg: arg >>> 0,
          payload: this.#reader.ring.buffer.subarray(offset, offset + size),
        });
    }
  }

  #takeBlock(token: number): void {
    // If it cannot be had, no message of it is taken for one of the block before.
    this.#views.lendFrom(undefined);
    this.#views.lendFrom(this.#takeBytes(token));
  }

  #takeBytes(token: number): ArrayBuffer {
    const bytes = binding.takeBytes(this.#native, token >>> 0);
    collectYoungBuffers();
    return bytes;
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
    if (id >= 0) return this.#accepted[id];
    const client = id >>> 0;
    if (this.#recentClient?.id !== client) this.#recentClient = this.#clients.get(client);
    return this.#recentClient;
  }

  #dispatchRare(record: RareRecord): void {
    const { kind, flags, aux, id, arg, payload } = record;
    switch (kind) {
      case Up.started: {
        const failure = payload.length === 0 ? undefined : toFailure(decodeStrings(payload));
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
        const abnormal = (flags & ABNORMAL) !== 0;
        const isOurs = (flags & LOCAL_CLOSE) !== 0;
        const reason = (isOurs ? this.#find(id | 0)?.closeReason : undefined) ?? given;
        const close: CloseInfo = abnormal
          ? { code: aux, reason, abnormal, peer, failure: toFailure(failure) }
          : { code: aux, reason, abnormal, peer };
        this.#closed(id, close);
        return;
      }
      case Up.accepted: {
        const listener = this.#listeners.get(arg);
        const connection = new EngineConnection(this, id, listener?.config ?? NO_RULES);
        this.#accepted[id] = connection;
        listener?.onAccepted(connection, record);
        return;
      }
      case Up.published:
        this.#published.onPublished();
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
      case Up.listening:
      case Up.refused:
      case Up.upgradeRequest:
      case Up.upgradeEnded:
      case Up.reloaded:
      case Up.stats:
      case Up.stopped:
        this.#listeners.get(id)?.onRecord(record);
        return;
      default:
        throw new Error(`ohos-websocket: unknown record ${kind}`);
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
      this.#forgetClient(id);
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
    if (this.#forgetClient(id)) this.#closeEndpoint();
  }

  #forgetClient(id: number): boolean {
    this.#recentClient = undefined;
    return this.#clients.delete(id);
  }

  onListenerEnded(id: number): void {
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
    this.#views = new MessageViews(this.#reader);
    this.#writer = new EngineWriter(this.#native, down, this.#ownThread);
    this.#accepted = [];
    this.#turnScheduled = false;
    this.#turnBytes = 0;
    this.#sinceRelease = 0;
    binding.setRef(this.#native, false);
    // The engine finds us asleep, so that its first word rings.
    this.#reader.trySleep();
    if (running.size === 0) process.on('exit', showAll);
    running.add(this);
  }

  showAtEnd(): void {
    this.#writer.showAtOnce();
  }

  readonly #stop = (): void => {
    if (this.#endpoints > 0 || this.#native < 0) return;
    binding.stop(this.#native);
    this.#native = -1;
    // Nobody reads the ring any more.
    this.#writer.end();
    this.#published.clear();
    running.delete(this);
    if (running.size === 0) process.off('exit', showAll);
  };
}

/**
 * V8 looks whether many bytes of young ArrayBuffers are there to be collected when it makes one itself, not
 * when it is given memory, as for a large message. Then it would collect the whole heap once those have grown
 * to be too many.
 */
function collectYoungBuffers(): ArrayBuffer {
  return new ArrayBuffer(1);
}

/** A copy, for the application to keep. V8 does not clear memory first that it fills from an array. */
function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function rethrow(error: unknown): never {
  throw error;
}
