/**
 * Raw peers: the other end of a WebSocket connection on a bare TCP or TLS socket, for both roles. They
 * write exactly the bytes a test wants (heads, frames with any field, garbage, half-closes, resets)
 * and read what comes, a frame at a time, each read bounded by a deadline that names what was awaited.
 * They take no part in the protocol by themselves: no automatic pong, no automatic close.
 *
 * Peers and listeners that a test makes are destroyed when it has finished.
 */

import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import tls, { type SecureContextOptions, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { Changes, DEADLINE_MS, within } from './deadline.js';
import {
  type AnswerSpec,
  acceptFor,
  ByteQueue,
  closeBody,
  encodeFrame,
  type Frame,
  type FrameSpec,
  Head,
  Opcode,
  type RequestSpec,
  readClose,
  SAMPLE_KEY,
  upgradeAnswer,
  upgradeRequest,
} from './frames.js';

export * from './frames.js';

export type PeerRole = 'client' | 'server';

/** How the other side ended the TCP connection. */
export type PeerEnd = 'end' | 'reset';

export interface ConnectOptions {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Source address. */
  readonly from?: string;
  /** TLS with these options of Node's `tls.connect`. */
  readonly tls?: tls.ConnectionOptions;
}

export class RawPeer {
  readonly role: PeerRole;
  readonly socket: Socket;

  readonly #queue = new ByteQueue();
  readonly #changes = new Changes();
  #ended: PeerEnd | undefined;

  constructor(role: PeerRole, socket: Socket) {
    this.role = role;
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#queue.push(chunk);
      this.#changes.notify();
    });
    const ended = (how: PeerEnd) => {
      this.#ended ??= how;
      this.#changes.notify();
    };
    socket.on('end', () => ended('end'));
    socket.on('error', () => ended('reset'));
    socket.on('close', () => ended('end'));
  }

  /** Opens a connection, without any upgrade. */
  static async connect(options: ConnectOptions): Promise<RawPeer> {
    const { port, host = '127.0.0.1', from } = options;
    const target = { port, host, ...(from === undefined ? {} : { localAddress: from }) };
    const socket = options.tls
      ? tls.connect({ ...target, ...options.tls })
      : net.connect({ ...target, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    const name = options.tls ? 'secureConnect' : 'connect';
    await within(once(socket, name), `a connection to ${host}:${port}`);
    return new RawPeer('client', socket);
  }

  /** Opens a connection and upgrades it. */
  static async open(options: ConnectOptions & { request?: RequestSpec }): Promise<RawPeer> {
    const peer = await RawPeer.connect(options);
    await peer.upgrade(options.request);
    return peer;
  }

  /** Port and address of this end, as a server of ours reports them. */
  get address(): { clientIP: string; clientPort: number } {
    const { localAddress, localPort } = this.socket;
    return { clientIP: localAddress ?? '', clientPort: localPort ?? 0 };
  }

  /** How the other side ended TCP; undefined while it has not. */
  get ended(): PeerEnd | undefined {
    return this.#ended;
  }

  // ---- handshake

  /** As a client: asks for the upgrade and demands a correct 101. */
  async upgrade(request: RequestSpec = {}): Promise<Head> {
    this.write(upgradeRequest(request));
    const head = await this.readHead();
    if (head.status !== 101) throw new Error(`the upgrade was answered '${head.startLine}'`);
    const accept = head.header('sec-websocket-accept');
    if (accept !== acceptFor(SAMPLE_KEY)) throw new Error(`wrong Sec-WebSocket-Accept: ${accept}`);
    return head;
  }

  /** As a server: reads the request and answers 101, with frames in the same write if given. */
  async acceptUpgrade(answer: AnswerSpec & { frames?: readonly FrameSpec[] } = {}): Promise<Head> {
    const request = await this.readHead();
    const key = request.header('sec-websocket-key') ?? '';
    this.write(
      Buffer.concat([Buffer.from(upgradeAnswer(key, answer)), this.encode(answer.frames ?? [])]),
    );
    return request;
  }

  /** The next head, of a request or an answer. */
  readHead(): Promise<Head> {
    return this.#take(() => {
      const text = this.#queue.takeHead();
      return text === undefined ? undefined : new Head(text);
    }, 'the head of an HTTP message');
  }

  // ---- writing

  /** Writes bytes as they are. */
  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The bytes of frames, masked as this peer's role demands unless they say otherwise. */
  encode(frames: readonly FrameSpec[]): Buffer {
    return Buffer.concat(frames.map((frame) => encodeFrame(frame, this.role === 'client')));
  }

  /** Writes frames, all in one piece. */
  send(...frames: FrameSpec[]): void {
    this.write(this.encode(frames));
  }

  sendText(text: string): void {
    this.send({ opcode: Opcode.text, payload: text });
  }

  sendBinary(bytes: Uint8Array): void {
    this.send({ opcode: Opcode.binary, payload: bytes });
  }

  sendClose(code: number, reason: string | Uint8Array = ''): void {
    this.send({ opcode: Opcode.close, payload: closeBody(code, reason) });
  }

  /** Writes bytes in pieces of `size`, each handed to the system before the next. */
  async writeInPieces(bytes: Uint8Array, size: number): Promise<void> {
    for (let at = 0; at < bytes.length; at += size) {
      this.write(bytes.subarray(at, at + size));
      await this.flushed();
    }
  }

  /** All that was written has been handed to the operating system. */
  async flushed(): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      this.socket.write('', (error) => (error ? reject(error) : resolve()));
    });
    await within(written, 'the peer to take what was written');
  }

  // ---- reading

  /** The next frame, of any kind. */
  readFrame(deadlineMs: number = DEADLINE_MS): Promise<Frame> {
    return this.#take(() => this.#queue.takeFrame(), 'a frame', deadlineMs);
  }

  /** The next frame, which has to be of this kind. */
  async expectFrame(opcode: number): Promise<Frame> {
    const frame = await this.readFrame();
    if (frame.opcode !== opcode) {
      const shown = frame.payload.subarray(0, 40).toString('latin1');
      throw new Error(`awaited opcode ${opcode}, got ${frame.opcode} with '${shown}'`);
    }
    return frame;
  }

  /** The next frame, which has to be a whole text message. */
  async expectText(): Promise<string> {
    const frame = await this.expectFrame(Opcode.text);
    if (!frame.fin) throw new Error('awaited a whole message, got a fragment');
    return frame.payload.toString('utf8');
  }

  /** The next frame, which has to be a close frame. */
  async expectClose(): Promise<{ code: number | undefined; reason: string }> {
    return readClose(await this.expectFrame(Opcode.close));
  }

  /** The next whole data message, put together from its fragments. */
  async readMessage(): Promise<{ binary: boolean; data: Buffer }> {
    const parts: Frame[] = [];
    do {
      const frame = await this.readFrame();
      const expected = parts.length === 0 ? [Opcode.text, Opcode.binary] : [Opcode.continuation];
      if (!(expected as number[]).includes(frame.opcode)) {
        throw new Error(`awaited part ${parts.length} of a message, got opcode ${frame.opcode}`);
      }
      parts.push(frame);
    } while (parts.at(-1)?.fin === false);
    return {
      binary: parts[0]?.opcode === Opcode.binary,
      data: Buffer.concat(parts.map((part) => part.payload)),
    };
  }

  /** Waits for the other side to end TCP, and gives the frames that came before. */
  async readToEnd(): Promise<{ end: PeerEnd; frames: Frame[] }> {
    const frames: Frame[] = [];
    const end = await this.#changes.until(() => {
      for (let frame = this.#queue.takeFrame(); frame; frame = this.#queue.takeFrame()) {
        frames.push(frame);
      }
      return this.#ended;
    }, 'the end of the TCP connection');
    return { end, frames };
  }

  /** Waits for the other side to end TCP, and gives the bytes that came before. */
  async readBytesToEnd(): Promise<{ end: PeerEnd; bytes: Buffer }> {
    const end = await this.#changes.until(() => this.#ended, 'the end of the TCP connection');
    return { end, bytes: this.#queue.takeAll() };
  }

  /** Stops reading: what the other side sends stays in the kernels' buffers. */
  stopReading(): void {
    this.socket.pause();
  }

  readOn(): void {
    this.socket.resume();
  }

  // ---- ending

  /** Sends FIN; reading goes on. */
  halfClose(): void {
    this.socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #take<T>(look: () => T | undefined, what: string, deadlineMs?: number): Promise<T> {
    return this.#changes.until(
      () => {
        const found = look();
        if (found === undefined && this.#ended !== undefined) {
          throw new Error(`the TCP connection ended (${this.#ended}) while waiting for ${what}`);
        }
        return found;
      },
      what,
      deadlineMs,
    );
  }
}

