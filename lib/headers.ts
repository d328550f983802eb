/**
 * HTTP headers of the handshake: the application's for the request, the server's for
 * `headerReceive`. What could change the shape of the request is refused in both profiles.
 */

import type { ResponseHeaders } from './client-types.js';
import type { Profile } from './profile.js';
import { isObject, mismatch } from './validate.js';

export interface RequestHeaders {
  /** Names in lower case, sorted (C11). */
  readonly lines: readonly (readonly [string, string])[];
  /** The application's `Origin`, if it replaces ours. */
  readonly origin: string | undefined;
}

/** Made by the handshake itself; a second one would contradict it. */
const handshakeHeader = /^(?:host|connection|upgrade|sec-websocket-.*)$/;

/**
 * Announces a body, which a handshake has not: what follows would be read as one (request
 * smuggling).
 */
const bodyHeader = /^(?:content-length|transfer-encoding)$/;

/** A token of HTTP (RFC 9110 §5.6.2), as header names and subprotocols are. */
export const TOKEN: RegExp = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

const forbiddenInValue = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Reads the `header` option: own enumerable properties; of names that differ in case only, the last
 * one. A string returned says what is wrong.
 */
export function readHeaders(header: unknown, profile: Profile): RequestHeaders | string {
  const values = new Map<string, string>();
  if (!isObject(header)) return { lines: [], origin: undefined };

  for (const [written, raw] of Object.entries(header)) {
    const name = written.toLowerCase();
    const value = headerValue(name, raw, profile);
    if (value === undefined) return mismatch(`header ${written}`, 'text', raw);
    if (value === '') continue;
    if (!TOKEN.test(name)) return `not a header name: ${JSON.stringify(written)}`;
    if (forbiddenInValue.test(value)) return `header ${written} contains a control character`;
    if (bodyHeader.test(name)) return `header ${written} does not belong into a handshake`;
    if (profile.protectsHandshakeHeaders && handshakeHeader.test(name)) {
      return `header ${written} is made by the handshake`;
    }
    values.set(name, value);
  }

  const origin = profile.protectsHandshakeHeaders ? values.get('origin') : undefined;
  if (origin !== undefined) values.delete('origin');
  return { lines: [...values].sort(byName), origin };
}

/** Code-unit order, as a sorted map of netstack's; `localeCompare` would depend on the machine. */
function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** The text of a header value; `''` if it is not to be sent, undefined if it cannot be (C12). */
function headerValue(name: string, raw: unknown, profile: Profile): string | undefined {
  if (typeof raw === 'string') return raw;
  if (!profile.convertsHeaderValues || raw === undefined || raw === null) return '';
  if (!Array.isArray(raw)) return scalarText(raw);
  const parts = raw.map(scalarText);
  // Cookies have a separator of their own (RFC 6265 §4.2.1).
  return parts.every((part) => part !== undefined)
    ? parts.join(name === 'cookie' ? '; ' : ', ')
    : undefined;
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const isScalar = ['number', 'bigint', 'boolean'].includes(typeof value);
  return isScalar ? String(value) : undefined;
}

/**
 * Checks the `protocol` option or configuration: names separated by commas (RFC 6455 §4.1). Returns
 * the names, or a string that says what is wrong.
 */
export function readProtocols(protocol: string): readonly string[] | string {
  const names = protocol.split(',').map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''));
  if (protocol !== '' && !names.every((name) => TOKEN.test(name))) {
    return `not a list of subprotocols: ${JSON.stringify(protocol)}`;
  }
  return protocol === '' ? [] : names;
}

/** Value of `headerReceive`: sorted by name, repeated headers put together (§2.5, C36). */
export function responseHeaders(
  lines: readonly (readonly [string, string])[],
  profile: Profile,
): ResponseHeaders {
  const values = new Map<string, string[]>();
  for (const [name, value] of lines) {
    const text = Buffer.byteLength(value) < profile.headerValueLimit ? value : '';
    const known = values.get(name);
    if (known === undefined) values.set(name, [text]);
    else known.push(text);
  }
  const names = [...values.keys()].sort();
  // Own properties even for a header called `__proto__`, which assignment would lose.
  return Object.fromEntries(names.map((name) => [name, together(name, values.get(name), profile)]));
}

function together(name: string, values: string[] | undefined, profile: Profile) {
  if (values === undefined || values.length === 1) return values?.[0];
  const isCookie = name === 'set-cookie';
  const separator = isCookie ? profile.setCookieSeparator : profile.headerSeparator;
  return separator === undefined ? values : values.join(separator);
}
