// The WebSocket server of the self-test: it echoes, but for what a script says. It makes its frames
// itself, so that it can make wrong ones.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { TLS_DIRECTORY } from './paths.mjs';
import { certificateFiles } from './prepare.mjs';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const FIN = 0x80;

/**
 * The echo that goes wrong: neither the first nor the last of its connection. Where connections
 * come and go, the connection.
 */
export const CHOSEN = 30;

/**
 * What it does other than to echo.
 *
 * @typedef {object} Script
 * @property {Record<string, string | number>} [options] of the load generator; the server goes by
 *   `mode`: in `fanout` a message goes to all, in `churn` connections come and go
 * @property {import('node:tls').TlsOptions} [tls] serves TLS, with these options
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
export function frame(payload, firstByte = FIN | TEXT) {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.of(firstByte, length), payload]);
  if (length < 65536)
    return Buffer.concat([Buffer.of(firstByte, 126, length >> 8, length), payload]);
  const head = Buffer.of(firstByte, 127, 0, 0, 0, 0, 0, 0, 0, 0);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Serves one TCP connection as a script wants it. */
class ScriptedPeer {
  #socket;
  #script;
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
   * @param {Script} script
   * @param {ScriptedPeer[]} peers all so far, in the order in which they came; is added to
   */
  constructor(socket, script, peers) {
    this.#socket = socket;
    this.#script = script;
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
    const { upgrade = String } = this.#script;
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
    if (this.#script.options?.['mode'] === 'fanout') {
      const { deliver } = this.#script;
      for (const [index, peer] of this.#peers.entries()) {
        peer.#socket.write(index === 1 && deliver ? deliver(payload, number) : frame(payload));
      }
      return;
    }
    const reply = this.#number === 0 ? this.#script.reply : undefined;
    const answer = reply ? reply(payload, number, this.#previous) : frame(payload);
    this.#previous = payload;
    if (answer) this.#socket.write(answer);
    else this.#socket.end();
  }

  #onClose() {
    const close = frame(Buffer.of(3, 232), FIN | CLOSE);
    const chosen = this.#script.options?.['mode'] === 'churn' ? CHOSEN : 0;
    const wrong = this.#number === chosen ? this.#script.close : undefined;
    if (!wrong) {
      this.#socket.end(close);
      return;
    }
    const answer = wrong(close);
    if (answer) this.#socket.write(answer);
    else this.#socket.end();
  }
}

/**
 * @param {Script} script
 * @returns {import('node:net').Server}
 */
export function makeScriptedServer(script) {
  /** @type {ScriptedPeer[]} */
  const peers = [];
  const serve = (/** @type {import('node:net').Socket} */ socket) => {
    socket.setNoDelay(true);
    new ScriptedPeer(socket, script, peers);
  };
  if (!script.tls) return createServer(serve);
  const { cert, key } = certificateFiles(TLS_DIRECTORY);
  const files = { cert: readFileSync(cert), key: readFileSync(key) };
  const server = createTlsServer({ ...files, ...script.tls }, serve);
  server.on('tlsClientError', () => {}); // where the load generator must refuse
  return server;
}
