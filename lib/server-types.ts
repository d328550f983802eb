/**
 * Public types of the server: the object, its connections and the values of its events. No values.
 */

import type {
  ServerCert,
  WebSocketHostCertificate,
  WebSocketListenAddress,
  WebSocketListenConfig,
  WebSocketServerConfig,
} from './server-config-types.js';
import type { WebSocketServerStats } from './server-stats.js';
import type {
  Callback,
  CloseResult,
  ErrorCallback,
  WebSocketCloseOptions,
  WebSocketData,
} from './types.js';

/** Beyond OHOS. A certificate of a client: an `X509Certificate` of `node:crypto`, with all that it has. */
export interface WebSocketClientCertificate {
  /** Whom it names, a line for each part. */
  readonly subject: string;
  /** Further names of the same. */
  readonly subjectAltName?: string | undefined;
  /** Who has signed it. */
  readonly issuer: string;
  /** Hexadecimal, from its issuer. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, in pairs of digits with colons between. */
  readonly fingerprint256: string;
  /** First moment, as OpenSSL writes it. */
  readonly validFrom: string;
  /** Last moment, in the same way. */
  readonly validTo: string;
  /** In DER. */
  readonly raw: Uint8Array;
  /** In PEM. */
  toString(): string;
}

/** Beyond OHOS. What `reloadCertificates` exchanges; what is left out is read again. */
export interface WebSocketServerCertificates {
  /** In place of that of `start`. */
  serverCert?: ServerCert | undefined;
  /** In place of those of `start`. */
  certificates?: readonly WebSocketHostCertificate[] | undefined;
  /** Only where clients are asked for certificates. */
  caPath?: string | undefined;
}

/**
 * A connection of a server, known by its address. The objects that the events hand out are the
 * quickest to use in `send` and `close`; any other object with the same address and port will do.
 * Since API 19 (API reference, `WebSocketConnection`).
 */
export interface WebSocketConnection {
  /** IPv4 or IPv6 address of the peer. */
  clientIP: string;
  /** Its port. */
  clientPort: number;
  /**
   * Beyond OHOS, as all below. These are there in the objects that events and `listAllConnections` hand out,
   * not enumerable, so that such an object is equal to one with the two fields above, and lost in copies.
   *
   * The certificate that the client has proved to be its own, verified against `caPath`; undefined without one.
   */
  readonly clientCertificate?: WebSocketClientCertificate | undefined;
  /** A number of its own, from 1; never given to another connection of this thread. */
  readonly id?: number;
  /** The path of its request as it came, with the query. Undefined in the netstack profile. */
  readonly path?: string | undefined;
  /** The subprotocol that was agreed on, `''` for none. Undefined in the netstack profile. */
  readonly protocol?: string | undefined;
  /**
   * The headers of its request, as `UpgradeRequest.headers`; undefined unless
   * `WebSocketServerConfig.keepHeaders` asks for them.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The client's IP address: as `UpgradeRequest.remoteAddress`. */
  readonly remoteAddress?: string;
  /** The application's: any value; undefined at first. Kept as long as this object is. */
  data?: unknown;
}

/** Beyond OHOS. What `publish` may be told. */
export interface PublishOptions {
  /** Does not get the message. One that is no connection (any more) changes nothing. */
  except?: WebSocketConnection | undefined;
}

/** Value of the `messageReceive` event. Since API 19 (API reference, `WebSocketMessage`). */
export interface WebSocketMessage<Data = string | ArrayBuffer> {
  /**
   * A string for a text message, an ArrayBuffer for a binary one. Beyond OHOS: a Uint8Array instead with
   * `binaryType: 'view'`.
   */
  data: Data;
  /** Where it came from. */
  clientConnection: WebSocketConnection;
}

/**
 * Takes a connection that has ended, and how. The result has OpenHarmony's `closeReason` too, equal
 * to `reason` (S4). Since API 19 (API reference, `ClientConnectionCloseCallback`).
 */
