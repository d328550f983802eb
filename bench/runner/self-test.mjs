// Proves that the load generator and the compared clients can be believed: servers that do one thing
// wrong, each of which they must find, and servers that do unusual but correct things, which they
// must accept.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Child } from './children.mjs';
import { BUILD_DIRECTORY, TLS_DIRECTORY } from './paths.mjs';
import { certificateFiles, makeCertificate } from './prepare.mjs';
import { CLIENTS, clientCommand } from './servers.mjs';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const FIN = 0x80;

/**
 * The echo that goes wrong: neither the first nor the last of its connection. Where connections
 * come and go, the connection.
 */
const CHOSEN = 30;

/** A server that stalls does so for this long. */
const STALL_MS = 300;

/** A certificate that vouches for nobody here. */
const STRANGER_DIRECTORY = `${BUILD_DIRECTORY}/tls-stranger`;

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {RegExp} [error] what the load generator says; none: all is well
 * @property {number} [size] bytes of a message
 * @property {Record<string, string | number>} [options] of the load generator
 * @property {string} [client] this client instead of the load generator
 * @property {import('node:tls').TlsOptions} [tls] serves TLS, with these options
 * @property {number} [verified] messages or connections there must be, if all is well
 * @property {(result: any) => boolean} [check] what else must be true of the result
 * @property {(payload: Buffer, number: number) => Buffer} [deliver] what the second client gets
 *   where a message goes to all
 * @property {((head: string) => string) | null} [upgrade] changes the response head; null: the
 *   first connection ends behind it
 * @property {Reply} [reply] answers a message of the first connection instead of `echo`
 * @property {(frame: Buffer) => Buffer | null} [close] changes the answer to the close frame, on
 *   one connection; null ends the TCP connection
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

