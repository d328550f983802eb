/**
 * Public types of the server: the object, its configuration and the values of its events. No
 * values.
 */

import type { WebSocketServerStats } from './server-stats.js';
import type { ProxyHeader } from './trusted-proxies.js';
import type {
  BackPressure,
  BinaryType,
  Callback,
  CloseResult,
  ErrorCallback,
  PermessageDeflateOptions,
  WebSocketCloseOptions,
  WebSocketData,
  WebSocketLimits,
} from './types.js';
import type { UpgradeHook } from './upgrade-types.js';

/** Files of the server's certificate. Since API 19 (API reference, `ServerCert`). */
export interface ServerCert {
  /** PEM file with the certificate and its chain; empty: plain ws. */
  certPath: string;
  /** PEM file with the key. */
  keyPath: string;
  /** Beyond OHOS. Password of the key file. Default `''`. */
  keyPassword?: string | undefined;
}

/** Beyond OHOS. A certificate for the clients that ask for certain host names (SNI, RFC 6066 §3). */
export interface WebSocketHostCertificate extends ServerCert {
  /**
   * Host names, in any case; `*.example.com` is every name with one label before. 401 if one is none, an
   * address, or named before. A name itself goes before a wildcard.
   */
  hosts: readonly string[];
}

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
 * Beyond OHOS. One place to listen: an address and port of TCP, or a path of this machine (a unix
 * domain socket).
 */
export type WebSocketListenAddress = WebSocketTcpAddress | WebSocketLocalAddress;

/** Beyond OHOS. An address and a port to listen on. */
export interface WebSocketTcpAddress {
  /** IPv4 or IPv6 address; 2302004 if it is none, or none of this machine. */
  address: string;
  /**
   * 0–65535, else 2302005. 0: a free port, the same for all addresses of the list that say 0;
   * `WebSocketServer.listening` tells which. 2302007 if it is taken or not permitted.
   */
  port: number;
  /**
   * Of an IPv6 address: `false` takes connections over IPv4 as well, where the address covers them
   * (`::`); their `clientIP` is the IPv4 address. Default `true`.
   */
  ipv6Only?: boolean | undefined;
  /**
   * `true`: other processes of the same user that say so too may listen on the same address and
   * port, and the kernel shares the connections out (`SO_REUSEPORT`; Linux, FreeBSD does not share).
   * Default `false`.
   */
  reusePort?: boolean | undefined;
  /**
   * Connections that the kernel keeps until the server has taken them, 1–2,147,483,647; the kernel
   * has a limit of its own (`net.core.somaxconn`). Default 4096.
   */
  backlog?: number | undefined;
}

/**
 * Beyond OHOS. A path to listen on. Its connections have `unix:` and the path as `clientIP`, so they
 * are one client where clients are counted, and as `clientPort` a number that no other connection of
 * this server has at the time.
 */
export interface WebSocketLocalAddress {
  /**
   * A file that the server makes and, when it stops, removes; relative paths begin at the working
   * directory. A socket file that nobody listens on any more is replaced; anything else that is
   * there stays, and is 2302007, as is a missing permission. 2302004 if the folder does not exist or
   * the path is too long (107 bytes on Linux). After a NUL (`'\0name'`) it is a name in Linux's
   * abstract space, without a file; its `clientIP` is `unix:@name`.
   */
  path: string;
  /** Permissions of the file, 0–0o777; who may write may connect. Default: as the umask says. */
  mode?: number | undefined;
  /** As of a TCP address. */
  backlog?: number | undefined;
}

/** Beyond OHOS. Configuration of a `start` that says where to listen in other words. */
export interface WebSocketListenConfig
  extends Omit<WebSocketServerConfig, 'serverIP' | 'serverPort'> {
  /**
   * Where to listen, in place of `serverIP` and `serverPort`: 1–64 places. All or none: if one cannot
   * be had, `start` rejects for it. 401 if an entry is not of its type.
   */
  listen: readonly WebSocketListenAddress[];
  /** Not together with `listen`. */
  serverIP?: undefined;
  /** Not together with `listen`. */
  serverPort?: undefined;
}