export type ClientConnectionCloseCallback = (
  clientConnection: WebSocketConnection,
  closeReason: CloseResult,
) => void;

/** Beyond OHOS. How `stop` drains a server. */
export interface WebSocketStopOptions {
  /** Seconds, 0–86,400, fractions too. 0 sends what the operating system takes at once. */
  drain: number;
  /** Of the close frames: 1000–1003, 1007–1014, 3000–4999. Default 1001. (RFC 6455 §7.4.) */
  code?: number | undefined;
  /** Of the close frames, at most 123 bytes of UTF-8. Default `server is going away`. */
  reason?: string | undefined;
}

/** Beyond OHOS. What became of the connections of a server that was drained. */
export interface WebSocketStopReport {
  /** Connections that ended before the deadline, in whatever way. */
  closed: number;
  /** Connections that had not ended by then. What they had not taken is lost. */
  cut: number;
  /** Requests that came meanwhile and were answered with 503. */
  refused: number;
  /** From the call to the end of the last connection. */
  milliseconds: number;
}

/**
 * Beyond OHOS. Takes the bytes of a ping or pong, of which there may be none.
 */
export type ControlFrameCallback = (
  clientConnection: WebSocketConnection,
  data: ArrayBuffer,
) => void;

/**
 * A server. Methods never throw, except `on`, `off` and `bufferedAmount`: they reject with a
 * `BusinessError`. A running server keeps the process alive. It can be started again after it was
 * stopped and keeps its listeners. Since API 19.
 */
export interface WebSocketServer {
  /**
   * Beyond OHOS. The port the server listens on, the first one if there are several; undefined while
   * it does not run, or has none.
   */
  readonly port: number | undefined;

  /** Beyond OHOS. Where the server listens, with the ports it got; empty while it does not run. */
  readonly listening: readonly WebSocketListenAddress[];

  /**
   * Starts to listen; `true` when it does.
   *
   * Errors, in this order: 401 arguments; 2302004 address; 2302005 port; 2302999 limits; 2302002 a
   * certificate file; 2302007 the port is taken, also by this server; 2302999 this server runs
   * already on another port (S12).
   */
  start(config: WebSocketServerConfig | WebSocketListenConfig): Promise<boolean>;

  /**
   * Sends one message to one connection. `true` says that it was accepted; messages leave in the
   * order of the calls. Awaiting the result slows a fast sender down to what the connection
   * carries.
   *
   * Errors: 401 arguments or size; 2302006 there is no such connection; −1 it is closing, or
   * `clientIP` is empty; 2302999 too much waits already, only with a `backPressure` that says so.
   */
  send(data: WebSocketData, connection: WebSocketConnection): Promise<boolean>;

  /**
   * Closes one connection; the `close` event follows. Messages that arrive after the call are
   * dropped.
   *
   * Errors: 401 arguments; 2302006 there is no such connection; 2302999 it is closing already, or
   * `clientIP` is empty.
   */
  close(connection: WebSocketConnection, options?: WebSocketCloseOptions): Promise<boolean>;

  /**
   * Beyond OHOS. From now on this connection gets what is published to the topic, once, however often it
   * is called. It leaves its topics by itself when it ends. `true` in any case that is no error.
   *
   * `topic`: a name that is not empty, of at most `limits.topicBytes` bytes (256); all characters are
   * alike, there are no patterns. A topic is there as long as it has subscribers.
   *
   * Errors: 401 arguments; 2302006 there is no such connection; −1 it is closing, or `clientIP` is
   * empty; 2302999 it has `limits.topicsPerConnection` topics (1024) already.
   */
  subscribe(connection: WebSocketConnection, topic: string): Promise<boolean>;

  /**
   * Beyond OHOS. From now on this connection does not get what is published to the topic. `true`, also
   * where it did not subscribe. Errors: 401, 2302006 and −1 as for `subscribe`.
   */
  unsubscribe(connection: WebSocketConnection, topic: string): Promise<boolean>;

