// @ts-check
/**
 * WebSocket frames as the scripted peer needs them: encoding with every field free (a peer must be
 * able to break the rules), parsing without judgement, and the description expectations compare.
 */

import { describeBody, payloadBytes, strictText } from './payload.mjs';

/** @import { Frame, FrameSpec, Json } from './format.js' */

/** @type {Readonly<Record<string, number>>} */
const OPCODES = { cont: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const TEXT = 1;
const CLOSE = 8;
const DEFAULT_MASK_KEY = '11223344';

/** @param {number} opcode */
const isControl = (opcode) => opcode >= CLOSE;

/**
 * @param {FrameSpec} spec
 * @param {boolean} maskByDefault
 * @param {(text: string) => string} fill
 * @returns {Buffer}
 */
export function encodeFrame(spec, maskByDefault, fill) {
  const body = payloadBytes(spec.payload, fill);
  const opcode = typeof spec.opcode === 'number' ? spec.opcode : OPCODES[spec.opcode];
  if (opcode === undefined) throw new Error(`unknown opcode ${spec.opcode}`);
  const first = ((spec.fin ?? true) ? 0x80 : 0) | ((spec.rsv ?? 0) << 4) | opcode;
  const masked = spec.mask ?? maskByDefault;
  const length = encodeLength(body.length, masked ? 0x80 : 0);
  if (!masked) return Buffer.concat([Buffer.of(first), length, body]);
  const key = Buffer.from(spec.maskKey ?? DEFAULT_MASK_KEY, 'hex');
  return Buffer.concat([Buffer.of(first), length, key, unmask(body, key)]);
}

/**
 * @param {number} length
 * @param {number} maskBit
 */
function encodeLength(length, maskBit) {
  if (length < 126) return Buffer.of(maskBit | length);
  const out = Buffer.alloc(length < 65_536 ? 3 : 9);
  out[0] = maskBit | (out.length === 3 ? 126 : 127);
  if (out.length === 3) out.writeUInt16BE(length, 1);
  else out.writeBigUInt64BE(BigInt(length), 1);
  return out;
}

/**
 * @param {Buffer} body
 * @param {Buffer} key
 */
function unmask(body, key) {
  const out = Buffer.from(body);
  for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) ^ (key[i & 3] ?? 0);
  return out;
}

/** Cuts a byte stream into frames; `frames` grows as they complete. */
export class FrameParser {
  /** @type {Frame[]} */
  frames = [];
  /** @type {Buffer[]} */
  #chunks = [];
  #size = 0;
  /** No use in looking before this many bytes are there. */
  #needed = 2;

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= this.#needed && this.#takeFrame()) {
      // One chunk may complete several frames.
    }
  }

  /** @returns {boolean} whether a whole frame was there */
  #takeFrame() {
    const [only] = this.#chunks;
    const data = only && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    this.#chunks = [data];
    const head = parseHead(data);
    if (data.length < head.end) {
      this.#needed = head.end;
      return false;
    }
    const body = data.subarray(head.bodyStart, head.end);
    const key = data.subarray(head.bodyStart - 4, head.bodyStart);
    this.frames.push({
      fin: head.fin,
      rsv: head.rsv,
      opcode: head.opcode,
      masked: head.masked,
      body: head.masked ? unmask(body, key) : Buffer.from(body),
    });
    this.#chunks = [data.subarray(head.end)];
    this.#size -= head.end;
    this.#needed = 2;
    return true;
  }
}

/**
 * Reads the head as far as `data` (two bytes at least) goes; `end` is the end of the frame or, while
 * the length is still incomplete, of the head.
 *
 * @param {Buffer} data
 */
function parseHead(data) {
  const first = data.readUInt8(0);
  const second = data.readUInt8(1);
  const masked = (second & 0x80) !== 0;
  const short = second & 0x7f;
  const lengthEnd = short === 127 ? 10 : short === 126 ? 4 : 2;
  const bodyStart = lengthEnd + (masked ? 4 : 0);
  let length = short;
  if (data.length < lengthEnd) length = 0;
  else if (short === 126) length = data.readUInt16BE(2);
  else if (short === 127) length = Number(data.readBigUInt64BE(2));
  return {
    fin: (first & 0x80) !== 0,
    rsv: (first >> 4) & 7,
    opcode: first & 15,
    masked,
    bodyStart,
    end: bodyStart + length,
  };
}

/**
 * Fragments of a message put together, at the place of the first one. How an implementation cuts
 * its messages is its own affair outside the strict profile.
 *
 * @param {readonly Frame[]} frames
 * @returns {Frame[]}
 */
export function joinFragments(frames) {
  /** @type {Frame[]} */
  const out = [];
  /** @type {Frame | undefined} */
  let open;
  for (const frame of frames) {
    if (isControl(frame.opcode)) {
      out.push(frame);
    } else if (frame.opcode === 0 && open !== undefined) {
      open.body = Buffer.concat([open.body, frame.body]);
      open.fin = frame.fin;
    } else {
      const first = { ...frame };
      out.push(first);
      open = first;
    }
    if (open?.fin) open = undefined;
  }
  return out;
}

/**
 * @param {Frame} frame
 * @returns {Record<string, Json>}
 */
export function describeFrame(frame) {
  /** @type {Record<string, Json>} */
  const out = { opcode: frame.opcode, fin: frame.fin, masked: frame.masked };
  if (frame.rsv !== 0) out.rsv = frame.rsv;
  if (frame.opcode !== CLOSE || frame.body.length < 2) {
    return { ...out, ...describeBody(frame.body, frame.opcode === TEXT) };
  }
  const reason = frame.body.subarray(2);
  const text = strictText(reason);
  out.code = frame.body.readUInt16BE(0);
  return text === undefined
    ? { ...out, reasonHex: reason.toString('hex') }
    : { ...out, reason: text };
}
