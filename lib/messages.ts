/**
 * `messages`: the messages of a connection as an async iterable, for both sides. Beyond OHOS.
 */

import { CloseCode } from './close-codes.js';
import {
  type BusinessError,
  businessError,
  endCause,
  parameterError,
  stateError,
} from './errors.js';
import { MessageQueue } from './message-queue.js';
import { type PeerEvents, peerOf, type ServerPeer } from './server-peer.js';
import type { WebSocketConnection } from './server-types.js';
import type { Message } from './transport.js';
import { isObject, mismatch } from './validate.js';
import type { CloseEvent, ErrorEvent } from './w3c/events.js';
import type { WebSocket } from './w3c/web-socket.js';

/** What `messages` may be told. */
export interface MessagesOptions {
  /**
   * Bytes of messages that may wait for the loop, 0 or more; text counts two bytes for each UTF-16 unit.
   * Default 16 MiB.
   */
  maxBufferedBytes?: number | undefined;
}

const DEFAULT_BUFFERED_BYTES = 16 * 1024 * 1024;
/** What a `WebSocket` closes with where a server sends 1008: a code that a client may use. */
const TOO_SLOW_CODE = 4008;
const TOO_SLOW = 'messages are not taken fast enough';

/**
 * The messages of a `WebSocket` of `ohos-websocket/w3c` (as `binaryType` has them), or of a connection of a
 * server, from now on: call it before the first one can come, in the `connect` event of a server.
 *
 * - The loop ends when the connection has ended with a closing handshake, else it throws: the error of the
 *   `error` event, or a BusinessError 2302999.
 * - A connection of a server that is iterated raises no `messageReceive`; its `close` event is as ever.
 * - Leaving the loop drops what waits for it and does not close the connection.
 * - With `binaryType: 'view'` the data of binary messages are views: `messages<string | Uint8Array>(…)`.
 * - A peer is not slowed down. When more than `maxBufferedBytes` would wait, the connection is closed (1008,
 *   a `WebSocket` 4008), and the loop throws a BusinessError 2302999 behind what waits: no gap goes unnoticed.
 *
 * BusinessError 401 for other arguments, and for a connection that has ended or is iterated already.
 */
export function messages(
  socket: WebSocket,
  options?: MessagesOptions,
): AsyncGenerator<string | ArrayBuffer | Blob, void, undefined>;
export function messages<Data extends Message = string | ArrayBuffer>(
  connection: WebSocketConnection,
  options?: MessagesOptions,
): AsyncGenerator<Data, void, undefined>;
export function messages(
  source: unknown,
  options: unknown = {},
): AsyncGenerator<Message | Blob, void, undefined> {
  const maxBytes = isObject(options)
    ? (options.maxBufferedBytes ?? DEFAULT_BUFFERED_BYTES)
    : options;
  if (typeof maxBytes !== 'number' || !(maxBytes >= 0)) {
    throw parameterError(mismatch('maxBufferedBytes', 'a number of at least 0', maxBytes));
  }
  const peer = isObject(source) ? peerOf(source) : undefined;
  if (peer !== undefined) return messagesOfPeer(peer, maxBytes);
  if (source instanceof EventTarget && 'bufferedAmount' in source) {
    return messagesOfSocket(source as WebSocket, maxBytes);
  }
  throw parameterError(mismatch('source', 'a WebSocket or a connection of a server', source));
}

function messagesOfPeer(peer: ServerPeer, maxBytes: number) {
  const events = peer.events;
  if (peer.state !== 'open' || events instanceof PeerMessages) {
    throw parameterError('the connection has ended or is iterated already');
  }
  const tap = new PeerMessages(events, maxBytes);
  peer.events = tap;
  return tap.queue.take(() => {
    peer.events = events;
  });
}

/** Stands in for the events of a server while one connection is iterated. */
class PeerMessages implements PeerEvents {
  readonly queue: MessageQueue<Message>;
  readonly #events: PeerEvents;

  constructor(events: PeerEvents, maxBytes: number) {
    this.#events = events;
    this.queue = new MessageQueue(maxBytes);
  }

  onPeerMessage(peer: ServerPeer, data: Message): void {
    if (this.queue.push(data, sizeOf(data))) return;
    this.queue.end(tooSlow());
    peer.close(CloseCode.policyViolation, TOO_SLOW);
  }

  onPeerClosed(peer: ServerPeer, close: Parameters<PeerEvents['onPeerClosed']>[1]): void {
    this.queue.end(close.abnormal ? businessError('other', endCause(close.failure)) : undefined);
    this.#events.onPeerClosed(peer, close);
  }
}

function messagesOfSocket(socket: WebSocket, maxBytes: number) {
  if (socket.readyState > socket.OPEN) throw parameterError('the connection has ended');
  const queue = new MessageQueue<string | ArrayBuffer | Blob>(maxBytes);
  const onMessage = ({ data }: MessageEvent): void => {
    if (queue.push(data, sizeOf(data))) return;
    queue.end(tooSlow());
    leave();
    socket.close(TOO_SLOW_CODE, TOO_SLOW);
  };
  const onError = ({ error }: ErrorEvent): void => queue.end(error);
  const onClose = (_event: CloseEvent): void => queue.end();
  const leave = (): void => {
    socket.removeEventListener('message', onMessage);
    socket.removeEventListener('error', onError);
    socket.removeEventListener('close', onClose);
  };
  socket.addEventListener('message', onMessage);
  socket.addEventListener('error', onError);
  socket.addEventListener('close', onClose);
  return queue.take(leave);
}

function tooSlow(): BusinessError {
  return stateError('other', TOO_SLOW);
}

function sizeOf(message: Message | Blob): number {
  if (typeof message === 'string') return message.length * 2;
  return message instanceof Blob ? message.size : message.byteLength;
}
