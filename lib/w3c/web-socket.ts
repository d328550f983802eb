/**
 * `WebSocket` of the WebSockets standard (§3) on the native client: arguments, states, attributes and events.
 * The connection behind it is `link.ts`.
 */

import { engines } from '../engines.js';
import { FLOW, type Flow } from '../flow.js';
import { node } from '../platform.js';
import { documented } from '../profile.js';
import { processSettings } from '../settings.js';
import type { Surroundings } from '../surroundings.js';
import type { Message } from '../transport.js';
import { isArrayBuffer, isShared } from '../validate.js';
import { type EventHandler, EventHandlers } from './event-handlers.js';
import { CloseEvent, ErrorEvent } from './events.js';
import { readInit, type WebSocketInit } from './init.js';
import { type Ending, Link } from './link.js';
import { credentialsOf, parseWebSocketUrl, syntaxError } from './url.js';

const surroundings: Surroundings = {
  profile: documented,
  transport: engines,
  platform: node,
  settings: processSettings,
};

const State = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
type State = (typeof State)[keyof typeof State];

/** What binary messages are received as. */
export type BinaryType = 'blob' | 'arraybuffer';

/** What `send` takes; anything else is sent as its text. */
export type WebSocketSendable = string | ArrayBuffer | ArrayBufferView | Blob;

/** The events by name. */
export interface WebSocketEventMap {
  /** The connection is open. */
  open: Event;
  /** A message came. */
  message: MessageEvent;
  /** The connection failed; `close` follows. */
  error: ErrorEvent;
  /** The connection has ended. */
  close: CloseEvent;
}

type AddArguments = Parameters<EventTarget['addEventListener']>;
type RemoveArguments = Parameters<EventTarget['removeEventListener']>;

/** An EventTarget whose listeners know the types of the events. */
interface WebSocketEventTarget extends EventTarget {
  /** Adds a listener of one of the events of `WebSocketEventMap`. */
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => unknown,
    options?: AddArguments[2],
  ): void;
  /** Adds a listener of any other event. */
  addEventListener(...args: AddArguments): void;
  /** Removes a listener of one of the events of `WebSocketEventMap`. */
  removeEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => unknown,
    options?: RemoveArguments[2],
  ): void;
  /** Removes a listener of any other event. */
  removeEventListener(...args: RemoveArguments): void;
}

const Base: { new (): WebSocketEventTarget; prototype: WebSocketEventTarget } = EventTarget;

/** RFC 6455 §5.5: 125 bytes less those of the code. */
const MAX_REASON_BYTES = 123;

/** The `WebSocket` of the WebSockets standard (§3.1) on the native client. */
export class WebSocket extends Base {
  /** Before `open`. */
  static readonly CONNECTING: 0 = 0;
  /** Messages can be sent. */
  static readonly OPEN: 1 = 1;
  /** `close` was called. */
  static readonly CLOSING: 2 = 2;
  /** The connection has ended, or never was. */
  static readonly CLOSED: 3 = 3;
  /** Before `open`. */
  declare readonly CONNECTING: 0;
  /** Messages can be sent. */
  declare readonly OPEN: 1;
  /** `close` was called. */
  declare readonly CLOSING: 2;
  /** The connection has ended, or never was. */
  declare readonly CLOSED: 3;

  static {
    const flow = function (this: WebSocket): Flow {
      return this.#link;
    };
    Object.defineProperty(WebSocket.prototype, FLOW, { value: flow });
  }

  readonly #url: URL;
  readonly #link: Link;
  readonly #handlers = new EventHandlers(this);
  readonly #signal: AbortSignal | undefined;
  #state: State = State.CONNECTING;
  #binaryType: BinaryType = 'blob';
  #protocol = '';
  #extensions = '';

