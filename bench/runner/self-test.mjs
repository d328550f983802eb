// Proves that the load generator can be believed: servers that do one thing wrong, each of which it
// must find, and servers that do unusual but correct things, which it must accept.

import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { Child } from './children.mjs';
import { BUILD_DIRECTORY } from './paths.mjs';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const FIN = 0x80;

/** The echo that goes wrong: neither the first nor the last of its connection. */
const CHOSEN = 30;

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {RegExp} [error] what the load generator says; none: all is well
 * @property {number} [size] bytes of a message
 * @property {(head: string) => string} [upgrade] changes the response head
 * @property {Reply} [reply] answers a message of the first connection instead of `echo`
 * @property {(frame: Buffer) => Buffer} [close] changes the answer to the close frame
 */

/**
 * @callback Reply
 * @param {Buffer} payload
 * @param {number} number of the message on its connection, from 0
 * @param {Buffer} previous payload of the message before it
 * @returns {Buffer | null} what to send; null ends the TCP connection
 */

/**
 * @param {Buffer} payload
 * @param {number} [firstByte]
 * @returns {Buffer}
 */
function frame(payload, firstByte = FIN | TEXT) {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.of(firstByte, length), payload]);
  if (length < 65536)
    return Buffer.concat([Buffer.of(firstByte, 126, length >> 8, length), payload]);
  const head = Buffer.of(firstByte, 127, 0, 0, 0, 0, 0, 0, 0, 0);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/**
 * A copy with one bit changed.
 *
 * @param {Buffer} payload
 * @param {number} at
 * @returns {Buffer}
 */
