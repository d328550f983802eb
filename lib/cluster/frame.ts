/**
 * What travels through Redis, as bytes: a kind (1 byte), the publisher (8), a sequence number (6, big endian);
 * behind them, of a message, the length of its topic (2), the topic in UTF-8, and the payload; of a question,
 * channel numbers (2 each). Pure; refuses what is malformed.
 */

const Kind = { text: 1, binary: 2, mark: 3, question: 4 } as const;

const HEADER_BYTES = 15;
/** Of a topic in UTF-8: what its length has room for. */
export const MAX_TOPIC_BYTES = 0xffff;
/** Numbers of 48 bits: at a million a second they last nine years. */
const SEQUENCE_BYTES = 6;

export interface Header {
  /** 16 hexadecimal digits. */
  readonly publisher: string;
  /** From 1; of a mark the last one used, 0 for none. */
  readonly sequence: number;
}

/** A message of a topic. */
export interface MessageFrame extends Header {
  readonly kind: 'message';
  readonly topic: string;
  readonly payload: Buffer;
  readonly isText: boolean;
}

/** Says which number a publisher used last, so that a loss at the end shows. */
export interface MarkFrame extends Header {
  readonly kind: 'mark';
}

/** Asks every publisher for its marks in these channels. */
export interface QuestionFrame extends Header {
  readonly kind: 'question';
  readonly channels: readonly number[];
}

export type Frame = MessageFrame | MarkFrame | QuestionFrame;

function header(kind: number, { publisher, sequence }: Header, size: number): Buffer {
  const frame = Buffer.allocUnsafe(size);
  frame[0] = kind;
  frame.write(publisher, 1, 'hex');
  frame.writeUIntBE(sequence, 9, SEQUENCE_BYTES);
  return frame;
}

export function encodeMessage(head: Header, topic: string, data: string | Uint8Array): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const at = HEADER_BYTES + 2 + topicBytes;
  const isText = typeof data === 'string';
  const bytes = isText ? Buffer.byteLength(data) : data.byteLength;
  const frame = header(isText ? Kind.text : Kind.binary, head, at + bytes);
  frame.writeUInt16BE(topicBytes, HEADER_BYTES);
  frame.write(topic, HEADER_BYTES + 2);
  if (isText) frame.write(data, at);
  else frame.set(data, at);
  return frame;
}

export function encodeMark(head: Header): Buffer {
  return header(Kind.mark, head, HEADER_BYTES);
}

export function encodeQuestion(publisher: string, channels: readonly number[]): Buffer {
  const size = HEADER_BYTES + 2 * channels.length;
  const frame = header(Kind.question, { publisher, sequence: 0 }, size);
  for (const [n, channel] of channels.entries()) frame.writeUInt16BE(channel, HEADER_BYTES + 2 * n);
  return frame;
}

/** Undefined for what none of us has sent. The payload is a part of `bytes`. */
export function decode(bytes: Buffer): Frame | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const publisher = bytes.toString('hex', 1, 9);
  const sequence = bytes.readUIntBE(9, SEQUENCE_BYTES);
  switch (bytes[0]) {
    case Kind.text:
    case Kind.binary:
      return decodeMessage(bytes, { publisher, sequence });
    case Kind.mark:
      return { kind: 'mark', publisher, sequence };
    case Kind.question: {
      const channels: number[] = [];
      for (let at = HEADER_BYTES; at + 2 <= bytes.length; at += 2) {
        channels.push(bytes.readUInt16BE(at));
      }
      return { kind: 'question', publisher, sequence, channels };
    }
    default:
      return undefined;
  }
}

function decodeMessage(bytes: Buffer, head: Header): MessageFrame | undefined {
  if (head.sequence === 0 || bytes.length < HEADER_BYTES + 2) return undefined;
  const at = HEADER_BYTES + 2 + bytes.readUInt16BE(HEADER_BYTES);
  if (at > bytes.length) return undefined;
  const topic = bytes.toString('utf8', HEADER_BYTES + 2, at);
  const isText = bytes[0] === Kind.text;
  return { kind: 'message', ...head, topic, payload: bytes.subarray(at), isText };
}
