/** Public types of the upgrade hook. Beyond OHOS. No values. */

import type { WebSocketClientCertificate } from './server-types.js';
/** A request to become a WebSocket connection, as `onUpgrade` gets it. Beyond OHOS. */
export interface UpgradeRequest {
  /** `GET`. */
  readonly method: string;
  /** The path of the request as it came, percent-encoding and all, without the query. */
  readonly path: string;
  /** The query, decoded; empty without one. */
  readonly query: URLSearchParams;
  /**
   * Headers of the request by name in lower case. Lines of one name are joined with commas, those of
   * `cookie` with semicolons. The object has no prototype.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The subprotocols that the client offers, in its order of preference. */
  readonly protocols: readonly string[];
  /** The client's IP address: behind trusted proxies what they say, else that of the TCP connection. */
  readonly remoteAddress: string;
  /** Address of the other end of the TCP connection. */
  readonly clientIP: string;
  /** Its port. */
  readonly clientPort: number;
  /** Whether it came over TLS to this server. */
  readonly secure: boolean;
  /** The client's certificate, if TLS asked for one and it has sent one. */
  readonly peerCertificate: WebSocketClientCertificate | undefined;
  /**
   * Aborts when nobody waits for the decision any more: the client has gone, or has ended its side of TCP; the
   * time is up; the server stops or drains. Never after the decision. For what the hook waits for itself, as
   * `fetch(url, { signal })`.
   */
  readonly signal: AbortSignal;
}

/**
 * Headers to add to an answer: names of RFC 9110 tokens, values without control characters (but tabs), an
 * array for several lines, undefined for none; together at most 16,384 bytes. Not those of the handshake: `connection`,
 * `upgrade`, `content-length`, `transfer-encoding`, `sec-websocket-*`.
 */
export type UpgradeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Lets a client in. Beyond OHOS. */
export interface UpgradeAcceptance {
  /** Says that it is this. */
  readonly accept: true;
  /**
   * One of those that the client offers, or `''` for none. Without it the server chooses by
   * `WebSocketServerConfig.protocol`.
   */
  readonly protocol?: string | undefined;
  /** Lines to add to the answer. */
  readonly headers?: UpgradeHeaders | undefined;
  /** What the connection's `data` is at first. */
  readonly data?: unknown;
}

/** Sends a client away. Beyond OHOS. */
export interface UpgradeRefusal {
  /** Says that it is this. */
  readonly accept: false;
  /** HTTP status, 300–599. Default 403. */
  readonly status?: number | undefined;
  /** Lines to add to the answer. */
  readonly headers?: UpgradeHeaders | undefined;
  /** At most 65,536 bytes in UTF-8; `text/plain` unless the headers say otherwise. Default `''`. */
  readonly body?: string | undefined;
}

/** `true` lets the client in as it would be without a hook, `false` refuses it with 403. Beyond OHOS. */
export type UpgradeDecision = boolean | UpgradeAcceptance | UpgradeRefusal;

/** Decides who may connect. Beyond OHOS; see `WebSocketServerConfig.onUpgrade`. */
export type UpgradeHook = (
  request: UpgradeRequest,
) => UpgradeDecision | PromiseLike<UpgradeDecision>;
