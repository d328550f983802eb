/**
 * Child process of `flooder.ts`: a raw WebSocket peer that sends as fast as the other side takes, so
 * that the process under test can block its JavaScript and measure its own memory meanwhile. It says
 * `port` (as a server), `open`, and in the end `sent`; it is told `go` and `stop`.
 *
 * The last message is the text `end`; then it waits for the other side to close.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { MixedMessages } from './mixed-messages.mjs';

/** @import { FlooderOptions } from './flooder.js' */

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** A mask that changes nothing: legal, and it costs nothing to send hundreds of megabytes. */
const NO_MASK = Buffer.alloc(4);

/** @type {FlooderOptions} */
const options = JSON.parse(process.argv[2] ?? '{}');
const isClient = options.role === 'client';
let stopped = false;
const told = {
  go: /** @type {() => void} */ (() => undefined),
};
const go = new Promise((resolve) => {
  told.go = () => resolve(undefined);
});
process.on('message', (message) => {
  if (message === 'go') told.go();
  if (message === 'stop') stopped = true;
});
process.on('disconnect', () => process.exit());

/** @param {object} message */
const say = (message) => process.send?.(message);

/**
 * @param {number} opcode
 * @param {Buffer} payload
 */
function frame(opcode, payload) {
  const size = payload.length;
  const mask = isClient ? 0x80 : 0;
  /** @type {Buffer} */
  let head;
  if (size < 126) {
    head = Buffer.of(0x80 | opcode, mask | size);
  } else if (size < 65_536) {
    head = Buffer.of(0x80 | opcode, mask | 126, size >> 8, size & 255);
  } else {
    head = Buffer.alloc(10);
    head[0] = 0x80 | opcode;
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(size), 2);
  }
  return isClient ? Buffer.concat([head, NO_MASK, payload]) : Buffer.concat([head, payload]);
}

/** @returns {(index: number) => Buffer} the frame of a message */
function series() {
  const { content } = options;
  if (content.kind === 'mixed') {
    const messages = new MixedMessages(content.seed);
    return () => {
      const message = messages.next();
      return typeof message === 'string' ? frame(1, Buffer.from(message)) : frame(2, message);
    };
  }
  const { size } = content;
  return (index) => frame(1, Buffer.from(String(index).padEnd(size, '.')));
}

/** @param {net.Socket} socket */
async function flood(socket) {
  const next = series();
  let sent = 0;
  while (sent < options.count && !stopped) {
    /** @type {Buffer[]} */
    const frames = [];
    while (frames.length < options.framesPerWrite && sent < options.count)
      frames.push(next(sent++));
    if (!socket.write(Buffer.concat(frames))) await once(socket, 'drain');
    // Lets `stop` in.
    else await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(frame(1, Buffer.from('end')));
  say({ sent });
}

/**
 * @param {net.Socket} socket
 * @returns {Promise<string>}
 */
async function readHead(socket) {
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = await once(socket, 'data');
    head += String(chunk);
  }
  return head;
}

/** @param {net.Socket} socket */
async function run(socket) {
  socket.on('error', () => process.exit());
  socket.on('close', () => process.exit());
  if (isClient) {
    const request = [
      'GET / HTTP/1.1',
      'Host: 127.0.0.1',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
      'Sec-WebSocket-Version: 13',
    ];
    socket.write(`${request.join('\r\n')}\r\n\r\n`);
    await readHead(socket);
  } else {
    const head = await readHead(socket);
    const key = /^sec-websocket-key: *(\S*)/im.exec(head)?.[1] ?? '';
    const accept = createHash('sha1')
      .update(key + ACCEPT_GUID)
      .digest('base64');
    const answer = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
    ];
    socket.write(`${answer.join('\r\n')}\r\n\r\n`);
  }
  socket.resume();
  say({ open: true });
  await go;
  await flood(socket);
}

if (isClient) {
  const target = { port: options.port ?? 0, host: '127.0.0.1' };
  const socket = options.tls
    ? tls.connect({ ...target, ca: readFileSync(options.tls.caPath) })
    : net.connect(target);
  await once(socket, options.tls ? 'secureConnect' : 'connect');
  await run(socket);
} else {
  const server = options.tls
    ? tls.createServer({
        cert: readFileSync(options.tls.certPath),
        key: readFileSync(options.tls.keyPath),
      })
    : net.createServer();
  server.on(options.tls ? 'secureConnection' : 'connection', run);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  say({ port: typeof address === 'object' ? address?.port : undefined });
}