  /**
   * Connects. `url` is absolute, with the scheme ws, wss, http or https, and without a fragment; user and
   * password in it are sent as `Authorization`.
   *
   * Throws a "SyntaxError" DOMException for another URL and for subprotocols that are no tokens or repeat,
   * and a TypeError for bad options, which are beyond the standard. Everything else is an `error` event and
   * a `close` event.
   */
  constructor(url: string | URL, protocols: string | Iterable<string> | WebSocketInit = []) {
    super();
    // biome-ignore lint/complexity/noArguments: `length` is 1, and undefined is an argument
    if (arguments.length === 0) throw new TypeError('a WebSocket needs a URL');
    this.#url = parseWebSocketUrl(`${url}`);
    const init = readInit(protocols, credentialsOf(this.#url));
    const owner = {
      onOpen: (protocol: string, extensions: string) => this.#onOpen(protocol, extensions),
      onMessage: (data: Message) => this.#onMessage(data),
      onEnd: (ending: Ending) => this.#onEnd(ending),
    };
    this.#link = new Link(owner, surroundings, this.#url, init);
    this.#signal = init.signal;
    this.#signal?.addEventListener('abort', this.#onAbort);
    if (this.#signal?.aborted) this.#onAbort();
  }

  /** The URL, as the URL standard writes it. */
  get url(): string {
    return this.#url.href;
  }

  /** `CONNECTING`, `OPEN`, `CLOSING` or `CLOSED`. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#state;
  }

  /**
   * Bytes of messages that `send` took and that have not left this process, frames not counted. Never falls
   * within a task; after the end it only grows.
   */
  get bufferedAmount(): number {
    return this.#link.bufferedBytes;
  }

  /** What the server agreed to of the extensions, as it wrote it; `''` before `open`. */
  get extensions(): string {
    return this.#extensions;
  }

  /** The subprotocol that the server chose; `''` before `open` and for none. */
  get protocol(): string {
    return this.#protocol;
  }

  /** Default `'blob'`. Anything but `'blob'` and `'arraybuffer'` is ignored. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  /** The handler of `open`. Default null. */
  get onopen(): EventHandler<WebSocket, Event> {
    return this.#handlers.get('open') as EventHandler<WebSocket, Event>;
  }

  set onopen(handler: EventHandler<WebSocket, Event>) {
    this.#handlers.set('open', handler);
  }

  /** The handler of `message`. Default null. */
  get onmessage(): EventHandler<WebSocket, MessageEvent> {
    return this.#handlers.get('message') as EventHandler<WebSocket, MessageEvent>;
  }

  set onmessage(handler: EventHandler<WebSocket, MessageEvent>) {
    this.#handlers.set('message', handler);
  }

  /** The handler of `error`. Default null. */
  get onerror(): EventHandler<WebSocket, ErrorEvent> {
    return this.#handlers.get('error') as EventHandler<WebSocket, ErrorEvent>;
  }

  set onerror(handler: EventHandler<WebSocket, ErrorEvent>) {
    this.#handlers.set('error', handler);
  }

  /** The handler of `close`. Default null. */
  get onclose(): EventHandler<WebSocket, CloseEvent> {
    return this.#handlers.get('close') as EventHandler<WebSocket, CloseEvent>;
  }

  set onclose(handler: EventHandler<WebSocket, CloseEvent>) {
    this.#handlers.set('close', handler);
  }

  /**
   * Sends one message: a string as text, buffers, views and Blobs as binary, in the order of the calls. The
   * bytes are copied. Throws an "InvalidStateError" DOMException before `open`; after `close` the message is
   * counted in `bufferedAmount` and dropped.
   */
  send(data: WebSocketSendable): void {
    // biome-ignore lint/complexity/noArguments: undefined is data, nothing is not, and `length` is 1
    if (arguments.length === 0) throw new TypeError('send needs data');
    const content = data instanceof Blob ? data : contentOf(data);
    if (this.#state === State.CONNECTING) {
      throw new DOMException('send before open', 'InvalidStateError');
    }
    const bytes = content instanceof Blob ? content.size : sizeOf(content);
    if (this.#state !== State.OPEN) this.#link.count(bytes);
    else this.#link.send(content instanceof Blob ? content.arrayBuffer() : content, bytes);
  }

  /**
   * Closes behind everything sent; before `open`, gives up. `code` is 1000 or 3000–4999, else an
   * "InvalidAccessError" DOMException; without one the close frame is empty, unless there is a reason. A
   * reason of more than 123 bytes is a "SyntaxError" DOMException.
   */
  close(...args: [code?: number, reason?: string]): void {
    const [code, reason] = args;
    const given = code === undefined ? undefined : clampedShort(code);
    const text = reason === undefined ? '' : `${reason}`;
    if (given !== undefined && given !== 1000 && (given < 3000 || given > 4999)) {
      throw new DOMException(`not 1000 or 3000–4999: ${given}`, 'InvalidAccessError');
    }
    if (Buffer.byteLength(text) > MAX_REASON_BYTES) {
      throw syntaxError(`the reason is longer than ${MAX_REASON_BYTES} bytes`);
    }
    this.#close(
      given ?? (text === '' ? undefined : 1000),
      text,
      () => new Error('closed before open'),
    );
  }

  #close(code: number | undefined, reason: string, whyUnopened: () => unknown): void {
    const before = this.#state;
    if (before >= State.CLOSING) return;
    this.#state = State.CLOSING;
    if (before === State.OPEN) this.#link.close(code, reason);
    else this.#link.fail(whyUnopened());
  }

  readonly #onAbort = (): void => {
    this.#close(undefined, '', () => this.#signal?.reason);
  };

  #onOpen(protocol: string, extensions: string): void {
    if (this.#state !== State.CONNECTING) return;
    this.#state = State.OPEN;
    this.#protocol = protocol;
    this.#extensions = extensions;
    this.dispatchEvent(new Event('open'));
  }

  #onMessage(received: Message): void {
    if (this.#state !== State.OPEN) return;
    const isText = typeof received === 'string' || this.#binaryType === 'arraybuffer';
    const data = isText ? received : new Blob([received]);
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#url.origin }));
  }

  #onEnd({ code, reason, error }: Ending): void {
    this.#state = State.CLOSED;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const wasClean = error === undefined;
    if (!wasClean) {
      const message = error instanceof Error ? error.message : String(error);
      this.dispatchEvent(new ErrorEvent('error', { error, message }));
    }
    this.dispatchEvent(new CloseEvent('close', { wasClean, code, reason }));
  }
}

