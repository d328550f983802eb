/** The options that say which proxies are believed, and by what. Beyond OHOS. */

import { isIP } from 'node:net';
import { mismatch } from './validate.js';

const sources = ['x-forwarded-for', 'forwarded', 'proxy-protocol'] as const;

/** Where trusted proxies say whom they speak for; see `WebSocketServerConfig.proxyHeader`. */
export type ProxyHeader = (typeof sources)[number];

export interface TrustedProxies {
  readonly networks: readonly string[];
  readonly header: ProxyHeader;
}

/** Reads `trustedProxies` and `proxyHeader`. A string returned is the reason for a 401. */
export function readTrustedProxies(given: unknown, header: unknown): TrustedProxies | string {
  const source = header === undefined ? sources[0] : sources.find((name) => name === header);
  if (source === undefined) {
    return mismatch('proxyHeader', `one of '${sources.join("', '")}'`, JSON.stringify(header));
  }
  if (given === undefined) {
    return header === undefined
      ? { networks: [], header: source }
      : 'proxyHeader needs trustedProxies';
  }
  if (!Array.isArray(given)) return mismatch('trustedProxies', 'an array', given);
  const wrong = given.find((network) => typeof network !== 'string' || !isNetwork(network));
  return wrong === undefined && !given.includes(undefined)
    ? { networks: given, header: source }
    : mismatch('an entry of trustedProxies', 'an IP address or network', JSON.stringify(wrong));
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. */
function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0 || more.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