export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** TLS with this certificate and key. */
  readonly tls?: SecureContextOptions;
  /** Takes each TCP connection at once, in place of `accept`. */
  readonly onSocket?: (socket: Socket) => void;
}

/** Listens for connections and hands them out one by one as raw peers of the server role. */
export class RawListener {
  readonly port: number;

  readonly #waiting: RawPeer[] = [];
  readonly #changes = new Changes();
  #accepted = 0;

  private constructor(server: Server, options: ListenOptions) {
    this.port = (server.address() as AddressInfo).port;
    const sockets = new Set<Socket>();
    server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket | TLSSocket) => {
      this.#accepted++;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      if (options.onSocket) options.onSocket(socket);
      else this.#waiting.push(new RawPeer('server', socket));
      this.#changes.notify();
    });
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
  }

  static async listen(options: ListenOptions = {}): Promise<RawListener> {
    const server = options.tls
      ? tls.createServer({ ...options.tls })
      : net.createServer({ allowHalfOpen: true });
    server.on('tlsClientError', () => undefined);
    server.listen(0, options.host ?? '127.0.0.1');
    await within(once(server, 'listening'), 'a raw listener to listen');
    return new RawListener(server, options);
  }

  /** Connections so far. */
  get accepted(): number {
    return this.#accepted;
  }

  url(path = '/'): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  /** The next connection, without any upgrade. */
  accept(): Promise<RawPeer> {
    return this.#changes.until(() => this.#waiting.shift(), 'a client to connect');
  }

  /** The next connection, upgraded. */
  async acceptOpen(answer?: AnswerSpec): Promise<RawPeer> {
    const peer = await this.accept();
    await peer.acceptUpgrade(answer);
    return peer;
  }
}
