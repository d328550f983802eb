/**
 * The border between the API classes and the engine: what a client or a server asks for and what it
 * is told. `engine.ts` implements it over the rings; the unit tests implement it with a fake. It
 * knows nothing of OpenHarmony's API: no BusinessError, no profiles, no option names.
 *
 * All of it runs on the JavaScript thread that created the engine. Handlers are never called from
 * inside a method of the transport.
 */

import type { DeflateConfig } from './deflate.js';
import type { ServerHeartbeat } from './heartbeat.js';
import type { Limits } from './limits.js';
import type { RatePolicy } from './server-config-types.js';
import type { EngineStats } from './server-stats.js';
import type { TrustedProxies } from './trusted-proxies.js';
import type { BackPressure, BinaryType } from './types.js';

/** Where an operation failed, for the `cause` of errors. */
export type Phase =
  | 'resolve'
  | 'connect'
  | 'proxy'
  | 'tls'
  | 'handshake'
  | 'established'
  | 'listen';

/** Why an operation failed, as the engine saw it; never a sentence for the user. */
export interface EngineFailure {
  readonly kind: FailureKind;
  readonly phase: Phase;
  /** `errno` of the operating system where there is one (`EADDRINUSE`, …), else `''`. */
  readonly errno: string;
  /** Words of libwebsockets, OpenSSL or the operating system, else `''`. */
  readonly detail: string;
}

/**
 * - `config`: the request could not be started at all (never on the wire);
 * - `file`: a certificate, key or CA file exists but cannot be used;
 * - `key`: the key does not match the certificate, or its password is wrong;
 * - `addressInUse`, `addressNotLocal`, `permission`: a listener could not be bound;
 * - `network`: anything that failed on the way to an established connection.
 */
export type FailureKind =
  | 'config'
  | 'file'
  | 'key'
  | 'addressInUse'
  | 'addressNotLocal'
  | 'permission'
  | 'network';

export interface ClientConfig {
  /** IP literals, tried in this order (IPv6 without brackets). */
  readonly addresses: readonly string[];
  /** 1–65535. */
  readonly port: number;
  readonly tls: boolean;
  /** Value of the `Host` header, e.g. `example.com:9001`, `[::1]:9001`. */
  readonly host: string;
  /** Host name for SNI and certificate verification (no port, no brackets). */
  readonly serverName: string;
  /** Request target, beginning with `/`, with the query; printable ASCII only. */
  readonly path: string;
  /** Whole value of the `Origin` header. */
  readonly origin: string;
  /** Value of `Sec-WebSocket-Protocol`; `''` sends none. */
  readonly protocol: string;
  /** Further header lines in the order to send: [lower-case name, value]; already validated. */
  readonly headers: readonly (readonly [string, string])[];
  /** PEM file of CA certificates that replaces the system's store; `''` uses the system's. */
  readonly caPath: string;
  /** PEM files of a client certificate; `''` for none. */
  readonly certPath: string;
  readonly keyPath: string;
  readonly keyPassword: string;
  /** Whether `caPath` adds to the system's store instead of replacing it (C16). */
  readonly caAddsToSystem: boolean;
  readonly trust: Trust;
  /** Lowest TLS version as `TlsProtocol` (0–3: 1.0–1.3); undefined leaves it to OpenSSL. */
  readonly minTlsVersion: number | undefined;
  /** Undefined connects directly. With a proxy, `addresses` is not used: the proxy resolves. */
  readonly proxy: ProxyConfig | undefined;
  readonly rules: Rules;
  /** Seconds; 0 switches the heartbeat off. */
  readonly pingIntervalSeconds: number;
  readonly pongTimeoutSeconds: number;
  readonly limits: Limits;
  readonly backPressure: BackPressure;
  /** As what binary messages arrive. */
  readonly binaryType: BinaryType;
  /** What to offer of permessage-deflate; undefined offers nothing. */
  readonly deflate: DeflateConfig | undefined;
}

/** An HTTP proxy, asked to CONNECT to `serverName` and `port`. */
export interface ProxyConfig {
  /** IP literals, tried in this order. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** `''` for none. Basic authentication; together at most 4,096 bytes. */
  readonly user: string;
  readonly password: string;
}

