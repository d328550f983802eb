/**
 * From a host to addresses. Node resolves, never the engine, whose resolver would block the thread
 * that serves all connections.
 */

import { isIP } from 'node:net';
import type { Platform } from './platform.js';
import type { EngineFailure } from './transport.js';

/** The addresses that need no resolver: those of a literal. */
export function literalAddress(hostname: string): readonly string[] | undefined {
  return isIP(hostname) === 0 ? undefined : [hostname];
}

/** All addresses of a host, each once, in the resolver's order; or why there are none. */
export async function resolve(
  hostname: string,
  platform: Platform,
): Promise<readonly string[] | EngineFailure> {
  // Node's own lookup answers an empty name with an empty address.
  if (hostname === '') return failure('', 'the URL has no host');
  try {
    const addresses = [...new Set(await platform.lookup(hostname))];
    return addresses.length > 0 ? addresses : failure('ENOTFOUND', `no address for ${hostname}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return failure(code ?? '', message);
  }
}

function failure(errno: string, detail: string): EngineFailure {
  return { kind: 'network', phase: 'resolve', errno, detail };
}
