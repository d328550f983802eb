/**
 * What `proxy: 'system'` means outside OpenHarmony: the variables that other programs read too,
 * `HTTPS_PROXY` for wss, `HTTP_PROXY` for ws, `ALL_PROXY` for both, except for the hosts of
 * `NO_PROXY`. Lower-case names go first.
 */

import { BlockList, isIP } from 'node:net';
import { matchesHost, type ProxyServer } from './proxy.js';
import type { Target } from './url.js';

/** Reads one variable of the environment. */
export type ReadVariable = (name: string) => string | undefined;

/** The proxy for a target; undefined for none; a string that says why a variable is unusable. */
export function systemProxy(
  { tls, hostname, port }: Target,
  read: ReadVariable,
): ProxyServer | string | undefined {
  const names = [tls ? 'HTTPS_PROXY' : 'HTTP_PROXY', 'ALL_PROXY'];
  const variable = names.find((name) => variableOf(name, read) !== '');
  if (variable === undefined) return undefined;
  const entries = variableOf('NO_PROXY', read).split(/[\s,]+/);
  if (entries.some((entry) => isBypassed(entry, hostname, port))) return undefined;
  return parseProxyUrl(variableOf(variable, read)) ?? `${variable} is not the URL of an HTTP proxy`;
}

function variableOf(name: string, read: ReadVariable): string {
  return (read(name.toLowerCase()) || read(name) || '').trim();
}

/** `http://user:password@host:port`, of which all but the host may be missing. */
function parseProxyUrl(text: string): ProxyServer | undefined {
  const written = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(written)) return undefined;
  const { protocol, hostname, port, username, password } = new URL(written);
  if (protocol !== 'http:') return undefined;
  try {
    return {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? 80 : Number(port),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
  } catch {
    // A stray percent sign.
    return undefined;
  }
}

/** `*`, a host with its subdomains, an address, `address/bits`; each with a port or without. */
function isBypassed(entry: string, hostname: string, port: number): boolean {
  if (matchesHost(hostname, entry) || isInSubnet(hostname, entry)) return true;
  const [, host = '', written] = /^(.+):(\d+)$/.exec(entry) ?? [];
  return Number(written) === port && matchesHost(hostname, host);
}

function isInSubnet(address: string, entry: string): boolean {
  const [net = '', bits = '', ...rest] = entry.split('/');
  const family = isIP(net);
  const isSubnet = /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32);
  if (!isSubnet || rest.length > 0 || family === 0 || isIP(address) !== family) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const subnet = new BlockList();
  subnet.addSubnet(net, Number(bits), type);
  return subnet.check(address, type);
}
