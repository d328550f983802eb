/** The `proxy` option: what it means and which hosts it does not apply to. Makes no connection. */

import type { Profile } from './profile.js';
import { isObject, isText, mismatch } from './validate.js';

/** A proxy to use. */
export interface ProxyServer {
  readonly host: string;
  readonly port: number;
  readonly exclusions: readonly string[];
}

/** Longest proxy host in bytes; netstack's buffer, which it overflows, has one more (C13). */
const MAX_HOST_BYTES = 2047;

/**
 * Reads the option. Returns undefined for a direct connection (a proxy without a host or with port
 * 0 is none), a string that says what is wrong.
 */
export function readProxy(proxy: unknown): ProxyServer | string | undefined {
  if (proxy === 'system' || proxy === 'no-proxy') return undefined;
  if (!isObject(proxy)) return mismatch('proxy', "'system', 'no-proxy' or an object", proxy);

  const { host, port = 0, exclusionList = [] } = proxy;
  if (typeof port !== 'number' || !(port >= 0 && port <= 65535)) {
    return mismatch('proxy.port', '0–65535', port);
  }
  if (!Array.isArray(exclusionList)) {
    return mismatch('proxy.exclusionList', 'an array', exclusionList);
  }
  if (!isText(host)) return undefined;
  if (Buffer.byteLength(host) > MAX_HOST_BYTES) {
    return `proxy.host is longer than ${MAX_HOST_BYTES} bytes`;
  }
  const proxyPort = Math.trunc(port);
  return proxyPort === 0
    ? undefined
    : { host, port: proxyPort, exclusions: exclusionList.filter(isText) };
}

/** Whether the exclusion list names this host; brackets and port do not belong to it (C19). */
export function isExcluded(hostname: string, proxy: ProxyServer, profile: Profile): boolean {
  return proxy.exclusions.some((entry) => matches(hostname, entry.trim(), profile));
}

function matches(hostname: string, entry: string, profile: Profile): boolean {
  if (entry === '*') return true;
  const pattern = entry
    .split('*')
    .map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('.*');
  if (profile.exactProxyExclusions) return new RegExp(`^${pattern}$`).test(hostname);
  // `.example.com`, as other programs write it, is `example.com`.
  return new RegExp(`^(?:.*\\.)?${pattern.replace(/^\\\./, '')}$`, 'i').test(hostname);
}