/**
 * What is demanded of the server's certificate.
 * - `verify`: a chain to the store, dates, and the host name;
 * - `skip`: nothing;
 * - `lax`: netstack's rule (C14): no host name, self-signed chains pass; unknown issuers and dates fail;
 * - `laxSkip`: the same, and unknown issuers and dates pass too (C15).
 */
export type Trust = 'verify' | 'skip' | 'lax' | 'laxSkip';

/**
 * Which behaviour the engine shows where it alone decides.
 * - `documented`: RFC 6455, and the mended rows of the behaviour table;
 * - `netstack`: C25 (an own close ends TCP at once), C27 (a close reason is cut at 123 bytes, not at a
 *   character), C33 (invalid UTF-8 is accepted), peer close codes and reasons as netstack reports them; on
 *   a server also S3 (an offer of unknown subprotocols only ends TCP), S8 (refusals end TCP without an
 *   answer), S9 (one ban list for the process), S13 (unmasked frames pass), S18 (404 for plain requests),
 *   S23 (any version, method and HTTP version may upgrade).
 */
export type Rules = 'documented' | 'netstack';

/** What the server answered to the upgrade. */
export interface OpenInfo {
  /** Reason phrase of the status line, `''` if there is none. */
  readonly message: string;
  /** The chosen subprotocol, `''` if none. */
  readonly protocol: string;
  /** Header lines in the order received; names lower-case; a repeated header appears repeatedly. */
  readonly headers: readonly (readonly [string, string])[];
}

/** How a connection ended, as the close event has to report it. */
export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
  /** The TCP connection ended, or was given up, without a close handshake: an `error` event goes first. */
  readonly abnormal: boolean;
  /** What the peer's close frame said, 1005 for an empty one; undefined if no legal one came. */
  readonly peer?: { readonly code: number; readonly reason: string } | undefined;
  /** What ended an abnormal connection. */
  readonly failure?: EngineFailure;
}

/** A view where the endpoint asks for views. */
export type Message = string | ArrayBuffer | Uint8Array;

/** Called in this order: `onStarted`, then `onOpened` … `onClosed`, or `onConnectFailed`. */
export interface ClientHandler {
  /** The request was created (undefined), or could not be (a failure; nothing follows then). */
  onStarted(failure: EngineFailure | undefined): void;
  onOpened(info: OpenInfo): void;
  /** The attempt ended without an open connection. `httpStatus` is 0 if there was no valid answer. */
  onConnectFailed(httpStatus: number, failure: EngineFailure): void;
  /** `text` tells the type; an empty binary message is an empty ArrayBuffer. */
  onMessage(data: Message): void;
  /** The connection has ended; nothing follows. */
  onClosed(close: CloseInfo): void;
}

/** One socket to listen on. */
export type ListenAddress = TcpAddress | LocalAddress;

export interface TcpAddress {
  /** An IP literal (IPv6 without brackets). */
  readonly ip: string;
  /** 0–65535; 0 takes a free port, the same for all that say 0. */
  readonly port: number;
  /** Whether an IPv6 address is for IPv6 alone. */
  readonly ipv6Only: boolean;
  /** Whether other sockets that say so too may listen there. */
  readonly reusePort: boolean;
  /** From 1; the kernel has a limit of its own. */
  readonly backlog: number;
}

export interface LocalAddress {
  /** Absolute, or a NUL and a name in Linux's abstract space. */
  readonly path: string;
  /** Permissions of the file, 0–0o777; undefined leaves them to the umask. */
  readonly mode: number | undefined;
  readonly backlog: number;
}

/** PEM files of a certificate with its chain, and of its key. */
export interface Certificate {
  /** Lower case; `*.example.com` is every name with one label before. */
  readonly hosts: readonly string[];
  readonly certPath: string;
  readonly keyPath: string;
  readonly keyPassword: string;
}

/** `ask`: a client may have none, but what it has is verified. */
export type ClientCertificates = 'none' | 'ask' | 'demand';

export interface TlsConfig {
  /** The first, without hosts, is for whoever asks for none of the others. */
  readonly certificates: readonly Certificate[];
  readonly clientCertificates: ClientCertificates;
  /** PEM file of the CAs of clients; `''` if they are asked for nothing. */
  readonly caPath: string;
}

