/**
 * The `proxy` option: what it means and which hosts it does not apply to. Makes no connection; what
 * `'system'` means is in `system-proxy.ts`.
 */

import type { Profile } from './profile.js';
import { isObject, isText, mismatch } from './validate.js';

/** A proxy to use. */
export interface ProxyServer {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  /** `''` for none. */
  readonly user: string;
  readonly password: string;
}

/** A proxy of the application's, and the hosts that it is not for. */
export interface GivenProxy extends ProxyServer {
  readonly exclusions: readonly string[];
}

/** What the option asks for, if not a direct connection. */
export type ProxyChoice = GivenProxy | 'system';

/** Longest proxy host in bytes; netstack's buffer, which it overflows, has one more (C13). */
const MAX_HOST_BYTES = 2047;
/** Longest user name and password together, in bytes: they travel in one header line. */
const MAX_CREDENTIAL_BYTES = 4096;

/**
 * Reads the option. Returns undefined for a direct connection (a proxy without a host or with port
 * 0 is none), a string that says what is wrong.
 */
export function readProxy(
  proxy: unknown,
  profile: Profile,
): ProxyChoice | { readonly problem: string } | undefined {
  if (proxy === 'system') return proxy;
  if (proxy === 'no-proxy') return undefined;
  if (!isObject(proxy)) {
    return { problem: mismatch('proxy', "'system', 'no-proxy' or an object", proxy) };
  }
  const { host, port = 0, exclusionList = [] } = proxy;
  if (typeof port !== 'number' || !(port >= 0 && port <= 65535)) {
    return { problem: mismatch('proxy.port', '0–65535', port) };
  }
  if (!Array.isArray(exclusionList)) {
    return { problem: mismatch('proxy.exclusionList', 'an array', exclusionList) };
  }
  if (!isText(host)) return undefined;
  if (Buffer.byteLength(host) > MAX_HOST_BYTES) {
    return { problem: `proxy.host is longer than ${MAX_HOST_BYTES} bytes` };
  }
  const whole = Math.trunc(port);
  const server = profile.proxyHostIsAuthority
    ? parseProxyAuthority(host, whole)
    : { host: withoutBrackets(host), port: whole, ...credentials(proxy) };
  const problem = credentialProblem(server);
  if (problem !== undefined) return { problem };
  return server.port === 0 || server.host === ''
    ? undefined
    : { ...server, exclusions: exclusionList.filter(isText) };
}

function credentials({ username, password }: Record<string, unknown>): Credentials {
  return {
    user: isText(username) ? username : '',
    password: isText(password) ? password : '',
  };
}

type Credentials = Pick<ProxyServer, 'user' | 'password'>;

function credentialProblem({ user, password }: Credentials): string | undefined {
  if (user.includes(':')) return 'proxy.username contains a colon (RFC 7617 §2)';
  return Buffer.byteLength(user) + Buffer.byteLength(password) > MAX_CREDENTIAL_BYTES
    ? `user name and password of the proxy are longer than ${MAX_CREDENTIAL_BYTES} bytes`
    : undefined;
}

/**
 * What lws makes of a host: `http://` in front is dropped, a user and password are used as they
 * are, and a port behind wins.
 */
export function parseProxyAuthority(text: string, port: number): ProxyServer {
  const authority = text.replace(/^http:\/\//, '');
  const at = authority.lastIndexOf('@');
  const [, user = '', password = ''] =
    /^([^:]*):?(.*)$/s.exec(authority.slice(0, Math.max(at, 0))) ?? [];
  const [, host = '', portText] =
    /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority.slice(at + 1)) ?? [];
  const written = portText === undefined ? port : Number.parseInt(portText, 10) & 0xffff;
  return { host: withoutBrackets(host), port: written, user, password };
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/s, '$1');
}

/** Whether the exclusion list names this host; brackets and port do not belong to it (C19). */
export function isExcluded(
  hostname: string,
  exclusions: readonly string[],
  profile: Profile,
): boolean {
  return exclusions.some((entry) =>
    profile.exactProxyExclusions
      ? matchesExactly(hostname, entry.trim())
      : matchesHost(hostname, entry.trim()),
  );
}

/** The whole host name and its case; `*` counts only where nothing else is unusual (§2.2.4). */
function matchesExactly(hostname: string, entry: string): boolean {
  if (entry === '*') return true;
  if (hostname.includes(':')) return false;
  if (!/^[\w.*-]+$/.test(entry)) return hostname === entry;
  return new RegExp(`^${wildcards(entry)}$`).test(hostname);
}

/** The host or one of its parents in any case, with `*` for any text. */
export function matchesHost(hostname: string, entry: string): boolean {
  if (entry === '') return false;
  // `.example.com`, as other programs write it, is `example.com`; so is the absolute `example.com.`
  const pattern = wildcards(withoutBrackets(entry).replace(/^\./, '').replace(/\.$/, ''));
  return new RegExp(`^(?:.*\\.)?${pattern}$`, 'i').test(hostname.replace(/\.$/, ''));
}

/** The source of a regular expression in which only `*` is special. */
function wildcards(entry: string): string {
  // Several in a row mean no more than one, and would take the matcher long.
  return entry
    .split(/\*+/)
    .map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('.*');
}
