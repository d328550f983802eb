/** Where a server listens: the option `listen`, read and checked. Does no I/O. */

import { isIP } from 'node:net';
import path from 'node:path';
import type { ErrorName } from './errors.js';
import type { WebSocketListenAddress } from './server-config-types.js';
import type { ListenAddress, ServerConfig } from './transport.js';
import { isObject, isText, mismatch } from './validate.js';

const BACKLOG = 4096;
const MAX_ADDRESSES = 64;
const MAX_BACKLOG = 2 ** 31 - 1;

/** The addresses, or why they are refused. */
export type Addresses =
  | { readonly addresses: readonly ListenAddress[] }
  | { readonly refused: ErrorName; readonly why: string };

/** An address of TCP as `serverIP` means it. */
export function tcpAddress(ip: string, port: number): ListenAddress {
  return { ip, port, ipv6Only: true, reusePort: false, backlog: BACKLOG };
}

/** A zone (`fe80::1%eth0`) is no part of an address here. */
export function isAddressOfTcp(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** The port of a configuration, the first one if there are several; 0 if it has none of its own. */
export function portOf({ listen }: ServerConfig): number {
  for (const address of listen) if ('port' in address) return address.port;
  return 0;
}

/** What the server listens on, in the words of the API. */
export function boundAddresses(
  listen: readonly ListenAddress[],
  ports: readonly number[],
): readonly WebSocketListenAddress[] {
  return listen.map((address, n) => {
    if ('path' in address) return { path: address.path };
    return { address: address.ip, port: ports[n] ?? address.port };
  });
}

/** Why the types of `listen` are a 401, if they are. */
export function listenProblem(config: Record<string, unknown>): string | undefined {
  const { listen } = config;
  if (listen === undefined) return undefined;
  if (config.serverIP !== undefined || config.serverPort !== undefined) {
    return 'listen takes the place of serverIP and serverPort';
  }
  if (!Array.isArray(listen) || listen.length < 1 || listen.length > MAX_ADDRESSES) {
    return mismatch('listen', `an array of 1–${MAX_ADDRESSES} addresses`, listen);
  }
  for (const [n, entry] of listen.entries()) {
    const problem = entryProblem(entry, `listen[${n}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

interface Field {
  readonly expected: string;
  readonly isOptional: boolean;
  holds(value: unknown): boolean;
}

const whole = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const boolean: Field = {
  expected: 'true or false',
  isOptional: true,
  holds: (value) => typeof value === 'boolean',
};
const backlog: Field = {
  expected: 'an integer of 1–2,147,483,647',
  isOptional: true,
  holds: whole(1, MAX_BACKLOG),
};

const tcpFields: Readonly<Record<string, Field>> = {
  address: { expected: 'a string', isOptional: false, holds: isText },
  port: {
    expected: 'a number',
    isOptional: false,
    holds: (value) => typeof value === 'number',
  },
  ipv6Only: boolean,
  reusePort: boolean,
  backlog,
};
const localFields: Readonly<Record<string, Field>> = {
  path: { expected: 'a path', isOptional: false, holds: isPath },
  mode: { expected: 'an integer of 0–0o777', isOptional: true, holds: whole(0, 0o777) },
  backlog,
};

/** An empty name in the abstract space would ask the kernel for one, and a NUL ends a path. */
function isPath(value: unknown): boolean {
  if (!isText(value)) return false;
  return isAbstract(value) ? value.length > 1 : !value.includes('\0');
}

function isAbstract(text: string): boolean {
  return text.startsWith('\0');
}

function entryProblem(entry: unknown, what: string): string | undefined {
  if (!isObject(entry)) return mismatch(what, 'an object', entry);
  const fields = entry.path === undefined ? tcpFields : localFields;
  for (const name of Object.keys(entry)) {
    if (!Object.hasOwn(fields, name)) return `${what}.${name} is no option of such an address`;
  }
  for (const [name, field] of Object.entries(fields)) {
    const value = entry[name];
    if (value === undefined ? !field.isOptional : !field.holds(value)) {
      return mismatch(`${what}.${name}`, field.expected, value);
    }
  }
  const hasFile = entry.path === undefined || !isAbstract(String(entry.path));
  return hasFile || entry.mode === undefined
    ? undefined
    : `${what}.mode: an abstract name has none`;
}

interface Entry {
  readonly address: string;
  readonly port: number;
  readonly ipv6Only?: boolean;
  readonly reusePort?: boolean;
  readonly backlog?: number;
  readonly path?: string;
  readonly mode?: number;
}

/** Reads a list whose types are right. */
export function readListen(list: unknown): Addresses {
  const entries = list as readonly Entry[];
  for (const { path: file, address, port } of entries) {
    if (file !== undefined) continue;
    if (!isAddressOfTcp(address)) {
      return {
        refused: 'badAddress',
        why: mismatch('address', 'an IP address', address),
      };
    }
    if (!whole(0, 65_535)(port)) {
      return { refused: 'badPort', why: mismatch('port', 'an integer of 0–65535', port) };
    }
  }
  return { addresses: entries.map(toAddress) };
}

function toAddress(entry: Entry): ListenAddress {
  const { backlog = BACKLOG } = entry;
  if (entry.path !== undefined) {
    const file = isAbstract(entry.path) ? entry.path : path.resolve(entry.path);
    return { path: file, mode: entry.mode, backlog };
  }
  const { address: ip, port, ipv6Only = true, reusePort = false } = entry;
  return { ip, port, ipv6Only, reusePort, backlog };
}
