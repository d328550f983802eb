/**
 * DEFLATE for the raw peers, by Node's zlib: a message as it goes on the wire with RSV1, and back.
 * `context` is what went before in the same direction, where the context is taken over.
 */

import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff);
const FLUSH = constants.Z_SYNC_FLUSH;

export interface Coding {
  readonly context?: Uint8Array;
  readonly windowBits?: number;
  readonly level?: number;
}

/** Without the tail that RFC 7692 §7.2.1 has removed. */
export function deflated(message: string | Uint8Array, coding: Coding = {}): Buffer {
  const data = deflateRawSync(message, { finishFlush: FLUSH, ...options(coding) });
  if (!data.subarray(-4).equals(TAIL)) throw new Error('the data does not end with a flush');
  return data.subarray(0, -4);
}

export function inflated(payload: Uint8Array, coding: Coding = {}): Buffer {
  const data = Buffer.concat([payload, TAIL]);
  return inflateRawSync(data, { finishFlush: FLUSH, ...options(coding) });
}

function options({ context, windowBits = 15, level }: Coding) {
  const window = 2 ** windowBits;
  return {
    windowBits,
    ...(level === undefined ? {} : { level }),
    ...(context === undefined ? {} : { dictionary: context.subarray(-window) }),
  };
}
