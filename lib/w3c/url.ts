/**
 * WebSocket URLs as the WebSockets standard reads them (§3.1, "obtain a URL record"): by the WHATWG parser,
 * http and https count as ws and wss, a fragment is an error. OpenHarmony's rules are in `../url.ts`.
 */

import type { Target } from '../url.js';

/** Throws a "SyntaxError" DOMException for what is no such URL. */
export function parseWebSocketUrl(written: string): URL {
  if (!URL.canParse(written)) throw syntaxError(`not a URL: ${JSON.stringify(written)}`);
  const url = new URL(written);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw syntaxError(
      `the scheme of a WebSocket URL is ws, wss, http or https, not ${url.protocol}`,
    );
  }
  if (url.href.includes('#')) throw syntaxError('a WebSocket URL has no fragment');
  return url;
}

/** A "SyntaxError" DOMException. */
export function syntaxError(message: string): DOMException {
  return new DOMException(message, 'SyntaxError');
}

/** Where a URL leads. */
export function targetOf(url: URL): Target {
  const tls = url.protocol === 'wss:';
  return {
    tls,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (tls ? 443 : 80) : Number(url.port),
    host: url.host,
    bareHost: url.hostname,
    path: url.pathname + url.search,
  };
}

/** The `Authorization` header of a URL with a user or password in it (RFC 7617), if it has one. */
export function credentialsOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const bytes = Buffer.concat([
    percentDecoded(username),
    Buffer.from(':'),
    percentDecoded(password),
  ]);
  return `Basic ${bytes.toString('base64')}`;
}

/** The bytes of a text of ASCII; a stray percent sign is itself, unlike for `decodeURIComponent`. */
function percentDecoded(text: string): Buffer {
  const latin1 = text.replace(/%[\da-f]{2}/gi, (escaped) =>
    String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
  );
  return Buffer.from(latin1, 'latin1');
}

/** Ports of other protocols, which nobody is to be led to (Fetch standard §2.9, "bad port"). */
const badPorts: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
  103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
  512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
  995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
  6669, 6679, 6697, 10080,
]);

export function isBadPort(port: number): boolean {
  return badPorts.has(port);
}
