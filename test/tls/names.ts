/** Host names that only the test knows. */

import dns from 'node:dns/promises';
import { onTestFinished, vi } from 'vitest';

/**
 * Until the test has finished, these names resolve to these addresses, an empty list to none; no
 * other name may be asked for. Returns the names asked for so far.
 */
export function resolveNames(
  addresses: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const asked: string[] = [];
  const lookup = async (name: string) => {
    asked.push(name);
    const found = addresses[name] ?? [];
    if (found.length === 0) {
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
    }
    return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
  onTestFinished(() => spy.mockRestore());
  return asked;
}