  /**
   * Beyond OHOS. Sends one message to every connection that subscribes to the topic. It is copied, framed and,
   * for connections that keep no context, compressed once. Each connection gets what is published and sent
   * to it in the order of the calls. `true` says that it was accepted, also where nobody subscribes.
   *
   * Awaiting the result slows a fast publisher down to what this machine carries (it waits where more than
   * 1 MiB is ahead of the engine), not to what a subscriber reads: one where more than `limits.queuedBytes`
   * of published messages would wait is closed with 1008 on the wire, without what has not begun to leave;
   * `error` and `close` follow. `backPressure` is not asked.
   *
   * Errors: 401 arguments or size; 2302999 not running.
   */
  publish(topic: string, data: WebSocketData, options?: PublishOptions): Promise<boolean>;

  /** Beyond OHOS. The same to every connection. Errors: 401 arguments or size; 2302999 not running. */
  broadcast(data: WebSocketData): Promise<boolean>;

  /**
   * Beyond OHOS. How many connections subscribe to the topic, closing ones until their `close` event included;
   * 0 for what is no topic. Never throws.
   */
  subscriberCount(topic: string): number;

  /**
   * Beyond OHOS. The topics that have subscribers, in the order in which they came up; or those that one
   * connection subscribes to, in the order of its calls, none for what is no connection. Never throws.
   */
  topics(connection?: WebSocketConnection): string[];

  /**
   * Beyond OHOS. Bytes given to `send` for this connection that are not known to have left the process,
   * frame headers not counted. Whether they have left is asked with this call: what has is not counted
   * from the next turn of the event loop on. 0 for a connection that has ended. Throws 401 for another
   * argument.
   */
  bufferedAmount(connection: WebSocketConnection): number;

  /**
   * Beyond OHOS. Reads nothing more of this connection, so that its TCP window fills and the peer has to
   * wait. Nothing is gathered meanwhile, but messages that had been read when the engine hears of this
   * still come. Pausing a paused connection is no error.
   *
   * A paused connection is not known to have ended, its pings and its close frame are not read, until
   * `resume`; only what cannot be written tells of a lost peer, at the latest the heartbeat, which goes on
   * and waits for no pong. `close` and `stop` end the pause: the rest of what came is read and dropped.
   *
   * Errors: 401 arguments; 2302006 there is no such connection; 2302999 it is closing already.
   */
  pause(connection: WebSocketConnection): Promise<boolean>;

  /** Beyond OHOS. Reads on. No error if it was not paused; else as `pause`. */
  resume(connection: WebSocketConnection): Promise<boolean>;

  /**
   * Beyond OHOS. Sends a ping with up to 125 bytes (RFC 6455 §5.5), text as UTF-8; it overtakes the
   * messages that wait. The peer answers with a `pong` of the same bytes.
   *
   * Errors: 401 arguments or size; 2302006 there is no such connection; −1 it is closing.
   */
  ping(connection: WebSocketConnection, data?: WebSocketData): Promise<boolean>;

  /**
   * Beyond OHOS. Cuts the TCP connection: what waits to be sent is dropped, the peer gets no close frame.
   * The `close` event has 1006, `terminated`, and there is no `error`; after `close` it may have what that
   * said.
   *
   * Errors: 401 arguments; 2302006 there is no such connection.
   */
  terminate(connection: WebSocketConnection): Promise<boolean>;

  /**
   * All connections, sorted by the text `address:port` (S14). The API page shows a bare array, and
   * says to `await` it. Error: 2302999 not running.
   */
  listAllConnections(): Promise<WebSocketConnection[]>;

  /**
   * Beyond OHOS. Reads the files of `serverCert`, `certificates` and `caPath` again, or others that
   * are given, and takes them for every handshake that begins afterwards; connections stay. `true` when
   * it has. If anything is wrong with one of them, everything is as it was.
   *
   * Errors: 401 arguments; 2302999 not running, or without TLS; 2302002 a file does not exist or
   * cannot be used; 2302999 the password is wrong or a key does not belong to its certificate.
   */
  reloadCertificates(certificates?: WebSocketServerCertificates): Promise<boolean>;

