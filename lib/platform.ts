/**
 * What Node does for us beside the engine, as an interface, so that tests need no network and no
 * files.
 */

import { lookup } from 'node:dns/promises';
import { access } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';

export interface Platform {
  /** All addresses of a name in the resolver's order. Rejects with the resolver's error. */
  lookup(hostname: string): Promise<readonly string[]>;
  /** Whether there is something at this path. */
  exists(path: string): Promise<boolean>;
  /** One variable of the environment. */
  readVariable(name: string): string | undefined;
  /** Whether this machine has IPv6 at all. */
  hasIpv6(): boolean;
}

export const node: Platform = {
  async lookup(hostname) {
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => address);
  },

  async exists(path) {
    try {
      await access(path);
      return true;
    } catch {
      // Not reachable is as good as not there; a path with a NUL lands here too.
      return false;
    }
  },

  readVariable: (name) => process.env[name],

  hasIpv6() {
    const addresses = Object.values(networkInterfaces()).flat();
    return addresses.some((address) => address?.family === 'IPv6');
  },
};

/** The first of these files that does not exist. */
export async function firstMissing(
  paths: readonly string[],
  platform: Platform,
): Promise<string | undefined> {
  for (const path of paths) {
    if (path === '' || !(await platform.exists(path))) return path;
  }
  return undefined;
}