function flipped(payload, at) {
  const copy = Buffer.from(payload);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

/**
 * @param {Reply} wrong
 * @returns {Reply} wrong for the chosen message, else an echo
 */
function once(wrong) {
  return (payload, number, previous) =>
    number === CHOSEN ? wrong(payload, number, previous) : frame(payload);
}

/** @type {readonly Case[]} */
const CASES = [
  { name: 'plain echo' },
  { name: 'plain echo, 16-bit length', size: 2000 },
  { name: 'plain echo, 64-bit length', size: 300_000 },
  {
    name: 'fragments with a ping between them',
    reply: (payload) =>
      Buffer.concat([
        frame(payload.subarray(0, 10), TEXT),
        frame(Buffer.from('hello'), FIN | PING),
        frame(payload.subarray(10, 10), 0),
        frame(payload.subarray(10, 33), 0),
        frame(payload.subarray(33), FIN),
      ]),
  },

  {
    name: 'bit flipped in the mark',
    reply: once((payload) => frame(flipped(payload, 3))),
    error: /connection 0, message 30: wrong content at byte 3/,
  },
  {
    name: 'bit flipped in the last byte',
    reply: once((payload) => frame(flipped(payload, 63))),
    error: /message 30: wrong content at byte 63/,
  },
  {
    name: 'bit flipped in a large message',
    size: 300_000,
    reply: once((payload) => frame(flipped(payload, 270_001))),
    error: /message 30: wrong content at byte 270001/,
  },
  {
    name: 'bit flipped in a fragment',
    reply: once((payload) =>
      Buffer.concat([
        frame(payload.subarray(0, 20), TEXT),
        frame(flipped(payload, 40).subarray(20), FIN),
      ]),
    ),
    error: /message 30: wrong content at byte 40/,
  },
  {
    name: 'message lost',
    reply: once(() => Buffer.alloc(0)),
    error: /message 30: wrong content/,
  },
  {
    name: 'everything lost from some message on',
    reply: (payload, number) => (number < CHOSEN ? frame(payload) : Buffer.alloc(0)),
    error: /hang: connection 0 waits for message 30, \d+ messages lost/,
  },
  {
    name: 'message twice',
    reply: once((payload) => Buffer.concat([frame(payload), frame(payload)])),
    error: /message 31: wrong content/,
  },
  {
    name: 'message of the past',
    reply: once((_payload, _number, previous) => frame(previous)),
    error: /message 30: wrong content/,
  },
  {
    name: 'message too short',
    reply: once((payload) => frame(payload.subarray(0, 60))),
    error: /length 60 instead of 64/,
  },
  {
    name: 'message too long',
    reply: once((payload) => frame(Buffer.concat([payload, Buffer.alloc(4)]))),
    error: /length 68 instead of 64/,
  },
  {
    name: 'message that never ends',
    reply: once((payload) => Buffer.concat([frame(payload, TEXT), frame(payload, 0)])),
    error: /length 128 instead of 64/,
  },
  {
    name: 'binary for text',
    reply: once((payload) => frame(payload, FIN | BINARY)),
    error: /opcode 2 instead of 1/,
  },
  {
    name: 'text inside a fragmented message',
    reply: once((payload) => Buffer.concat([frame(payload.subarray(0, 9), TEXT), frame(payload)])),
    error: /opcode 1 instead of 0/,
  },
  {
    name: 'masked frame',
    reply: once((payload) =>
      Buffer.concat([Buffer.of(FIN | TEXT, 0x80 | 64, 0, 0, 0, 0), payload]),
    ),
    error: /masked/,
  },
  {
    name: 'reserved bit',
    reply: once((payload) => frame(payload, FIN | 0x40 | TEXT)),
    error: /reserved bits/,
  },
  {
    name: 'unknown opcode',
    reply: once((payload) => frame(payload, FIN | 11)),
    error: /unknown opcode 11/,
  },
  {
    name: 'length not in its shortest form',
    reply: once((payload) => Buffer.concat([Buffer.of(FIN | TEXT, 126, 0, 64), payload])),
    error: /shortest form/,
  },
  {
    name: 'close frame too early',
    reply: once(() => frame(Buffer.alloc(0), FIN | CLOSE)),
    error: /the server closed the connection/,
  },
  {
    name: 'TCP end too early',
    reply: once(() => null),
    error: /TCP end with \d+ messages under way/,
  },
  {
    name: 'message after the close frame',
    close: (close) => Buffer.concat([close, frame(Buffer.alloc(64))]),
    error: /follows the close frame/,
  },
  {
    name: 'message before the close frame',
    close: (close) => Buffer.concat([frame(Buffer.alloc(64)), close]),
    error: /wrong content/,
  },
  {
    name: 'no close frame',
    close: () => Buffer.alloc(0),
    error: /hang: 1 connections without a close frame/,
  },

  {
    name: 'wrong accept value',
    upgrade: (head) => head.replace(/Accept: ./, 'Accept: !'),
    error: /wrong Sec-WebSocket-Accept/,
  },
  {
    name: 'no upgrade',
    upgrade: (head) => head.replace('101 Switching Protocols', '200 OK'),
    error: /handshake: answered 'HTTP\/1.1 200 OK'/,
  },
  {
    name: 'extension that nobody offered',
    upgrade: (head) => head.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: x\r\n\r\n'),
    error: /extension/,
  },
  { name: 'no handshake', upgrade: () => '', error: /hang: \d handshakes unanswered/ },
];

/** Serves one TCP connection as a case wants it. */
class FaultyPeer {
  #socket;
  #case;
  /** @type {Buffer} */
  #received = Buffer.alloc(0);
  #open = false;
  #messages = 0;
  /** @type {Buffer} */
  #previous = Buffer.alloc(0);

  /**
   * @param {import('node:net').Socket} socket
   * @param {Case} wanted
   */
  constructor(socket, wanted) {
    this.#socket = socket;
    this.#case = wanted;
    socket.on('error', () => {}); // the load generator went away, as it should
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      if (!this.#open) this.#takeRequest();
      while (this.#open && this.#takeFrame());
    });
  }

  #takeRequest() {
    const request = this.#received.toString('latin1');
    const end = request.indexOf('\r\n\r\n');
    if (end < 0) return;
    const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(request)?.[1];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const head = [
      'HTTP/1.1 101 Switching Protocols',
      'upgrade: WebSocket',
      'CONNECTION: keep-alive, Upgrade',
      `Sec-WebSocket-Accept: ${accept.digest('base64')}`,
      '\r\n',
    ].join('\r\n');
    this.#socket.write((this.#case.upgrade ?? String)(head));
    this.#received = this.#received.subarray(end + 4);
    this.#open = true;
  }

  /** @returns {boolean} whether a whole frame was there */
  #takeFrame() {
    const bytes = this.#received;
    if (bytes.length < 14)
      return bytes.length >= 8 && bytes[0] === (FIN | CLOSE) && this.#onClose();
    const short = bytes.readUInt8(1) & 0x7f;
    const keyAt = short === 127 ? 10 : short === 126 ? 4 : 2;
    const length =
      short === 127 ? bytes.readUInt32BE(6) : short === 126 ? bytes.readUInt16BE(2) : short;
    const begin = keyAt + 4;
    if (bytes.length < begin + length) return false;
    const payload = Buffer.from(bytes.subarray(begin, begin + length));
    for (let i = 0; i < length; ++i) {
      payload.writeUInt8(payload.readUInt8(i) ^ bytes.readUInt8(keyAt + (i % 4)), i);
    }
    const opcode = bytes.readUInt8(0) & 0x0f;
    this.#received = bytes.subarray(begin + length);
    if (opcode === TEXT) this.#onMessage(payload);
    return true;
  }

  /** @param {Buffer} payload */
  #onMessage(payload) {
    const isFirst = payload.toString('latin1', 0, 8) === 'aaaaaaaa'; // its connection, in letters
    const reply = isFirst ? this.#case.reply : undefined;
    const answer = reply ? reply(payload, this.#messages, this.#previous) : frame(payload);
    this.#messages += 1;
    this.#previous = payload;
    if (answer) this.#socket.write(answer);
    else this.#socket.end();
  }

  #onClose() {
    const close = frame(Buffer.of(3, 232), FIN | CLOSE);
    const isFirst = this.#previous.toString('latin1', 0, 8) === 'aaaaaaaa';
    this.#socket.write(isFirst && this.#case.close ? this.#case.close(close) : close);
    this.#received = Buffer.alloc(0);
    return false;
  }
}

/**
 * @param {Case} wanted
 * @returns {Promise<string>} what is wrong with the load generator; '' if nothing is
 */
async function runCase(wanted) {
  const server = createServer((socket) => new FaultyPeer(socket, wanted));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const options = { port, connections: 3, inflight: 4, messages: 300, stall: 0.7 };
  const args = Object.entries({ ...options, size: wanted.size ?? 64 });
  const load = new Child('the load generator', [
    `${BUILD_DIRECTORY}/load`,
    ...args.flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]);
  try {
    const { errors, messages } = await load.line(20);
    const status = await load.exit(5);
    if (!wanted.error) {
      return status === 0 && messages === 300 ? '' : `status ${status}, ${errors[0]}`;
    }
    return status === 1 && wanted.error.test(errors[0] ?? '')
      ? ''
      : `status ${status}: ${errors[0]}`;
  } finally {
    load.kill();
    server.close();
  }
}

/** @returns {Promise<number>} the exit status */
export async function selfTest() {
  let failed = 0;
  for (const wanted of CASES) {
    const problem = await runCase(wanted);
    console.log(`${problem === '' ? 'ok  ' : 'FAIL'} ${wanted.name}${problem && ` (${problem})`}`);
    if (problem !== '') failed += 1;
  }
  return failed === 0 ? 0 : 1;
}
