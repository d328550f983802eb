/** The events of the server: their names and their arguments. */

import { serverChannels } from './diagnostics.js';
import { type BusinessError, type ErrorCause, endCause, serverErrorEvent } from './errors.js';
import { callIsolated, type Listeners } from './listeners.js';
import { textBeforeNul } from './message-text.js';
import type { Profile } from './profile.js';
import type { ServerPeer } from './server-peer.js';
import type {
  ClientConnectionCloseCallback,
  ControlFrameCallback,
  WebSocketConnection,
  WebSocketMessage,
  WebSocketServer,
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
  /** Whose events they are, for those who listen to channels. */
  readonly #server: WebSocketServer;

  constructor(listeners: Listeners<ServerSlots>, profile: Profile, server: WebSocketServer) {
    this.#current = listeners.current;
    this.#profile = profile;
    this.#server = server;
  }

  connected(peer: ServerPeer): void {
    const { open } = serverChannels;
    if (open.hasSubscribers) open.publish({ server: this.#server, connection: peer.address });
    const { connect } = this.#current;
    if (connect !== undefined) callIsolated(connect, peer.address);
  }

  /** The last event of its moment: what the listener throws is for the engine to handle. */
  message(data: Message, clientConnection: WebSocketConnection): void {
    const { messageReceive } = this.#current;
    if (messageReceive === undefined) return;
    const isCut = this.#profile.textEndsAtNul && typeof data === 'string';
    messageReceive({ data: isCut ? textBeforeNul(data) : data, clientConnection });
  }

  /** `error` if the connection ended without a close frame, then `close`. */
  closed(peer: ServerPeer, info: CloseInfo): void {
    const { code, reason, abnormal } = info;
    const channel = serverChannels.close;
    if (channel.hasSubscribers) {
      channel.publish({
        server: this.#server,
        connection: peer.address,
        code,
        reason,
        abnormal,
      });
    }
    if (abnormal) {
      const who = `${peer.ip}:${peer.port}`;
      this.#error(`The connection of ${who} ended without a close frame`, endCause(info.failure));
    }
    const { close } = this.#current;
    if (close === undefined) return;
    const result = {
      code,
      ...(this.#profile.reportsReason ? { reason } : {}),
      closeReason: reason,
    };
    callIsolated(close, peer.address, result as CloseResult);
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

  /** A message has to wait behind others, or is refused; `settled` when it has to no more. */
  async heldUp(peer: ServerPeer, settled: Promise<unknown>): Promise<void> {
    if (peer.isHeldUp) return;
    peer.isHeldUp = true;
    const { backPressure } = serverChannels;
    const message = { server: this.#server, connection: peer.address };
    backPressure.publish({ ...message, phase: 'begin' });
    await settled.catch(() => {});
    peer.isHeldUp = false;
    backPressure.publish({ ...message, phase: 'end' });
  }

  /** One refused connection; netstack reports it twice (S8). */
  refused(ip: string, httpStatus: number, detail: string): void {
    const { refuse } = serverChannels;
    if (refuse.hasSubscribers) {
      refuse.publish({ server: this.#server, clientIP: ip, httpStatus, reason: detail });
    }
    const cause: ErrorCause = { phase: 'handshake', errno: '', detail };
    for (let n = 0; n < this.#profile.errorEventsOfRefusal; n++) {
      this.#error(`A connection of ${ip} was refused with HTTP status ${httpStatus}`, cause);
    }
  }

  #error(what: string, cause: ErrorCause): void {
    const channel = serverChannels.error;
    if (this.#current.error === undefined && !channel.hasSubscribers) return;
    const error = serverErrorEvent(what, cause, this.#profile);
    if (channel.hasSubscribers) channel.publish({ server: this.#server, error });
    callIsolated(this.#current.error, error);
  }
}
