// @ts-check
/**
 * Payloads of the case format: from their description to bytes, and from observed bytes to the
 * short description that expectations are written in (a digest when the bytes are many).
 */

import { createHash } from 'node:crypto';

/** @import { PayloadSpec, Json } from './format.js' */

/** Bytes above this number are described by length and digest. */
export const INLINE_BYTES = 512;

/** @param {Uint8Array} bytes */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * The bytes a payload describes. `fill` replaces the text templates.
 *
 * @param {PayloadSpec | undefined} spec
 * @param {(text: string) => string} fill
 * @returns {Buffer}
 */
export function payloadBytes(spec, fill) {
  if (spec === undefined) return Buffer.alloc(0);
  if (typeof spec === 'string') return Buffer.from(fill(spec));
  if ('hex' in spec) return Buffer.from(spec.hex, 'hex');
  if ('byte' in spec) return Buffer.alloc(spec.count, Buffer.from(spec.byte, 'hex'));
  if ('utf8' in spec) {
    if (spec.count === undefined) return Buffer.from(fill(spec.utf8));
    const unit = Buffer.from(spec.utf8);
    return Buffer.alloc(unit.length * spec.count, unit);
  }
  if ('code' in spec) {
    const code = Buffer.alloc(2);
    code.writeUInt16BE(spec.code);
    return Buffer.concat([code, payloadBytes(spec.reason, fill)]);
  }
  throw new Error(`unknown payload ${JSON.stringify(spec)}`);
}

/**
 * The text these bytes are in UTF-8, undefined if they are not valid UTF-8.
 *
 * @param {Buffer} bytes
 * @returns {string | undefined}
 */
export function strictText(bytes) {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/**
 * The body of a frame as an expectation writes it.
 *
 * @param {Buffer} bytes
 * @param {boolean} asText
 * @returns {Record<string, Json>}
 */
export function describeBody(bytes, asText) {
  if (bytes.length > INLINE_BYTES) return { length: bytes.length, sha256: sha256(bytes) };
  const text = asText ? strictText(bytes) : undefined;
  return text === undefined ? { hex: bytes.toString('hex') } : { utf8: text };
}
