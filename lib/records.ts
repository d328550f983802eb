/**
 * What the rings carry, as `native/src/wire/record.h` declares it: kinds, flags, and the encoding of
 * lists of strings. Every change there, or of a ring's memory, is made here too, and raises both version numbers.
 */

export const WIRE_VERSION = 14;

/** Records begin at multiples of this; a header has this size. */
export const RECORD_ALIGN = 16;
export const HEADER_BYTES = 16;

/** Ids that JavaScript gives (clients, listeners) have this bit; the engine's have not. */
export const JS_OWNED_ID = 0x80000000;

export const PAD = 0;

/** Engine to JavaScript. Plain numbers, since they are compared once a message. */
export const Up = {
  text: 1,
  binary: 2,
  largeText: 3,
  largeBinary: 4,
  started: 5,
  opened: 6,
  connectFailed: 7,
  closed: 8,
  listening: 9,
  accepted: 10,
  refused: 11,
  stopped: 12,
  drained: 13,
  gone: 14,
  stats: 15,
  published: 16,
  reloaded: 17,
  ping: 18,
  pong: 19,
  upgradeRequest: 20,
  upgradeEnded: 21,
  lentBinary: 22,
} as const;

/** JavaScript to engine. */
export const Down = {
  text: 1,
  binary: 2,
  largeText: 3,
  largeBinary: 4,
  connect: 5,
  listen: 6,
  stop: 7,
  close: 8,
  release: 9,
  drainRequest: 10,
  abandon: 11,
  drain: 12,
  statsRequest: 13,
  subscribe: 14,
  unsubscribe: 15,
  publishText: 16,
  publishBinary: 17,
  publishLargeText: 18,
  publishLargeBinary: 19,
  publishedRequest: 20,
  reload: 21,
  pause: 22,
  ping: 23,
  terminate: 24,
  watch: 25,
  upgradeAnswer: 26,
  reloadEnd: 27,
  accept: 28,
  sameText: 29,
} as const;

export const ASCII_ONLY = 1;
export const NEW_BLOCK = 1;
export const ABNORMAL = 1;
export const LOCAL_CLOSE = 2;
export const DETAILED = 1;
export const SECURE = 1;
export const WATCH_PINGS = 1;
export const WATCH_PONGS = 2;

/** A record that does not carry a message; its payload is the ring's, to be read before the next one. */
export interface RareRecord {
  readonly kind: number;
  readonly flags: number;
  readonly aux: number;
  readonly id: number;
  readonly arg: number;
  readonly payload: Buffer;
}

export function recordBytes(payloadSize: number): number {
  return (HEADER_BYTES + payloadSize + RECORD_ALIGN - 1) & ~(RECORD_ALIGN - 1);
}

/** Buffer's own encoders without their argument checks; on every Node we support. */
export interface FastBuffer extends Buffer {
  utf8Write(text: string, offset: number, length: number): number;
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

/** Each string as its length (32 bits, little endian) and its bytes, filled up to four. */
export function encodeStrings(strings: readonly string[]): Buffer {
  let total = 0;
  for (const text of strings) total += 4 + padded(Buffer.byteLength(text));
  const bytes = Buffer.alloc(total);
  let at = 0;
  for (const text of strings) {
    const size = bytes.write(text, at + 4);
    bytes.writeUInt32LE(size, at);
    at += 4 + padded(size);
  }
  return bytes;
}

function padded(size: number): number {
  return (size + 3) & ~3;
}

export function decodeStrings(bytes: Buffer): string[] {
  const strings: string[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const size = bytes.readUInt32LE(at);
    at += 4;
    if (size > bytes.length - at) break;
    strings.push(size === 0 ? '' : (bytes as FastBuffer).utf8Slice(at, at + size));
    at += padded(size);
  }
  return strings;
}