export interface ServerConfig {
  /** At least one. */
  readonly listen: readonly ListenAddress[];
  /** Undefined serves plain ws. */
  readonly tls: TlsConfig | undefined;
  /** Subprotocols that the server speaks, in order of its preference. */
  readonly protocols: readonly string[];
  /** Distinct client addresses; 0 refuses everybody. */
  readonly maxClients: number;
  /** Connections of one address; 0 refuses everybody. */
  readonly maxConnectionsPerClient: number;
  /** Refuse an address for 60 s after its 52nd accepted upgrade within 60 s (S9). */
  readonly connectRateLimit: boolean;
  readonly limits: Limits;
  readonly heartbeat: ServerHeartbeat;
  readonly ratePolicy: RatePolicy;
  readonly backPressure: BackPressure;
  /** As what binary messages arrive. */
  readonly binaryType: BinaryType;
  /** What `Origin` may be, as `origins.ts` writes it; undefined allows every one. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** What to agree on of permessage-deflate; undefined declines every offer. */
  readonly deflate: DeflateConfig | undefined;
  readonly rules: Rules;
  /** Proxies that are believed, and by what; nobody is, if there are no networks. */
  readonly trustedProxies: TrustedProxies;
  /** Whether upgrade requests that are right and within the limits are asked about (`onUpgrade`). */
  readonly asksUpgrades: boolean;
  /** Whether the details of a connection have the headers of its request. */
  readonly keepsHeaders: boolean;
  /** Engine threads to share the connections out to; 0: none, this thread has them all. */
  readonly threads: number;
  /** Listeners of one name share the limits that count connections; `''` for one that is alone. */
  readonly admissionName: string;
  /** Listens, but accepts nobody before `HoldingListener.accept`. */
  readonly holds: boolean;
}

