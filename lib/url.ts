/**
 * WebSocket URLs (RFC 6455 §3) by our own rules, since neither WHATWG's parser (which repairs what
 * should be refused) nor lws's (which lets anything through) says what the API page promises.
 * Parses only; resolving is `resolve.ts`.
 *
 * In neither profile does a URL change the shape of the request: spaces and control characters are
 * refused (C8).
 */

import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Profile } from './profile.js';

/** Longest URL in bytes of UTF-8: the documented 8196 count a terminator (C9). */
export const MAX_URL_BYTES = 8195;

/** Where a URL leads. */
export interface Target {
  readonly tls: boolean;
  /** Host name or address, without brackets; empty if the URL has none. */
  readonly hostname: string;
  /** 1–65535; 0 only where the profile reads ports leniently. */
  readonly port: number;
  /** Value of `Host`: with the port, unless it is the scheme's own. */
  readonly host: string;
  /** Host for `Origin`: without the port. */
  readonly bareHost: string;
  /** Path and query; begins with `/`, printable ASCII. */
  readonly path: string;
}

/** Parses a URL. Returns a string that says what is wrong if it is not one. */
export function parseUrl(url: string, profile: Profile): Target | string {
  if (Buffer.byteLength(url) > MAX_URL_BYTES) return `longer than ${MAX_URL_BYTES} bytes`;
  if (forbidden.test(url)) return 'contains a space, a control character or half a surrogate pair';

  const scheme = (profile.anySchemeCase ? anyCaseScheme : lowerCaseScheme).exec(url)?.[0];
  if (scheme === undefined) return 'does not begin with ws:// or wss://';
  const tls = scheme.length === 'wss://'.length;

  const rest = url.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  const authority = parseAuthority(end < 0 ? rest : rest.slice(0, end), tls, profile);
  if (typeof authority === 'string') return authority;
  return { tls, ...authority, path: targetPath(end < 0 ? '' : rest.slice(end), profile) };
}

const anyCaseScheme = /^wss?:\/\//i;
const lowerCaseScheme = /^wss?:\/\//;

const forbidden = /[\0-\x20\x7f]|\p{Surrogate}/u;

type Authority = Pick<Target, 'hostname' | 'port' | 'host' | 'bareHost'>;

function parseAuthority(text: string, tls: boolean, profile: Profile): Authority | string {
  if (text.includes('@')) return 'user names are not supported';
  const [, written, portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (written === undefined) return 'the host is malformed';

  const defaultPort = tls ? 443 : 80;
  const port = portText === undefined ? defaultPort : parsePort(portText, profile);
  if (port === undefined) return `not a port: ${portText}`;
  const hostname = parseHost(written);
  if (hostname === undefined) return `not a host: ${written}`;

  const bareHost = hostname.includes(':') && profile.bracketsIpv6 ? `[${hostname}]` : hostname;
  const host = port === defaultPort ? bareHost : `${bareHost}:${port}`;
  return { hostname, port, host, bareHost };
}

function parseHost(written: string): string | undefined {
  if (written.startsWith('[')) {
    const address = written.slice(1, -1);
    // A zone must not travel in `Host`, and nothing here could tell it apart for connecting.
    return isIPv6(address) && !address.includes('%') ? address : undefined;
  }
  if (written === '') return written;
  const name = /^[\0-\x7f]*$/.test(written) ? written : domainToASCII(written);
  return /^[\w.-]+$/.test(name) ? name : undefined;
}

function parsePort(text: string, profile: Profile): number | undefined {
  if (profile.lenientPort) return Number.parseInt(text, 10) & 0xffff;
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
}

/** The request target of what follows the host (RFC 6455 §3; dot segments stay as they are). */
function targetPath(text: string, profile: Profile): string {
  const hash = profile.sendsFragment ? -1 : text.indexOf('#');
  const asked = hash < 0 ? text : text.slice(0, hash);
  const rooted = asked.startsWith('/') ? asked : `/${asked}`;
  const path = profile.dropsLeadingSlash && rooted.startsWith('//') ? rooted.slice(1) : rooted;
  return path.replace(profile.encodesTarget ? notUri : notAscii, encodeURIComponent);
}

/**
 * What RFC 3986 does not allow in a path or query, except brackets and stray percent signs: widely
 * sent raw.
 */
const notUri = /[^\x21-\x7e]|["<>\\^`{|}]/gu;
const notAscii = /[^\x21-\x7e]/gu;