// As WebIDL wants it: members are enumerable, constants on both sides and fixed.
for (const [name, value] of Object.entries(State)) {
  const constant = { value, enumerable: true };
  Object.defineProperty(WebSocket, name, { ...constant, writable: false, configurable: false });
  Object.defineProperty(WebSocket.prototype, name, constant);
}
for (const name of Object.getOwnPropertyNames(WebSocket.prototype)) {
  if (name !== 'constructor') {
    Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
  }
}
Object.defineProperty(WebSocket.prototype, Symbol.toStringTag, {
  value: 'WebSocket',
  configurable: true,
});

/** WebIDL's conversion to (BufferSource or USVString). */
function contentOf(data: unknown): string | Uint8Array {
  if (ArrayBuffer.isView(data)) {
    if (isShared(data.buffer)) throw new TypeError('the memory of the view is shared');
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return isArrayBuffer(data) ? new Uint8Array(data) : `${data as string}`;
}

function sizeOf(content: string | Uint8Array): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
}

/** WebIDL's conversion to [Clamp] unsigned short: the nearest, of two the even one. */
function clampedShort(value: unknown): number {
  const clamped = Math.min(Math.max(Number(value) || 0, 0), 0xffff);
  const rounded = Math.round(clamped);
  return rounded - clamped === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
