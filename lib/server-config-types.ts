/**
 * Public types of what `start` of a server takes: where to listen, certificates, limits, who comes in. No values.
 */

import type { ProxyHeader } from './trusted-proxies.js';
import type {
  BackPressure,
  BinaryType,
  PermessageDeflateOptions,
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
 * are one client where clients are counted, and as `clientPort` a number that no other connection over
 * a path gets in this thread.
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
   * Beyond OHOS. Threads that share the connections, 0–64, each with an engine of its own; the kernel
   * shares newcomers out (`SO_REUSEPORT`, on Linux). API, events, order and limits are those of one
   * server. Connections of a `path` are all of the first thread. Default 0: the engine works on JavaScript's
   * thread, which costs the least for a message; where a runtime has no libuv, on one of its own. Else 401.
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