/** Configuration of `start`. Since API 19 (API reference, `WebSocketServerConfig`). */
export interface WebSocketServerConfig {
  /**
   * IPv4 or IPv6 address to listen on; host and interface names are refused. Default `0.0.0.0`.
   * 2302004 if it is not an address or not one of this machine (S17).
   */
  serverIP?: string | undefined;
  /**
   * 0–65535, else 2302005. 0: a free port, which `WebSocketServer.port` then tells (S24). 2302007
   * if it is taken or not permitted.
   */
  serverPort: number;
  /**
   * Serves wss. 2302002 if a file does not exist or cannot be used, 2302999 if the password is
   * wrong or the key does not belong to the certificate.
   */
  serverCert?: ServerCert | undefined;
  /**
   * Beyond OHOS. Further certificates, at most 1000, each for the host names that it says; `serverCert`
   * is for everybody else, and has to be there. 401 if an entry is none; else as `serverCert`.
   */
  certificates?: readonly WebSocketHostCertificate[] | undefined;
  /**
   * Beyond OHOS. `'demand'`: a client without a certificate of the CAs in `caPath` is refused in the
   * TLS handshake. `'ask'`: one without any may connect; one that is not right is refused. What was
   * verified is `WebSocketConnection.clientCertificate`. Default `'none'`. 401 if it is none of these,
   * and without `serverCert` or `caPath`.
   */
  clientCertificates?: 'none' | 'ask' | 'demand' | undefined;
  /** Beyond OHOS. PEM file of the CAs of client certificates; 2302002 as for `serverCert`. */
  caPath?: string | undefined;
  /**
   * Subprotocols that the server speaks, separated by commas, the preferred one first. Default
   * `lws_server` (S3). 401 if it is not a list of names.
   */
  protocol?: string | undefined;
  /**
   * Clients at a time, counted by IP address (S7). Default 10; 0 admits nobody; negative: 2302999.
   * OpenHarmony allows at most 10, here larger numbers work too (S5, S6).
   */
  maxConcurrentClientsNumber?: number | undefined;
  /** Connections of one IP address at a time; otherwise as `maxConcurrentClientsNumber`. */
  maxConnectionsForOneClient?: number | undefined;
  /**
   * Beyond OHOS. `true` refuses an address for 60 s when it connects more than 51 times within 60
   * s, as OpenHarmony always does (S9). Default `false`.
   */
  connectRateLimit?: boolean | undefined;
  /** Beyond OHOS. Further limits; what is left out has its default. 401 if one is none. */
  limits?: WebSocketServerLimits | undefined;
  /**
   * Beyond OHOS. How a client that is gone without a word is found out; `true` is all defaults,
   * `false` is never. 401 if a value is out of range.
   */
  heartbeat?: boolean | WebSocketServerHeartbeat | undefined;
  /** Beyond OHOS. What happens to messages above a rate of `limits`. Default `'delay'`. Else 401. */
  ratePolicy?: RatePolicy | undefined;
  /** Beyond OHOS. What happens to a message above `limits.queuedBytes`. Default `'wait'`. Else 401. */
  backPressure?: BackPressure | undefined;
  /**
   * Beyond OHOS. Threads that share the connections, 1–64, each with an engine of its own; the kernel
   * shares newcomers out (`SO_REUSEPORT`, on Linux). API, events, order and limits are those of one
   * server; `limits.handshakes` is shared out evenly. Connections of a `path` are all of the first thread.
   * Default 1. Else 401.
   */
  threads?: number | undefined;
  /** Beyond OHOS. As what binary messages arrive. Default `'arraybuffer'`. 401 if it is none. */
  binaryType?: BinaryType | undefined;
  /**
   * Beyond OHOS. The values that `Origin` may have; others are answered with 403 and raise `error`.
   * An entry is an origin as browsers send it (`https://example.com`, `http://localhost:8080`),
   * one for every name below a host (`https://*.example.com`, not `https://example.com` itself),
   * one for every host (`https://*`), `null`, or `''` for requests without the header. Upper and
   * lower case are the same. Default: all origins, none needed. 401 if an entry is none of these.
   * (RFC 6455 §10.2.)
   */
  allowedOrigins?: readonly string[] | undefined;
  /**
   * Beyond OHOS. Accepts offers of compression of messages; `true` is all defaults. Clients that
   * offer none connect without it. A malformed offer is answered with 400. Default `false`.
   */
  permessageDeflate?: boolean | PermessageDeflateOptions | undefined;
  /**
   * Beyond OHOS. Decides who may connect. It is called with every request that is right by itself, of an
   * allowed origin and within the limits, for which it counts from then on; and may take its time: until
   * `limits.handshakeTimeoutMs` from the accepted connection on, then the answer is 503. If it throws, rejects
   * or decides what cannot be done, the answer is 500. Both raise `error`; a refusal that it decides on does
   * not. What it decides for a client that has gone is ignored.
   *
   * Default: everybody may. 401 if it is no function, and in the netstack profile.
   */
  onUpgrade?: UpgradeHook | undefined;
  /**
   * Beyond OHOS. Keeps the headers of each request as `headers` of its connection, which takes memory as long
   * as that lasts. Default `false`. Else 401, and in the netstack profile.
   */
  keepHeaders?: boolean | undefined;
  /**
   * Beyond OHOS. Networks (`10.0.0.0/8`, `fd00::/8`) and addresses of proxies that are believed when they say
   * whom they speak for. That client's address is `remoteAddress`, and the one that limits, rates and
   * `error` events go by; `clientIP` and `clientPort` stay those of the TCP connection. Nobody else is
   * believed. Default: no proxies. 401 if an entry is none of these, and in the netstack profile.
   */
  trustedProxies?: readonly string[] | undefined;
  /**
   * Beyond OHOS. What trusted proxies say it by; the others are not looked at, since a proxy that does not know
   * them passes on what the client has made up. Default `'x-forwarded-for'`. Else 401, and without
   * `trustedProxies`.
   *
   * - `'x-forwarded-for'`, `'forwarded'` (RFC 7239): the first address from the right that is not of
   *   `trustedProxies`; or the last one before something that is no address.
   * - `'proxy-protocol'`: every connection of a trusted proxy begins with the header of the PROXY protocol, version
   *   1 or 2, before TLS. Without it, or with a malformed one, it is ended; `error`. It has
   *   `limits.handshakeTimeoutMs` to come, and counts for `limits.handshakes`.
   */
  proxyHeader?: ProxyHeader | undefined;
}