/** No messages: the times count. */
const IDLE = { mode: 'idle', messages: '', warmup: 0.1, seconds: 0.2 };

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
    error: /the server closed the connection|a frame follows the close frame/,
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

  { name: 'TLS: plain echo', tls: {} },
  { name: 'TLS: plain echo, large messages', tls: {}, size: 300_000 },
  {
    name: 'TLS: bit flipped',
    tls: {},
    reply: once((payload) => frame(flipped(payload, 63))),
    error: /message 30: wrong content at byte 63/,
  },
  {
    name: 'TLS: bit flipped in a large message',
    tls: {},
    size: 300_000,
    reply: once((payload) => frame(flipped(payload, 270_001))),
    error: /message 30: wrong content at byte 270001/,
  },
  {
    name: 'TLS: end too early',
    tls: {},
    reply: once(() => null),
    error: /TCP end with \d+ messages under way|Connection reset|Broken pipe/,
  },
  {
    name: 'TLS: certificate that nobody vouches for',
    tls: {},
    options: { ca: certificateFiles(STRANGER_DIRECTORY).cert },
    error: /TLS handshake: certificate verify failed/,
  },
  {
    name: 'TLS: older than 1.3',
    tls: { maxVersion: 'TLSv1.2' },
    error: /TLS handshake: .*protocol version/,
  },
  {
    name: 'TLS: none',
    options: { ca: `${TLS_DIRECTORY}/cert.pem` },
    error: /hang: \d handshakes unanswered/,
  },

  { name: 'paced: plain echo', options: { mode: 'paced', rate: 5000 } },
  { name: 'paced: several at a time', options: { mode: 'paced', rate: 5000, inflight: 10 } },
  {
    name: 'paced: bit flipped',
    options: { mode: 'paced', rate: 5000 },
    reply: once((payload) => frame(flipped(payload, 63))),
    error: /message 30: wrong content at byte 63/,
  },
  {
    name: 'paced: everything lost from some message on',
    options: { mode: 'paced', rate: 5000 },
    reply: (payload, number) => (number < CHOSEN ? frame(payload) : Buffer.alloc(0)),
    error: /hang: connection 0 waits for message 30, \d+ messages lost/,
  },
  {
    name: 'paced: a stall is charged to all messages that were due in it',
    options: { mode: 'paced', rate: 1000, inflight: 1, messages: 600, stall: 5 },
    verified: 600,
    reply: once((payload) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
      return frame(payload);
    }),
    // A third of all messages were due in its first 200 ms.
    check: ({ latencyUs }) => latencyUs.p90 >= 100_000 && latencyUs.max >= STALL_MS * 1000 * 0.9,
  },

  { name: 'fanout: plain', options: { mode: 'fanout' }, verified: 900 },
  {
    name: 'fanout: bit flipped for one client',
    options: { mode: 'fanout' },
    deliver: (payload, number) => frame(number === CHOSEN ? flipped(payload, 63) : payload),
    error: /connection 1, message 30: wrong content at byte 63/,
  },
  {
    name: 'fanout: message lost for one client',
    options: { mode: 'fanout' },
    deliver: (payload, number) => (number === CHOSEN ? Buffer.alloc(0) : frame(payload)),
    error: /connection 1, message 30: wrong content/,
  },
  {
    name: 'fanout: everything lost for one client from some message on',
    options: { mode: 'fanout' },
    deliver: (payload, number) => (number < CHOSEN ? frame(payload) : Buffer.alloc(0)),
    error: /hang: connection 1 waits for message 30, \d+ messages lost/,
  },
  {
    name: 'fanout: message twice for one client',
    options: { mode: 'fanout' },
    deliver: (payload, number) =>
      number === CHOSEN ? Buffer.concat([frame(payload), frame(payload)]) : frame(payload),
    error: /connection 1, message 31: wrong content/,
  },
  {
    name: 'fanout: message too short for one client',
    options: { mode: 'fanout' },
    deliver: (payload, number) => frame(number === CHOSEN ? payload.subarray(0, 60) : payload),
    error: /length 60 instead of 64/,
  },

  { name: 'idle: plain', options: IDLE, verified: 3 },
  {
    name: 'idle: message that nobody sent',
    options: IDLE,
    upgrade: (head) => head + frame(Buffer.alloc(64)).toString('latin1'),
    error: /wrong content/,
  },
  {
    name: 'idle: connection that ends',
    options: IDLE,
    upgrade: null,
    error: /TCP end/,
  },
  {
    name: 'idle: connection that is dead in the end',
    options: IDLE,
    reply: () => Buffer.alloc(0),
    error: /hang: connection 0 waits for message 0, 1 messages lost/,
  },

  { name: 'churn: plain', options: { mode: 'churn' } },
  { name: 'churn: plain, TLS', options: { mode: 'churn' }, tls: {} },
  {
    name: 'churn: wrong accept value',
    options: { mode: 'churn' },
    upgrade: (head) => head.replace(/Accept: ./, 'Accept: !'),
    error: /wrong Sec-WebSocket-Accept/,
  },
  {
    name: 'churn: no close frame',
    options: { mode: 'churn' },
    close: () => Buffer.alloc(0),
    error: /hang: 1 connections without a close frame/,
  },
  {
    name: 'churn: TCP end instead of the close frame',
    options: { mode: 'churn' },
    close: () => null,
    error: /TCP end instead of a close frame/,
  },
  {
    name: 'churn: message before the close frame',
    options: { mode: 'churn' },
    close: (close) => Buffer.concat([frame(Buffer.alloc(64)), close]),
    error: /wrong content/,
  },

  ...CLIENTS.flatMap((client) => [
    { name: `client ${client}: plain echo`, client },
    {
      name: `client ${client}: bit flipped`,
      client,
      reply: once((payload) => frame(flipped(payload, 63))),
      error: /connection 0, message 30: wrong content/,
    },
    {
      name: `client ${client}: message lost`,
      client,
      reply: once(() => Buffer.alloc(0)),
      error: /connection 0, message 30: wrong content/,
    },
    {
      name: `client ${client}: message twice`,
      client,
      reply: once((payload) => Buffer.concat([frame(payload), frame(payload)])),
      error: /connection 0, message 31: wrong content/,
    },
    {
      name: `client ${client}: binary for text`,
      client,
      reply: once((payload) => frame(payload, FIN | BINARY)),
      error: /connection 0, message 30: wrong content/,
    },
    {
      name: `client ${client}: everything lost from some message on`,
      client,
      reply: (/** @type {Buffer} */ payload, /** @type {number} */ number) =>
        number < CHOSEN ? frame(payload) : Buffer.alloc(0),
      error: /hang: connection 0 waits for message 30/,
    },
    {
      name: `client ${client}: TCP end too early`,
      client,
      reply: once(() => null),
      error: /closed with 1006|the TCP connection ended/,
    },
  ]),
];

/** Serves one TCP connection as a case wants it. */
class FaultyPeer {
  #socket;
  #case;
  #peers;
  #number;
  /** @type {Buffer} */
  #received = Buffer.alloc(0);
  #open = false;
  #messages = 0;
  /** @type {Buffer} */
  #previous = Buffer.alloc(0);

