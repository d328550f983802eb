/**
 * Predicates over values of unknown type, and the one place that words "expected … received …".
 * Leaf: knows no option and no error code.
 */

import { types } from 'node:util';

/** What netstack takes for an object: anything of type `object` but null; arrays too. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}

/** A string with something in it. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Words a refusal: `expected an object for options, received a string`. */
export function mismatch(what: string, expected: string, received: unknown): string {
  return `expected ${expected} for ${what}, received ${describe(received)}`;
}

/** A value in words; never throws, whatever it is. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an object of type ${typeName(value)}`;
  return `a ${typeof value}`;
}

function typeName(value: object): string {
  const name: unknown = Object(value.constructor).name;
  return typeof name === 'string' ? name : 'null';
}

/** 5 × 1024 × 1024 − 16 bytes, the largest message that `send` takes (API reference, `send`). */
export const MAX_MESSAGE_BYTES: number = 5 * 1024 * 1024 - 16;

/**
 * UTF-16 units that stay below the limit whatever they are: one unit is at most three bytes of
 * UTF-8.
 */
const SURELY_SHORT = Math.floor(MAX_MESSAGE_BYTES / 3);

/**
 * Whether `send` takes this value. On the path of every message: the usual types first, by means
 * that need no call into native code, and no byte is counted for a string that is short enough in
 * any encoding.
 */
export function isSendable(
  data: unknown,
  acceptsViews: boolean,
): data is string | ArrayBuffer | ArrayBufferView {
  if (typeof data === 'string') {
    return data.length <= SURELY_SHORT || Buffer.byteLength(data) <= MAX_MESSAGE_BYTES;
  }
  if (ArrayBuffer.isView(data)) {
    return acceptsViews && data.byteLength <= MAX_MESSAGE_BYTES && !isShared(data.buffer);
  }
  return isArrayBuffer(data) && data.byteLength <= MAX_MESSAGE_BYTES;
}

/** Also of another realm (`node:vm`), whose ArrayBuffer is another class. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return value instanceof ArrayBuffer || types.isArrayBuffer(value);
}

/** Shared memory can change under the engine while it reads. */
export function isShared(buffer: ArrayBufferLike): boolean {
  return !(buffer instanceof ArrayBuffer) && types.isSharedArrayBuffer(buffer);
}

/** Says why `isSendable` refused. */
export function whyNotSendable(data: unknown, acceptsViews: boolean): string {
  const bytes = sizeOf(data);
  if (bytes !== undefined && bytes > MAX_MESSAGE_BYTES) {
    return `message of ${bytes} bytes; the limit is ${MAX_MESSAGE_BYTES}`;
  }
  return mismatch(
    'data',
    acceptsViews ? 'a string, an ArrayBuffer or a view of one' : 'a string or an ArrayBuffer',
    data,
  );
}

function sizeOf(data: unknown): number | undefined {
  if (typeof data === 'string') return Buffer.byteLength(data);
  if (isArrayBuffer(data) || ArrayBuffer.isView(data)) return data.byteLength;
  return undefined;
}
