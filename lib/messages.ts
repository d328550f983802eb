/**
 * `messages`: the messages of a connection as an async iterable, for both sides. Beyond OHOS.
 */

import { businessError, endCause, parameterError } from './errors.js';
import { FLOW, type Flow, type HasFlow } from './flow.js';
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
   * Bytes of messages that wait for the loop before the peer is held up, 0 or more; text counts two bytes
   * for each UTF-16 unit. Default 1 MiB.
   */
  maxBufferedBytes?: number | undefined;
}

const DEFAULT_BUFFERED_BYTES = 1024 * 1024;

/**
 * The messages of a `WebSocket` of `ohos-websocket/w3c` (as `binaryType` has them), or of a connection of a
 * server, from now on: call it before the first one can come, in the `connect` event of a server.
 *
 * - The loop ends when the connection has ended with a closing handshake, else it throws: the error of the
 *   `error` event, or a BusinessError 2302999.
 * - A connection of a server that is iterated raises no `messageReceive`; its `close` event is as ever.
 * - Leaving the loop drops what waits for it and does not close the connection.
 * - With `binaryType: 'view'` the data of binary messages are views: `messages<string | Uint8Array>(…)`.
 * - A peer cannot send faster than the loop takes: while more than `maxBufferedBytes` wait, nothing is read of
 *   the connection (`WebSocketServer.pause`), until half of it is left. What had been read by then is added:
 *   at most 1 MiB of messages below 64 KiB (4 MiB with `threads`), 32 MiB of larger ones, and one more. The
 *   `message` events of a `WebSocket` wait with it, and so does its end.
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
  const tap = new PeerMessages(events, maxBytes, peer.connection);
  peer.events = tap;
  return tap.queue.take(() => {
    peer.events = events;
  });
}

/** Stands in for the events of a server while one connection is iterated. */
class PeerMessages implements PeerEvents {
  readonly queue: MessageQueue<Message>;
  readonly #events: PeerEvents;

  constructor(events: PeerEvents, maxBytes: number, flow: Flow) {
    this.#events = events;
    this.queue = new MessageQueue(maxBytes, flow);
  }

  onPeerMessage(_peer: ServerPeer, data: Message): void {
    this.queue.push(data, sizeOf(data));
  }

  onPeerDrained(peer: ServerPeer): void {
    this.#events.onPeerDrained(peer);
  }

  onPeerPing(peer: ServerPeer, data: ArrayBuffer): void {
    this.#events.onPeerPing(peer, data);
  }

  onPeerPong(peer: ServerPeer, data: ArrayBuffer): void {
    this.#events.onPeerPong(peer, data);
  }

  onPeerClosed(peer: ServerPeer, close: Parameters<PeerEvents['onPeerClosed']>[1]): void {
    this.queue.end(close.abnormal ? businessError('other', endCause(close.failure)) : undefined);
    this.#events.onPeerClosed(peer, close);
  }
}

function messagesOfSocket(socket: WebSocket, maxBytes: number) {
  if (socket.readyState > socket.OPEN) throw parameterError('the connection has ended');
  const queue = new MessageQueue<string | ArrayBuffer | Blob>(
    maxBytes,
    (socket as object as HasFlow)[FLOW](),
  );
  const onMessage = ({ data }: MessageEvent): void => queue.push(data, sizeOf(data));
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

function sizeOf(message: Message | Blob): number {
  if (typeof message === 'string') return message.length * 2;
  return message instanceof Blob ? message.size : message.byteLength;
}