  /**
   * Stops: every connection is closed with 1001, `server is going away` (S20); `true` when the
   * `close` events are out and the port is free. Error: 2302999 not running.
   */
  stop(): Promise<boolean>;

  /**
   * Beyond OHOS. Stops without haste. Every connection is sent what was sent to it and then the
   * close, and has `drain` seconds to take it, to answer and to end, whatever
   * `limits.closeTimeoutMs` says; then it is cut. Meanwhile the port is held: a request is answered
   * with 503 and the seconds left in `Retry-After`, and raises `error`. For the application it is
   * as with `stop()`: `send` rejects, and messages that still arrive are dropped. Resolves as soon
   * as the last connection is gone. Only where `reusePort` lets others listen as well the server
   * stops listening at once, so that newcomers are theirs.
   *
   * Errors: 401 a value out of its range; 2302999 not running, or no `drain`.
   */
  stop(options: WebSocketStopOptions): Promise<WebSocketStopReport>;

  /**
   * Beyond OHOS. What the server has done since `start` and what it holds, all of one moment; also
   * while it stops. Costs messages nothing. Of the newest run, where the netstack profile has
   * several (S12). Error: 2302999 not running.
   */
  stats(): Promise<WebSocketServerStats>;

  /**
   * Sets the listener of an event. One listener an event: the new one replaces the old (C5).
   * Unknown names are ignored. Throws 401 unless called with a string and a function (C6).
   */
  on(type: 'connect', callback: Callback<WebSocketConnection>): void;
  /** A message came. Without a listener it is lost. */
  on(type: 'messageReceive', callback: Callback<WebSocketMessage>): void;
  /** Beyond OHOS. The same with `binaryType: 'view'`. */
  on(type: 'messageReceive', callback: Callback<WebSocketMessage<string | Uint8Array>>): void;
  /** A connection has ended. */
  on(type: 'close', callback: ClientConnectionCloseCallback): void;
  /**
   * A connection was refused by a limit, or ended without a close frame (then `close` follows).
   * `code` is always 200 (S19).
   *
   * Beyond OHOS: `message` says what happened, `cause` holds the details.
   */
  on(type: 'error', callback: ErrorCallback): void;
  /**
   * Beyond OHOS. `limits.queuedBytes` was reached, and less waits again: those who found `send` slow or
   * refused may go on.
   */
  on(type: 'drain', callback: Callback<WebSocketConnection>): void;
  /** Beyond OHOS. A ping came; it is answered without this. */
  on(type: 'ping', callback: ControlFrameCallback): void;
  /** Beyond OHOS. A pong came: to a `ping`, to one of the heartbeat (empty), or unasked. */
  on(type: 'pong', callback: ControlFrameCallback): void;

  /**
   * Removes the listener of an event; with a function only if it is that one. Throws 401 unless
   * called with a string, or a string and a function.
   */
  off(type: 'connect', callback?: Callback<WebSocketConnection>): void;
  /** The same of `messageReceive`. */
  off(type: 'messageReceive', callback?: Callback<WebSocketMessage>): void;
  /** The same of `messageReceive` with `binaryType: 'view'`. */
  off(type: 'messageReceive', callback?: Callback<WebSocketMessage<string | Uint8Array>>): void;
  /** The same of `close`. */
  off(type: 'close', callback?: ClientConnectionCloseCallback): void;
  /** The same of `error`. */
  off(type: 'error', callback?: ErrorCallback): void;
  /** The same of `drain`. */
  off(type: 'drain', callback?: Callback<WebSocketConnection>): void;
  /** The same of `ping`. */
  off(type: 'ping', callback?: ControlFrameCallback): void;
  /** The same of `pong`. */
  off(type: 'pong', callback?: ControlFrameCallback): void;
}
