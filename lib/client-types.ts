/** Public types of the client: the object, its options and the values of its events. No values. */

import type { BusinessError } from './errors.js';
import type { TlsProtocol } from './tls-protocol.js';
import type {
  AsyncCallback,
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

/** Files of a client certificate. Since API 11 (API reference, `ClientCert`). */
export interface ClientCert {
  /** PEM file with the certificate and its chain; empty: no client certificate. */
  certPath: string;
  /** PEM file with the key. */
  keyPath: string;
  /** Password of the key file. Default `''`. */
  keyPassword?: string | undefined;
}

/** A given HTTP proxy. Since API 12 (API reference, `connection.HttpProxy`). */
export interface HttpProxy {
  /** Host name or address, at most 2047 bytes; empty: no proxy. */
  host: string;
  /** 0–65535, else 401; 0: no proxy. */
  port: number;
  /** For Basic authentication; without a colon. With the password at most 4096 bytes, else 401. */
  username?: string | undefined;
  /** For Basic authentication. */
  password?: string | undefined;
  /**
   * Hosts to reach directly: a name matches itself and its subdomains, `*` matches any text,
   * upper and lower case are the same (C19).
   */
  exclusionList: string[];
}

/**
 * `'system'` (the default), `'no-proxy'`, or a proxy; anything else: 401. Connections through a
 * proxy are tunnels (CONNECT), for ws too. Since API 12 (API reference, `ProxyConfiguration`).
 *
 * Beyond OHOS: `'system'` is the proxy of the environment: `HTTPS_PROXY` for wss, `HTTP_PROXY` for
 * ws, else `ALL_PROXY`, but for the hosts of `NO_PROXY`; lower-case names go first.
 */
export type ProxyConfiguration = 'system' | 'no-proxy' | HttpProxy;

/**
 * Options of `connect`. Where no error is named, a value of a wrong type counts as missing (C17).
 * Since API 6 (API reference, `WebSocketRequestOptions`).
 */
export interface WebSocketRequestOptions {
  /**
   * Request headers. Names are sent in lower case and sorted (C11), empty values are not sent.
   * `Origin` replaces the default one. 401: a name or value that HTTP does not allow; a header
   * of the handshake itself (`Host`, `Connection`, `Upgrade`, `Sec-WebSocket-*`) or of a body.
   *
   * Beyond OHOS: numbers and booleans are sent as text, arrays joined by `, ` (C12).
   */
  header?: object | undefined;
  /**
   * PEM file with the CA certificates to trust in place of the system's. Since API 11. 2302002 if
   * it does not exist or cannot be used (C16).
   */
  caPath?: string | undefined;
  /**
   * Since API 11. 2302002 if a file does not exist or cannot be used, 2302999 if the password is
   * wrong or the key does not belong to the certificate.
   */
  clientCert?: ClientCert | undefined;
  /** Default `'system'`. Since API 12. */
  proxy?: ProxyConfiguration | undefined;
  /**
   * Value of `Sec-WebSocket-Protocol`: subprotocols separated by commas. Default `''`: none. At
   * most 1023 bytes (C13). 401 if it is not a string of that form. Since API 12.
   */
  protocol?: string | undefined;
  /** `true` skips every check of the server's certificate (C15). Default `false`. Since API 20. */
  skipServerCertVerification?: boolean | undefined;
  /**
   * Seconds between two pings, 0–30 000, fractions cut off; 0: no heartbeat; out of range: 30.
   * Default 30. Since API 21.
   */
  pingInterval?: number | undefined;
  /**
   * Seconds to wait for the pong before the connection is given up. At most `pingInterval`, which
   * also takes its place if this is negative, 0 or larger (C21). Default 30. Since API 21.
   */
  pongTimeout?: number | undefined;
  /** Lowest TLS version to accept; other values change nothing (C17). Since API 26. */
  minSupportTlsProtocol?: TlsProtocol | undefined;
  /**
   * `true` puts the port into the `Origin` header, as in `Host` (C10). Default `false`. Since API
   * 26.
   */
  supportOriginPort?: boolean | undefined;
  /** Beyond OHOS. Limits of this connection; what is left out has its default. 401 if one is none. */
  limits?: WebSocketLimits | undefined;
  /** Beyond OHOS. What happens to a message above `limits.queuedBytes`. Default `'wait'`. Else 401. */
  backPressure?: BackPressure | undefined;
  /** Beyond OHOS. As what binary messages arrive. Default `'arraybuffer'`. 401 if it is none. */
  binaryType?: BinaryType | undefined;
  /**
   * Beyond OHOS. Offers compression of messages; `true` is all defaults. The server may decline. An
   * answer that is not what was offered ends the attempt with an `error` event. Default `false`.
   */
  permessageDeflate?: boolean | PermessageDeflateOptions | undefined;
}

/**
 * Headers of the server's answer; names in lower case. Since API 12 (API reference,
 * `ResponseHeaders`).
 */
export type ResponseHeaders = { [k: string]: string | string[] | undefined };

/** Value of the `open` event (API reference, `on('open')`). */
export interface WebSocketOpenResult {
  /** HTTP status, always 101. */
  status: number;
  /** Reason phrase of the status line; may be empty. */
  message: string;
}

/** Value of the `openInfo` event. Since API 26. */
export interface WebSocketOpenInfo extends WebSocketOpenResult {
  /** The subprotocol that the server chose; missing if it chose none. */
  protocol?: string;
}

/**
 * A client. Methods never throw, except `on` and `off`: they reject, or call back with a
 * `BusinessError`, always asynchronously. One connection at a time; when it has ended (the `close`
 * event, or the `error` event of an attempt) the object can connect again and keeps its listeners.
 * While it connects or is connected, it keeps the process alive and is not collected (C38). Since
 * API 6.
 */
export interface WebSocket {
  /**
   * Requests a connection. `true` says that the request was made, not that it succeeded: wait for
   * the `open` event.
   *
   * `url`: `ws://` or `wss://`, at most 8195 bytes of UTF-8; not allowed are user names, spaces and
   * control characters. A fragment is not sent, non-ASCII characters are percent-encoded (C8).
   *
   * Errors: 401 arguments; 201 and 2302998 only after `setPolicy`; 2302002 a certificate file;
   * 2302003 connecting or connected already; 2302001 the URL; −1 the host, or the proxy's, has no
   * address (then an `error` event follows); 2302999 anything else that keeps the request from
   * being made.
   */
  connect(url: string, options?: WebSocketRequestOptions): Promise<boolean>;
  /** The same with a callback. */
  connect(url: string, callback: AsyncCallback<boolean>): void;
  /** The same with options and a callback. */
  connect(
    url: string,
    options: WebSocketRequestOptions | undefined,
    callback: AsyncCallback<boolean>,
  ): void;

  /**
   * Sends one message. `true` says that it was accepted; messages leave in the order of the calls.
   * What is sent before the `open` event leaves after it (C29). Awaiting the result slows a fast
   * sender down to what the connection carries.
   *
   * Errors: 401 arguments or size; −1 not connecting, not connected, or closing (C30); 2302999 too
   * much waits already, only with a `backPressure` that says so.
   */
  send(data: WebSocketData): Promise<boolean>;
  /** The same with a callback. */
  send(data: WebSocketData, callback: AsyncCallback<boolean>): void;

  /**
   * Closes: what was sent before still leaves, then the close handshake runs, at most 5 s (C25).
   * The `close` event then reports this code and reason. Before `open` it ends the attempt, with
   * the same event (C28). Messages that arrive after the call are dropped.
   *
   * Errors: 401 arguments; 2302999 not connecting, not connected, or closing already.
   */
  close(options?: WebSocketCloseOptions): Promise<boolean>;
  /** The same with a callback. */
  close(callback: AsyncCallback<boolean>): void;
  /** The same with options and a callback. */
  close(options: WebSocketCloseOptions | undefined, callback: AsyncCallback<boolean>): void;

  /**
   * Sets the listener of an event. One listener an event: the new one replaces the old (C5).
   * Unknown names are ignored. Throws 401 unless called with a string and a function (C6).
   */
  on(type: 'open', callback: AsyncCallback<WebSocketOpenResult>): void;
  /** `open` with the chosen subprotocol; comes directly after it. Since API 26. */
  on(type: 'openInfo', callback: AsyncCallback<WebSocketOpenInfo>): void;
  /**
   * A message: a string for text, an ArrayBuffer for binary. Without a listener it is lost (C34).
   */
  on(type: 'message', callback: AsyncCallback<string | ArrayBuffer>): void;
  /** Beyond OHOS. The same with `binaryType: 'view'`: a Uint8Array for binary. */
  on(type: 'message', callback: AsyncCallback<string | Uint8Array>): void;
  /** Comes directly after every `message`. Since API 11. */
  on(type: 'dataEnd', callback: Callback<void>): void;
  /** The server's headers; comes before `open`, and only if the upgrade succeeded. Since API 12. */
  on(type: 'headerReceive', callback: Callback<ResponseHeaders>): void;
  /** The connection has ended; nothing follows. Never comes for a failed attempt. */
  on(type: 'close', callback: AsyncCallback<CloseResult>): void;
  /**
   * An attempt failed, or the TCP connection ended without a close frame (then `close` follows).
   * `code` is always 200, `data` the HTTP status of the answer or `'0'` (C2).
   *
   * Beyond OHOS: `message` says what happened, `cause` holds the details.
   */
  on(type: 'error', callback: ErrorCallback<BusinessError<string>>): void;
  /** The same with an error that is not asked for `data`. */
  on(type: 'error', callback: ErrorCallback): void;

  /**
   * Removes the listener of an event; with a function only if it is that one. Throws 401 unless
   * called with a string, or a string and a function.
   */
  off(type: 'open', callback?: AsyncCallback<WebSocketOpenResult>): void;
  /** The same of `openInfo`. */
  off(type: 'openInfo', callback?: AsyncCallback<WebSocketOpenInfo>): void;
  /** The same of `message`. */
  off(type: 'message', callback?: AsyncCallback<string | ArrayBuffer>): void;
  /** The same of `message` with `binaryType: 'view'`. */
  off(type: 'message', callback?: AsyncCallback<string | Uint8Array>): void;
  /** The same of `dataEnd`. */
  off(type: 'dataEnd', callback?: Callback<void>): void;
  /** The same of `headerReceive`. */
  off(type: 'headerReceive', callback?: Callback<ResponseHeaders>): void;
  /** The same of `close`. */
  off(type: 'close', callback?: AsyncCallback<CloseResult>): void;
  /** The same of `error`. */
  off(type: 'error', callback?: ErrorCallback<BusinessError<string>>): void;
  /** The same of `error`. */
  off(type: 'error', callback?: ErrorCallback): void;
}
