/**
 * The three kinds of clients of the demo behind one form: ours, the npm package `ws`, and a bare TCP
 * peer that writes its own frames. `open`, `send`, `next` (the next message), `close`, and `closed`,
 * which resolves with the code and reason of the end.
 */

import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { webSocket } from 'ohos-websocket';
import { WebSocket } from 'ws';
import { Inbox } from './inbox.mjs';

export class OhosClient {
  kind = 'ohos-websocket';
  #socket = webSocket.createWebSocket();
  #inbox = new Inbox();

  async open(url) {
    const socket = this.#socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (_error, result) => {
        this.#inbox.end(new Error(`closed: ${result.code} ${result.reason}`));
        resolve(result);
      });
    });
    socket.on('message', (_error, data) => this.#inbox.push(data));
    const opened = new Promise((resolve, reject) => {
      socket.on('open', () => resolve());
      socket.on('error', (error) => {
        const refused = new Error(`error ${error.code}, HTTP status ${error.data}`);
        reject(Object.assign(refused, { status: error.data }));
      });
    });
    await socket.connect(url);
    await opened;
  }

  send(data) {
    return this.#socket.send(data);
  }

  next() {
    return this.#inbox.next();
  }

  close(code, reason) {
    return this.#socket.close({ code, reason });
  }
}

export class WsClient {
  kind = 'ws';
  #socket;
  #inbox = new Inbox();

  async open(url) {
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#inbox.end(new Error(`closed: ${code} ${reason}`));
        resolve({ code, reason: String(reason) });
      });
    });
    socket.binaryType = 'arraybuffer';
    socket.on('message', (data, isBinary) =>
      this.#inbox.push(isBinary ? data : Buffer.from(data).toString()),
    );
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
  }

  async send(data) {
    this.#socket.send(data);
  }

  next() {
    return this.#inbox.next();
  }

  async close(code, reason) {
    this.#socket.close(code, reason);
  }
}

const CONTINUATION = 0;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Speaks just enough of the protocol to send a text in pieces; reads short unfragmented frames. */
export class RawClient {
  kind = 'TCP';
  #socket;
  #inbox = new Inbox();
  #pongs = new Inbox();

  async open(url) {
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    this.#socket = socket;
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    await new Promise((resolve, reject) => {
      this.closed = new Promise((resolveClosed) => this.#read(resolve, resolveClosed));
      socket.once('error', reject);
    });
  }

  /** One text message in as many frames as there are pieces, with a ping between them. */
  async sendPieces(pieces) {
    const last = pieces.length - 1;
    const frames = pieces.map((piece, i) =>
      frame(i === 0 ? TEXT : CONTINUATION, piece, i === last),
    );
    const [first = Buffer.alloc(0), ...rest] = frames;
    this.#socket.write(Buffer.concat([first, frame(PING, 'between'), ...rest]));
  }

  next() {
    return this.#inbox.next();
  }

  nextPong() {
    return this.#pongs.next();
  }

  async close(code, reason) {
    const body = Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)]);
    this.#socket.write(frame(CLOSE, body));
  }

  #read(opened, closed) {
    let data = Buffer.alloc(0);
    let isOpen = false;
    let result = { code: 1006, reason: '' };
    this.#socket.on('data', (chunk) => {
      data = Buffer.concat([data, chunk]);
      if (!isOpen) {
        const end = data.indexOf('\r\n\r\n');
        if (end < 0) return;
        data = data.subarray(end + 4);
        isOpen = true;
        opened();
      }
      while (data.length >= 2) {
        const length = data[1] & 0x7f;
        if (data.length < 2 + length) return;
        const opcode = data[0] & 15;
        const body = data.subarray(2, 2 + length);
        data = data.subarray(2 + length);
        if (opcode === TEXT) this.#inbox.push(body.toString());
        if (opcode === PONG) this.#pongs.push(body.toString());
        if (opcode === CLOSE) {
          result = { code: body.readUInt16BE(), reason: body.subarray(2).toString() };
          this.#socket.end();
        }
      }
    });
    this.#socket.once('close', () => closed(result));
  }
}

/** A masked frame of at most 125 bytes. */
function frame(opcode, payload, fin = true) {
  const body = Buffer.from(payload);
  const key = randomBytes(4);
  const masked = body.map((byte, i) => byte ^ key[i & 3]);
  return Buffer.concat([Buffer.of((fin ? 0x80 : 0) | opcode, 0x80 | body.length), key, masked]);
}