  /**
   * @param {import('node:net').Socket} socket
   * @param {Case} wanted
   * @param {FaultyPeer[]} peers all so far, in the order in which they came; is added to
   */
  constructor(socket, wanted, peers) {
    this.#socket = socket;
    this.#case = wanted;
    this.#peers = peers;
    this.#number = peers.push(this) - 1;
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
    const { upgrade = String } = this.#case;
    if (upgrade !== null) this.#socket.write(upgrade(head), 'latin1');
    else if (this.#number === 0) this.#socket.end(head);
    else this.#socket.write(head);
    this.#received = this.#received.subarray(end + 4);
    this.#open = true;
  }

  /** @returns {boolean} whether a whole frame was there */
  #takeFrame() {
    const bytes = this.#received;
    if (bytes.length < 2) return false;
    const short = bytes.readUInt8(1) & 0x7f;
    const keyAt = short === 127 ? 10 : short === 126 ? 4 : 2;
    const begin = keyAt + 4;
    if (bytes.length < begin) return false;
    const length =
      short === 127 ? bytes.readUInt32BE(6) : short === 126 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < begin + length) return false;
    const payload = Buffer.from(bytes.subarray(begin, begin + length));
    for (let i = 0; i < length; ++i) {
      payload.writeUInt8(payload.readUInt8(i) ^ bytes.readUInt8(keyAt + (i % 4)), i);
    }
    const opcode = bytes.readUInt8(0) & 0x0f;
    this.#received = bytes.subarray(begin + length);
    if (opcode === TEXT) this.#onMessage(payload);
    if (opcode === CLOSE) this.#onClose();
    return true;
  }

  /** @param {Buffer} payload */
  #onMessage(payload) {
    const number = this.#messages++;
    if (this.#case.options?.['mode'] === 'fanout') {
      const { deliver } = this.#case;
      for (const [index, peer] of this.#peers.entries()) {
        peer.#socket.write(index === 1 && deliver ? deliver(payload, number) : frame(payload));
      }
      return;
    }
    const reply = this.#number === 0 ? this.#case.reply : undefined;
    const answer = reply ? reply(payload, number, this.#previous) : frame(payload);
    this.#previous = payload;
    if (answer) this.#socket.write(answer);
    else this.#socket.end();
  }

  #onClose() {
    const close = frame(Buffer.of(3, 232), FIN | CLOSE);
    const chosen = this.#case.options?.['mode'] === 'churn' ? CHOSEN : 0;
    const wrong = this.#number === chosen ? this.#case.close : undefined;
    if (!wrong) {
      this.#socket.end(close);
      return;
    }
    const answer = wrong(close);
    if (answer) this.#socket.write(answer);
    else this.#socket.end();
  }
}

/** Messages, or connections, of a case. */
const MESSAGES = 300;

/**
 * @param {Case} wanted
 * @param {number} port
 * @returns {readonly string[]} the command line
 */
function commandLine(wanted, port) {
  const options = { port, connections: 3, inflight: 4, size: wanted.size ?? 64, stall: 0.7 };
  if (wanted.client) {
    return clientCommand(wanted.client, { ...options, warmup: 0.2, seconds: 0.3 });
  }
  const ca = wanted.tls && { ca: certificateFiles(TLS_DIRECTORY).cert };
  const all = Object.entries({ ...options, messages: MESSAGES, ...ca, ...wanted.options });
  return [
    `${BUILD_DIRECTORY}/load`,
    ...all.flatMap(([name, value]) => (value === '' ? [] : [`--${name}`, String(value)])),
  ];
}

/**
 * @param {Case} wanted
 * @returns {import('node:net').Server}
 */
function makeServer(wanted) {
  /** @type {FaultyPeer[]} */
  const peers = [];
  const serve = (/** @type {import('node:net').Socket} */ socket) => {
    socket.setNoDelay(true);
    new FaultyPeer(socket, wanted, peers);
  };
  if (!wanted.tls) return createServer(serve);
  const { cert, key } = certificateFiles(TLS_DIRECTORY);
  const files = { cert: readFileSync(cert), key: readFileSync(key) };
  const server = createTlsServer({ ...files, ...wanted.tls }, serve);
  server.on('tlsClientError', () => {}); // where the load generator must refuse
  return server;
}

/**
 * @param {Case} wanted
 * @returns {Promise<string>} what is wrong with the load generator; '' if nothing is
 */
async function runCase(wanted) {
  const server = makeServer(wanted);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const load = new Child('the load generator', commandLine(wanted, port));
  try {
    let result = await load.line(20);
    while (result.phase) result = await load.line(20); // the clients tell these always
    const { errors, verified } = result;
    const status = await load.exit(5);
    const said = `status ${status}, ${verified} verified, ${errors[0]}`;
    if (wanted.error) return status === 1 && wanted.error.test(errors[0] ?? '') ? '' : said;
    const due = wanted.verified ?? MESSAGES;
    const isEnough = wanted.client ? verified > CHOSEN : verified === due;
    const isRight = status === 0 && isEnough && (wanted.check?.(result) ?? true);
    return isRight ? '' : said;
  } finally {
    load.kill();
    server.close();
  }
}

/** @returns {Promise<number>} the exit status */
export async function selfTest() {
  makeCertificate(STRANGER_DIRECTORY);
  let failed = 0;
  for (const wanted of CASES) {
    const problem = await runCase(wanted).catch(({ message }) => message);
    console.log(`${problem === '' ? 'ok  ' : 'FAIL'} ${wanted.name}${problem && ` (${problem})`}`);
    if (problem !== '') failed += 1;
  }
  console.log(`${CASES.length} cases, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
