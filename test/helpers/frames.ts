/**
 * WebSocket frames and upgrade heads for the raw peers: written with every field free (a peer must be
 * able to break the rules), read without judgement. Plain values; no sockets.
 */

import { createHash } from 'node:crypto';

export const Opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** RSV1, RSV2 and RSV3 as values of `FrameSpec.rsv`. */
export const Rsv = { one: 4, two: 2, three: 1 } as const;

export interface FrameSpec {
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  /** Default true. */
  readonly fin?: boolean;
  /** Three bits, default 0. */
  readonly rsv?: number;
  /** Default: as the role of the peer demands. */
  readonly mask?: boolean;
  readonly maskKey?: Uint8Array;
  /** How many bits carry the length; default the shortest form. */
  readonly lengthBits?: 7 | 16 | 64;
  /** What the header says in place of the payload's own length. */
  readonly announcedLength?: number | bigint;
}

export interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv: number;
  readonly masked: boolean;
  /** Unmasked. */
  readonly payload: Buffer;
}

const SAMPLE_MASK_KEY = Buffer.from('a1b2c3d4', 'hex');

export function encodeFrame(spec: FrameSpec, maskByDefault: boolean): Buffer {
  const payload = toBuffer(spec.payload ?? '');
  const first = ((spec.fin ?? true) ? 0x80 : 0) | ((spec.rsv ?? 0) << 4) | spec.opcode;
  const masked = spec.mask ?? maskByDefault;
  const length = encodeLength(
    BigInt(spec.announcedLength ?? payload.length),
    masked ? 0x80 : 0,
    spec.lengthBits,
  );
  if (!masked) return Buffer.concat([Buffer.of(first), length, payload]);
  const key = Buffer.from(spec.maskKey ?? SAMPLE_MASK_KEY);
  return Buffer.concat([Buffer.of(first), length, key, applyMask(payload, key)]);
}

function encodeLength(length: bigint, maskBit: number, bits?: 7 | 16 | 64): Buffer {
  const form = bits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  if (form === 7) return Buffer.of(maskBit | Number(length));
  const out = Buffer.alloc(form === 16 ? 3 : 9);
  out[0] = maskBit | (form === 16 ? 126 : 127);
  if (form === 16) out.writeUInt16BE(Number(length), 1);
  else out.writeBigUInt64BE(length, 1);
  return out;
}

function applyMask(payload: Buffer, key: Buffer): Buffer {
  const out = Buffer.from(payload);
  for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) ^ (key[i & 3] ?? 0);
  return out;
}

export function toBuffer(data: string | Uint8Array): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Body of a close frame. */
export function closeBody(code: number, reason: string | Uint8Array = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, toBuffer(reason)]);
}

/** What a close frame says; `code` is undefined if the frame has no body. */
export function readClose(frame: Frame): { code: number | undefined; reason: string } {
  if (frame.payload.length < 2) return { code: undefined, reason: '' };
  return {
    code: frame.payload.readUInt16BE(0),
    reason: frame.payload.subarray(2).toString('utf8'),
  };
}

/** Bytes that have come and are not consumed yet: heads and frames are cut from its front. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;
  /** A frame that is not complete: no use in looking before so many bytes are there. */
  #wanted = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Everything, as one buffer. */
  takeAll(): Buffer {
    const all = this.#joined();
    this.#drop(all.length);
    return all;
  }

  /** The text up to the first empty line, without it; undefined while that has not come. */
  takeHead(): string | undefined {
    const end = this.#joined().indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = this.#joined().toString('latin1', 0, end);
    this.#drop(end + 4);
    return head;
  }

  /** The next frame; undefined while it is not complete. */
  takeFrame(): Frame | undefined {
    if (this.#length < Math.max(2, this.#wanted)) return undefined;
    const data = this.#joined();
    const first = data.readUInt8(0);
    const second = data.readUInt8(1);
    const masked = (second & 0x80) !== 0;
    const shortLength = second & 0x7f;
    const lengthEnd = shortLength === 127 ? 10 : shortLength === 126 ? 4 : 2;
    const bodyAt = lengthEnd + (masked ? 4 : 0);
    if (data.length < bodyAt) {
      this.#wanted = bodyAt;
      return undefined;
    }
    let length = shortLength;
    if (shortLength === 126) length = data.readUInt16BE(2);
    else if (shortLength === 127) length = Number(data.readBigUInt64BE(2));
    if (data.length < bodyAt + length) {
      this.#wanted = bodyAt + length;
      return undefined;
    }
    const body = data.subarray(bodyAt, bodyAt + length);
    const frame = {
      opcode: first & 15,
      fin: (first & 0x80) !== 0,
      rsv: (first >> 4) & 7,
      masked,
      payload: masked ? applyMask(body, data.subarray(bodyAt - 4, bodyAt)) : body,
    };
    this.#drop(bodyAt + length);
    return frame;
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  /** Only after `#joined`. */
  #drop(bytes: number): void {
    const rest = this.#joined().subarray(bytes);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    this.#wanted = 0;
  }
}

/** A request's or an answer's first lines, as they were on the wire. */
export class Head {
  readonly lines: readonly string[];

  constructor(text: string) {
    this.lines = text.split('\r\n');
  }

  get startLine(): string {
    return this.lines[0] ?? '';
  }

  /** Of an answer; 0 if the first line is no status line. */
  get status(): number {
    return Number(/^HTTP\/1\.[01] (\d{3})/.exec(this.startLine)?.[1] ?? 0);
  }

  /** Name and value of every header line, in order, names in lower case. */
  get headers(): readonly (readonly [string, string])[] {
    return this.lines.slice(1).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
  }

  /** All values of a header, in order. */
  all(name: string): readonly string[] {
    return this.headers.filter(([key]) => key === name).map(([, value]) => value);
  }

  /** The first value of a header. */
  header(name: string): string | undefined {
    return this.all(name)[0];
  }
}

export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The `Sec-WebSocket-Accept` that answers `key`. */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64');
}

export interface RequestSpec {
  /** Default `GET / HTTP/1.1`. */
  readonly startLine?: string;
  /** In place of the five usual header lines. */
  readonly lines?: readonly string[];
  /** Behind the header lines. */
  readonly extra?: readonly string[];
  /** Value of the `Host` line; default `127.0.0.1`. */
  readonly host?: string;
}

export function upgradeRequest(spec: RequestSpec = {}): string {
  const lines = spec.lines ?? [
    `Host: ${spec.host ?? '127.0.0.1'}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
    'Sec-WebSocket-Version: 13',
  ];
  return headText([spec.startLine ?? 'GET / HTTP/1.1', ...lines, ...(spec.extra ?? [])]);
}

export interface AnswerSpec {
  /** Default `HTTP/1.1 101 Switching Protocols`. */
  readonly startLine?: string;
  /** In place of the three usual header lines. */
  readonly lines?: readonly string[];
  /** Behind the header lines. */
  readonly extra?: readonly string[];
}

export function upgradeAnswer(key: string, spec: AnswerSpec = {}): string {
  const lines = spec.lines ?? [
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptFor(key)}`,
  ];
  const startLine = spec.startLine ?? 'HTTP/1.1 101 Switching Protocols';
  return headText([startLine, ...lines, ...(spec.extra ?? [])]);
}

function headText(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}
