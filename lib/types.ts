/**
 * The public surface in types: what OpenHarmony's API page and declaration file promise, with
 * units, ranges, defaults and error codes. No values, no behaviour. `C..` and `S..` number the
 * places where OpenHarmony's implementation differs from its documentation; `profile.ts` lists
 * them.
 *
 * The calls of a client are in `client-types.ts`, those of a server in `server-types.ts`, what it is
 * started with in `server-config-types.ts`; here is what both share.
 */

import type { BusinessError } from './errors.js';

export type {
  ClientCert,
  HttpProxy,
  ProxyConfiguration,
  ResponseHeaders,
  WebSocket,
  WebSocketOpenInfo,
  WebSocketOpenResult,
  WebSocketRequestOptions,
} from './client-types.js';
export type {
  ServerBackPressureMessage,
  ServerCloseMessage,
  ServerErrorMessage,
  ServerOpenMessage,
  ServerRefuseMessage,
} from './diagnostics-messages.js';
export type { BusinessError } from './errors.js';
export type {
  RatePolicy,
  ServerCert,
  WebSocketHostCertificate,
  WebSocketListenAddress,
  WebSocketListenConfig,
  WebSocketLocalAddress,
  WebSocketServerConfig,
  WebSocketServerHeartbeat,
  WebSocketServerLimits,
  WebSocketTcpAddress,
} from './server-config-types.js';
export type {
  WebSocketServerRefusals,
  WebSocketServerStats,
  WebSocketServerTraffic,
} from './server-stats.js';
export type {
  ClientConnectionCloseCallback,
  ControlFrameCallback,
  PublishOptions,
  WebSocketClientCertificate,
  WebSocketConnection,
  WebSocketMessage,
  WebSocketServer,
  WebSocketServerCertificates,
  WebSocketStopOptions,
  WebSocketStopReport,
} from './server-types.js';
export type { TlsProtocol } from './tls-protocol.js';
export type { ProxyHeader } from './trusted-proxies.js';
export type {
  UpgradeAcceptance,
  UpgradeDecision,
  UpgradeHeaders,
  UpgradeHook,
  UpgradeRefusal,
  UpgradeRequest,
} from './upgrade-types.js';

/** Takes one value (`@kit.BasicServicesKit`). */
export type Callback<T> = (data: T) => void;

/** Takes an error and nothing else (`@kit.BasicServicesKit`). */
export type ErrorCallback<T extends Error = BusinessError> = (err: T) => void;

/**
 * Takes the outcome of a call or an event: `(error, undefined)` or `(undefined, value)`. As on
 * OpenHarmony, the type of `err` does not mention `undefined` (`@kit.BasicServicesKit`).
 */
export type AsyncCallback<T, E = void> = (err: BusinessError<E>, data: T) => void;

/**
 * What `send` takes. A string goes out as a text message, the others as a binary message. At most
 * 5 242 864 bytes (5 × 1024 × 1024 − 16; a string counts in UTF-8), above that 401.
 *
 * Beyond OHOS: views (`Uint8Array`, `Buffer`, `DataView`, …) are accepted; OpenHarmony takes only
 * strings and ArrayBuffers (C39). SharedArrayBuffers are refused, and views of them.
 */
export type WebSocketData = string | ArrayBuffer | ArrayBufferView;

/** How to close. Both fields are optional. Since API 6 (API reference, `WebSocketCloseOptions`). */
export interface WebSocketCloseOptions {
  /**
   * 1000–1015; a fraction is cut off; missing or out of range: 1000. The `close` event reports this
   * code. 1004, 1005, 1006 and 1015 must not travel (RFC 6455 §7.4.1): the peer gets 1000 (C26).
   */
  code?: number | undefined;
  /**
   * Missing or empty: `CLOSE_NORMAL`. The `close` event reports all of it; the peer gets the first
   * 123 bytes, cut between characters (RFC 6455 §5.5, C27).
   */
  reason?: string | undefined;
}

/** Value of the `close` events. Since API 10 (API reference, `CloseResult`). */
export interface CloseResult {
  /** Close code; 0 if the TCP connection ended without a close frame (C23). */
  code: number;
  /** Close reason; `The link is down` if the peer gave none (C24). */
  reason: string;
}

/**
 * Beyond OHOS. As what the data of binary messages arrive:
 *
 * - `'arraybuffer'`: each an ArrayBuffer of its own;
 * - `'view'`: each a Uint8Array. Those of less than 64 KiB that came together share one ArrayBuffer, of at most
 *   257 KiB, which may be the very memory that they were received in: quicker than many small ones, and than a copy.
 *   A view is the application's to keep and to change, begins at any `byteOffset`, and keeps that ArrayBuffer alive:
 *   keep a copy (`data.slice()`) of what you keep for long.
 */
