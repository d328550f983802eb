// The cases of the self-test, a table: servers that do one thing wrong, each of which must be found,
// and servers that do unusual but correct things, which must be accepted.

import { BUILD_DIRECTORY, TLS_DIRECTORY } from './paths.mjs';
import { certificateFiles } from './prepare.mjs';
import { BINARY, CHOSEN, CLOSE, FIN, frame, PING, TEXT } from './scripted-server.mjs';
import { CLIENTS } from './servers.mjs';

/** A server that stalls does so for this long. */
const STALL_MS = 300;

/** A certificate that vouches for nobody here. */
export const STRANGER_DIRECTORY = `${BUILD_DIRECTORY}/tls-stranger`;

/**
 * How it is run, and what must come of it.
 *
 * @typedef {object} Run
 * @property {string} name
 * @property {RegExp} [error] what the load generator says; none: all is well
 * @property {number} [size] bytes of a message
 * @property {string} [client] this client instead of the load generator
 * @property {number} [verified] messages or connections there must be, if all is well
 * @property {(result: any) => boolean} [check] what else must be true of the result
 */

/** @typedef {import('./scripted-server.mjs').Script & Run} Case */
/** @typedef {import('./scripted-server.mjs').Reply} Reply */

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
export const CASES = [
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
