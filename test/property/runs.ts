/** How the property tests run: bounded, and from a seed that is printed when one fails. */

import type { Parameters } from 'fast-check';

/** `OHWS_TEST_SEED` repeats a run; CI always takes the same one. */
export function runs<T>(numRuns: number): Parameters<T> {
  const given = process.env['OHWS_TEST_SEED'] ?? (process.env['CI'] ? '1' : undefined);
  return given === undefined ? { numRuns } : { numRuns, seed: Number(given) };
}
