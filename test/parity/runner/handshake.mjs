// @ts-check
/**
 * The HTTP upgrade as the scripted peer writes and reads it: text in latin1, header lines exactly as
 * they are, no judgement.
 */

import { createHash } from 'node:crypto';

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const END_OF_HEAD = '\r\n\r\n';

/**
 * The `Sec-WebSocket-Accept` value that answers `key`.
 *
 * @param {string} key
 */
export const acceptFor = (key) =>
  createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64');

/**
 * @param {true | { requestLine?: string, lines?: string[], extra?: string[] }} spec
 */
export function upgradeRequest(spec) {
  const { requestLine = 'GET / HTTP/1.1', lines, extra = [] } = spec === true ? {} : spec;
  const headers = lines ?? [
    'Host: 127.0.0.1:{port}',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
    'Sec-WebSocket-Version: 13',
    ...extra,
  ];
  return [requestLine, ...headers].join('\r\n') + END_OF_HEAD;
}

/**
 * @param {{ statusLine?: string, lines?: string[], extra?: string[] }} spec
 */
export function upgradeAnswer(spec) {
  const { statusLine = 'HTTP/1.1 101 Switching Protocols', lines, extra = [] } = spec;
  const headers = lines ?? [
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: {accept}',
    ...extra,
  ];
  return [statusLine, ...headers].join('\r\n') + END_OF_HEAD;
}

/** Collects the bytes of a head and separates what follows it. */
export class HeadReader {
  /** The head without its final empty line; undefined until it is complete. @type {string | undefined} */
  head;
  /** What has come of an incomplete head. */
  partial = '';

  /**
   * @param {Buffer} chunk
   * @returns {Buffer} the bytes behind the head, empty while it is incomplete
   */
  push(chunk) {
    this.partial += chunk.toString('latin1');
    const at = this.partial.indexOf(END_OF_HEAD);
    if (at < 0) return Buffer.alloc(0);
    this.head = this.partial.slice(0, at);
    return Buffer.from(this.partial.slice(at + END_OF_HEAD.length), 'latin1');
  }

  get lines() {
    return this.head?.split('\r\n') ?? [];
  }

  /** Status code of a response, 0 if the first line is not a status line. */
  get status() {
    return Number(this.lines[0]?.split(' ')[1] ?? 0) || 0;
  }

  /** The `Sec-WebSocket-Key` of a request, `''` if it has none. */
  get key() {
    return /^sec-websocket-key:\s*(.*?)\s*$/im.exec(this.head ?? '')?.[1] ?? '';
  }
}
