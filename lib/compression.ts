/** What compression may cost this process, all its servers, clients and threads together. */

import { binding } from './binding.js';
import { mismatch } from './validate.js';

/**
 * Beyond OHOS. Sets how many bytes the compressors and decompressors of `permessageDeflate` may hold,
 * in the whole process: an integer from 0, or Infinity. Default 268,435,456 (256 MiB). Where there is
 * no room left, new connections go without compression, and messages of those that have it are sent
 * as they are. What is held already is not taken away. Throws a TypeError if it is no such number.
 */
export function setCompressionBudget(bytes: number): void {
  const isBudget =
    bytes === Number.POSITIVE_INFINITY || (Number.isSafeInteger(bytes) && bytes >= 0);
  if (!isBudget) throw new TypeError(mismatch('bytes', 'an integer from 0, or Infinity', bytes));
  binding.setCompressionBudget(bytes);
}

/** Beyond OHOS. The bytes that compression holds or has reserved in this process now. */
export function compressionBytes(): number {
  return binding.compressionBytes();
}