export type BinaryType = 'arraybuffer' | 'view';

/**
 * Beyond OHOS. What `send` does with a message that would wait above `queuedBytes`, or above the
 * process's `setQueuedBytesLimit`:
 *
 * - `'wait'`: takes it, and resolves when the queue is below the mark again;
 * - `'fail'`: rejects with 2302999, and has not taken it;
 * - `'close'`: the same, and the connection is closed with 1008 on the wire, without what has not begun
 *   to leave; `error` and `close` follow (of a client that is not open yet, `close` with 1008).
 *
 * Pings, pongs and close frames overtake messages in any case.
 */
export type BackPressure = 'wait' | 'fail' | 'close';

/**
 * Beyond OHOS. Limits of a connection: integers, or Infinity where that is allowed. The table with
 * defaults, ranges and errors is `docs/limits.md`.
 */
export interface WebSocketLimits {
  /**
   * Bytes of a message from the peer, 1–536,870,888. Default 134,217,728 (128 MiB). Beyond, the
   * connection is closed with 1009 on the wire; `error` and `close` follow.
   */
  messageBytes?: number | undefined;
  /**
   * Frames of a message from the peer, 1–4,294,967,295. Default 1,048,576. Beyond, the
   * connection is closed with 1008 on the wire; `error` and `close` follow.
   */
  messageFragments?: number | undefined;
  /**
   * Pongs that wait because the peer does not read, 1–65,536. Default 4096. Beyond, the connection is
   * closed with 1008 on the wire; `error` and `close` follow. In the netstack profile further pings
   * are not answered instead.
   */
  pendingControlFrames?: number | undefined;
  /**
   * Bytes of messages given to `send` that have not left this process, from 0, or Infinity. Default
   * 1,048,576 (1 MiB). Above, `send` does what `backPressure` says. That bytes have left is known a
   * turn of the event loop later, so the mark has to be above what one turn sends.
   */
  queuedBytes?: number | undefined;
  /**
   * Milliseconds from the TCP connect, or the accepted connection, to the WebSocket, TLS included;
   * 1–600,000. Default 10,000 for a server, 15,000 for a client, for each address that it tries and
   * again from the proxy's answer. Beyond, a server answers 408 where it can and raises `error`; a
   * client's attempt fails.
   */
  handshakeTimeoutMs?: number | undefined;
  /**
   * Bytes of the head of a request, or of an answer or the proxy's answer, 256–57,344. Default
   * 32,768. Beyond, a server answers 431 and raises `error`; a client's attempt fails.
   */
  headerBytes?: number | undefined;
  /**
   * Header lines of a request or an answer, 5–200. Default 100. Beyond, a server answers 431 and
   * raises `error`; a client's attempt fails.
   */
  headerLines?: number | undefined;
  /**
   * Milliseconds that a closing connection may be without progress, 1–600,000; then TCP is cut.
   * Default 5000 (C25).
   */
  closeTimeoutMs?: number | undefined;
}

/**
 * Beyond OHOS. Compression of messages (permessage-deflate, RFC 7692). What is left out has its
 * default; 401 if a name or a value is none of these.
 */
export interface PermessageDeflateOptions {
  /**
   * 8–15: the logarithm of the window that the server compresses with, and the client has to hold. A
   * server takes the smaller of this and what the client asks for. A client asks for it, and fails
   * the handshake if the server does not agree. Default 15.
   */
  serverMaxWindowBits?: number | undefined;
  /**
   * The same of the window that the client compresses with. A server takes the smaller of this and
   * what the client asks for; below 15, it declines offers of clients that cannot limit theirs.
   * Default 15.
   */
  clientMaxWindowBits?: number | undefined;
  /**
   * Whether the server compresses every message by itself, so that neither side holds memory for it
   * between messages: all such connections of a server's process share one compressor a thread,
   * where others have one each (about 256 KiB). A client asks for it, and fails the handshake if
   * the server does not agree. Default `false`.
   */
  serverNoContextTakeover?: boolean | undefined;
  /** The same for the messages of the client. A server demands it. Default `false`. */
  clientNoContextTakeover?: boolean | undefined;
  /** 0–9, from stored to smallest, as zlib has them. Default 6. */
  level?: number | undefined;
  /** 1–9, memory of a compressor, as zlib has them. Default 8. */
  memLevel?: number | undefined;
  /** Messages of fewer bytes are sent as they are; empty ones always. Default 1024. */
  threshold?: number | undefined;
}
