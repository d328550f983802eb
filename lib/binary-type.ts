/** The option `binaryType`: as what the data of binary messages arrive. */

import type { BinaryType } from './types.js';
import { mismatch } from './validate.js';

/** Reads the option `binaryType`. A string in `problem` is the reason for a 401. */
export function readBinaryType(given: unknown): BinaryType | { readonly problem: string } {
  if (given === undefined) return 'arraybuffer';
  return given === 'arraybuffer' || given === 'view'
    ? given
    : { problem: mismatch('binaryType', "'arraybuffer' or 'view'", given) };
}