/**
 * Beyond OHOS. What happens to messages of a client above a rate.
 * - `delay`: they are not read before it is their turn, so that TCP slows the client down; its pings
 *   and its close wait behind them;
 * - `refuse`: they are read and thrown away, which `stats().rates` tells and the client does not
 *   hear of: WebSocket has no word for it;
 * - `close`: the first one ends the connection with 1008.
 */
export type RatePolicy = 'delay' | 'refuse' | 'close';

/**
 * Beyond OHOS. Every connection is pinged, and given up when its pong does not come: TCP is cut
 * without a close frame, `error` (`cause.detail` `no pong in time`) and `close` with code 0 follow, as
 * after any broken connection. A cycle begins at open and with every pong; messages do not count
 * (C22). While the server itself does not read from a connection, it does not give it up.
 */
export interface WebSocketServerHeartbeat {
  /** Milliseconds from the last pong to the ping: an integer of 1–86,400,000. Default 40,000. */
  intervalMs?: number | undefined;
  /** Milliseconds to wait for the pong: an integer of 1–86,400,000. Default 10,000. */
  timeoutMs?: number | undefined;
  /**
   * Which part of the interval is left to chance, 0–1: each ping comes up to so much earlier, so
   * that clients which connected together are not pinged together. Default 0.
   */
  jitter?: number | undefined;
}

/**
 * Beyond OHOS. Limits of a server and of each of its connections: integers, or Infinity where that
 * is allowed. The table with defaults, ranges and errors is `docs/limits.md`.
 */
export interface WebSocketServerLimits extends WebSocketLimits {
  /** Open connections, of all clients together; 0 admits nobody. Default Infinity. 503 beyond. */
  connections?: number | undefined;
  /**
   * TCP connections that are not upgraded yet, from 1. Default 16,384. Beyond, a new one is answered
   * with 503, or over TLS ended.
   */
  handshakes?: number | undefined;
  /**
   * Accepted connections of one address within 60 s, from 1; beyond, it is refused with 429 for
   * 60 s. Default Infinity. Takes the place of `connectRateLimit`.
   */
  connectionsPerMinute?: number | undefined;
  /** Bytes of a topic's name in UTF-8, 1–65,536. Default 256. Beyond, a call with it is 401. */
  topicBytes?: number | undefined;
  /**
   * Topics that one connection subscribes to, 0–1,000,000. Default 1024. Beyond, `subscribe` rejects with
   * 2302999.
   */
  topicsPerConnection?: number | undefined;
  /**
   * Messages that one connection may send a second, from 1; a second's worth at once, if it was silent.
   * Default Infinity. Beyond, `ratePolicy`.
   */
  messagesPerSecond?: number | undefined;
  /**
   * The same for payload bytes as they are on the wire; a message that has begun is not cut. Default
   * Infinity.
   */
  bytesPerSecond?: number | undefined;
  /** `messagesPerSecond` of all connections of one address together. Default Infinity. */
  messagesPerSecondOfAddress?: number | undefined;
  /** `bytesPerSecond` of all connections of one address together. Default Infinity. */
  bytesPerSecondOfAddress?: number | undefined;
  /**
   * Milliseconds without a message in either direction, from 1. Pings and pongs are no messages.
   * Default Infinity. Then the connection is closed with 1001 and the reason `idle`.
   */
  idleTimeoutMs?: number | undefined;
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