/** An upgrade request to decide on. */
export interface UpgradeInfo {
  /** Its number, for the answer. */
  readonly id: number;
  readonly ip: string;
  readonly port: number;
  /** The address that counts for the limits. */
  readonly remoteAddress: string;
  readonly method: string;
  readonly target: string;
  readonly secure: boolean;
  /** The client's certificate in PEM, `''` if there is none. */
  readonly certificate: string;
  /** In the order received; names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
}

/** The decision: in, with the subprotocol (undefined: the server's choice), or out. Already validated. */
export type UpgradeAnswer =
  | {
      readonly protocol: string | undefined;
      readonly headers: readonly (readonly [string, string])[];
    }
  | {
      /** 300–599. */
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: string;
    };

/** What an accepted connection is known by, beyond its address. */
export interface AcceptedDetails {
  readonly remoteAddress: string;
  /** The number of its `UpgradeInfo`; undefined if nobody was asked. */
  readonly upgradeId: number | undefined;
  readonly target: string;
  readonly protocol: string;
  /** Undefined unless they are kept. */
  readonly headers: readonly (readonly [string, string])[] | undefined;
}

/** An accepted connection, as the server class sees it. */
export interface ServerConnectionHandler {
  onMessage(data: Message): void;
  onClosed(close: CloseInfo): void;
  /** The queue is below its mark again, after `send` had found it above. */
  onDrained(): void;
  /** A ping or pong came; only where `Listener.watch` asks for them. */
  onPing(data: ArrayBuffer): void;
  onPong(data: ArrayBuffer): void;
}

export interface ServerHandler {
  /**
   * Listening, with the port of each address of the configuration (0 for a path), or not (a failure;
   * nothing follows then).
   */
  onStarted(ports: readonly number[], failure: EngineFailure | undefined): void;
  /** To be answered by `Listener.answerUpgrade`, unless `onUpgradeEnded` comes. */
  onUpgrade(request: UpgradeInfo): void;
  /** Nobody waits for the answer any more, or for the connection that it has let in. */
  onUpgradeEnded(id: number): void;
  /**
   * An upgrade was accepted. The result is told of this connection from now on. A connection of this
   * machine has `unix:` and the path for its `ip`, and for its port a number that no other has. No
   * details: the target is `/`, there is no subprotocol, the address that counts is this one. A
   * certificate is that of the client, verified, in DER or PEM.
   */
  onAccepted(
    connection: Connection,
    ip: string,
    port: number,
    details: AcceptedDetails | undefined,
    certificate?: Uint8Array,
  ): ServerConnectionHandler;
  /** An upgrade was refused by a limit with this HTTP status. */
  onRefused(ip: string, httpStatus: number, detail: string): void;
  /** The listener and all its connections are gone; nothing follows. The report is that of a drain. */
  onStopped(report?: DrainReport): void;
}

/**
 * One connection of either side, from `connect` or `onAccepted` to `onClosed`. Methods may be called
 * at any time; after `onClosed` they do nothing.
 */
export interface Connection {
  /**
   * Queues one message: a string as text (UTF-8), an ArrayBuffer or a view as binary. The bytes are
   * copied before the call returns. Returns undefined if the connection's queue is below its mark
   * (the usual case), else a promise: it resolves when the queue is below its mark again, or the
   * connection has ended; or it rejects with `QueueFull`, if the policy of the connection is not to
   * take the message, which never happens to one that is `accepted` already. Messages sent before
   * the connection is open are queued and leave at open, in order.
   */
  send(data: string | ArrayBuffer | ArrayBufferView, accepted?: boolean): Promise<void> | undefined;
  /** Gets, or does not get any longer, what is published to this topic from now on. */
  subscribe(topic: number): void;
  unsubscribe(topic: number): void;
  /** By whom it gets what is published. */
  readonly publisher: Publisher;
  /** Resolves when all that was sent before has left this process, or the connection has ended. */
  drained(): Promise<void>;
  /** Bytes given to `send` that are not known to have left; asks, if that is not under way. */
  queuedBytes(): number;
  /** Nothing more is read, but what has been read comes; closing ends it. Then `resume`. */
  pause(): void;
  resume(): void;
  /** Sends a ping with so much: at most 125 bytes. */
  ping(payload: Uint8Array): void;
  /** Cuts TCP; `onClosed` reports this code and reason, if it has nothing else to report. */
  terminate(code: number, reason: string): void;
  /**
   * Starts the close handshake behind everything queued, or aborts a handshake that is not complete
   * (then `onClosed` reports this code and reason, never `onOpened`). `code` as the event has
   * to report it; `wireCode` is what goes on the wire, 0 for a close frame without a body. Further
   * calls do nothing.
   */
  close(code: number, reason: string, wireCode: number): void;
}

/** What became of those that were connected when a drain began, and of those that came later. */
export interface DrainReport {
  readonly closed: number;
  readonly cut: number;
  readonly refused: number;
  readonly milliseconds: number;
}

/** A started server. */
export interface Listener {
  /**
   * Stops accepting, closes every connection with this code and reason; `onStopped` follows. With
   * `drainMs` (0–4,294,967,295) newcomers are told to come again later, and the connections have so
   * long to end, and no other deadline.
   */
  stop(code: number, reason: string, drainMs?: number): void;
  /**
   * Reads other certificates, which nobody sees before `endReload`. Resolves with a failure if they cannot be
   * used, with nothing to end; with `'gone'` if it was stopped before it could tell.
   */
  prepareReload(tls: TlsConfig): Promise<EngineFailure | 'gone' | undefined>;
  /** Takes what was prepared for the handshakes to come, or forgets it. */
  endReload(take: boolean): Promise<EngineFailure | 'gone' | undefined>;
  /** What it has counted, of one moment; undefined if it is gone before it can tell. */
  stats(): Promise<EngineStats | undefined>;
  /** Each request once; too late does nothing. */
  answerUpgrade(id: number, answer: UpgradeAnswer): void;
  /** Which control frames of its connections to report; none at first. */
  watch(pings: boolean, pongs: boolean): void;
}

/** A listener that may wait with letting people in. */
export interface HoldingListener extends Listener {
  /** Of one that `holds`: whoever has come is let in from now on. */
  accept(): void;
}

/** The engine of some connections. */
export interface Publisher {
  /**
   * Queues one message for each of its connections that subscribes to this topic, but `except`; in order with what
   * is sent to each. The bytes are copied before the call returns. A connection where more than its mark
   * would wait is given up (1008). Returns undefined, or a promise that resolves when the engine has caught up
   * with what is published: it never waits for a peer.
   */
  publish(
    topic: number,
    data: string | ArrayBuffer | ArrayBufferView,
    except: Connection | undefined,
  ): Promise<void> | undefined;
}

export interface Transport {
  connect(config: ClientConfig, handler: ClientHandler): Connection;
  listen(config: ServerConfig, handler: ServerHandler): Listener;
}
