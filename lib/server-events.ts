/** The events of the server: their names and their arguments. */

import { type BusinessError, type ErrorCause, endCause, serverErrorEvent } from './errors.js';
import { callIsolated, type Listeners } from './listeners.js';
import { textBeforeNul } from './message-text.js';
import type { Profile } from './profile.js';
import type {
  ClientConnectionCloseCallback,
  ControlFrameCallback,
  WebSocketConnection,
  WebSocketMessage,
} from './server-types.js';
import type { CloseInfo, Message } from './transport.js';
import type { CloseResult } from './types.js';

export type ServerSlots = {
  connect: (connection: WebSocketConnection) => unknown;
  messageReceive: (message: WebSocketMessage<Message>) => unknown;
  close: (...args: Parameters<ClientConnectionCloseCallback>) => unknown;
  error: (error: BusinessError) => unknown;
  drain: (connection: WebSocketConnection) => unknown;
  ping: ControlFrameCallback;
  pong: ControlFrameCallback;
};

export const serverEventNames: readonly (keyof ServerSlots)[] = [
  'connect',
  'messageReceive',
  'close',
  'error',
  'drain',
  'ping',
  'pong',
];

/** Raises the events of one server. */
export class ServerEvents {
  readonly #current: Listeners<ServerSlots>['current'];
  readonly #profile: Profile;

  constructor(listeners: Listeners<ServerSlots>, profile: Profile) {
    this.#current = listeners.current;
    this.#profile = profile;
  }

  connected(connection: WebSocketConnection): void {
    callIsolated(this.#current.connect, connection);
  }

  /** The last event of its moment: what the listener throws is for the engine to handle. */
  message(data: Message, clientConnection: WebSocketConnection): void {
    const { messageReceive } = this.#current;
    if (messageReceive === undefined) return;
    const isCut = this.#profile.textEndsAtNul && typeof data === 'string';
    messageReceive({ data: isCut ? textBeforeNul(data) : data, clientConnection });
  }

  /** `error` if the connection ended without a close frame, then `close`. */
  closed(connection: WebSocketConnection, info: CloseInfo): void {
    if (info.abnormal) {
      const who = `${connection.clientIP}:${connection.clientPort}`;
      this.#error(`The connection of ${who} ended without a close frame`, endCause(info.failure));
    }
    const { code, reason } = info;
    const result = {
      code,
      ...(this.#profile.reportsReason ? { reason } : {}),
      closeReason: reason,
    };
    callIsolated(this.#current.close, connection, result as CloseResult);
  }

  drained(connection: WebSocketConnection): void {
    callIsolated(this.#current.drain, connection);
  }

  ping(connection: WebSocketConnection, data: ArrayBuffer): void {
    callIsolated(this.#current.ping, connection, data);
  }

  pong(connection: WebSocketConnection, data: ArrayBuffer): void {
    callIsolated(this.#current.pong, connection, data);
  }

  /** Whether anybody wants to hear of pings, and of pongs. */
  get watched(): { readonly pings: boolean; readonly pongs: boolean } {
    const { ping, pong } = this.#current;
    return { pings: ping !== undefined, pongs: pong !== undefined };
  }

  /** One refused connection; netstack reports it twice (S8). */
  refused(ip: string, httpStatus: number, detail: string): void {
    const cause: ErrorCause = { phase: 'handshake', errno: '', detail };
    for (let n = 0; n < this.#profile.errorEventsOfRefusal; n++) {
      this.#error(`A connection of ${ip} was refused with HTTP status ${httpStatus}`, cause);
    }
  }

  #error(what: string, cause: ErrorCause): void {
    if (this.#current.error === undefined) return;
    callIsolated(this.#current.error, serverErrorEvent(what, cause, this.#profile));
  }
}
