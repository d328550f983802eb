// @ts-check
/**
 * One TCP connection of the scripted peer: sends what its script says and keeps what the app's side
 * sent. It takes no part in WebSocket by itself: every byte it writes is in the case.
 */

import net from 'node:net';
import { describeFrame, encodeFrame, FrameParser, joinFragments } from './frames.mjs';
import { acceptFor, HeadReader, upgradeAnswer, upgradeRequest } from './handshake.mjs';
import { Changes, sleep } from './waiting.mjs';

/**
 * @import { Socket } from 'node:net'
 * @import { FrameSpec, ObservedConnection, PeerStep, TcpEnd } from './format.js'
 * @import { Stage } from './stage.mjs'
 */

const STEP_LIMIT_MS = 7000;
/** Between pieces of a write that is to arrive in pieces. */
const CHUNK_PAUSE_MS = 2;

export class ScriptedConnection {
  /** Source address, for a connection that the script opens. */
  from;
  localPort = 0;
  /** @type {TcpEnd} */
  end = 'open';
  /** @type {string[]} */
  scriptErrors = [];

  #stage;
  #changes = new Changes();
  /** @type {Socket | undefined} */
  #socket;
  #reader = new HeadReader();
  /** @type {HeadReader | undefined} */
  #proxyReader;
  #parser = new FrameParser();
  #upgraded = false;
  /** What came behind the request before the script answered it. @type {Buffer} */
  #early = Buffer.alloc(0);
  /** The TCP connection has ended, or never was. */
  #over = false;
  #framesSeen = 0;

  /**
   * @param {Stage} stage
   * @param {{ socket?: Socket, from?: string | undefined }} how an accepted socket, or where to
   *   connect from
   */
  constructor(stage, { socket, from }) {
    this.#stage = stage;
    this.from = from;
    if (socket) this.#attach(socket);
  }

  /** `Sec-WebSocket-Accept` of the request that came, undefined if there was none. */
  get accept() {
    return this.#reader.key === '' ? undefined : acceptFor(this.#reader.key);
  }

  /**
   * Runs a script. A step that fails ends it and is recorded.
   *
   * @param {readonly PeerStep[]} steps
   */
  async run(steps) {
    for (const [index, step] of steps.entries()) {
      const name = Object.keys(step).find((key) => key in ACTIONS) ?? '';
      const action = ACTIONS[name];
      try {
        if (!action) throw new Error('unknown step');
        await action(this, /** @type {Required<PeerStep>} */ (step));
      } catch (error) {
        const { message } = /** @type {Error} */ (error);
        this.scriptErrors.push(`step ${index} ${name}: ${message}`);
        return;
      }
    }
  }

  // ---- what scripts do

  async connect() {
    const socket = net.connect({
      host: '127.0.0.1',
      port: this.#stage.ports.port,
      allowHalfOpen: true,
      ...(this.from === undefined ? {} : { localAddress: this.from }),
    });
    const connected = new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    this.#attach(socket);
    if (await connected) this.localPort = socket.localPort ?? 0;
    else this.end = 'refused';
  }

  /**
   * @param {Buffer} bytes
   * @param {number} [chunk] bytes a write
   */
  async write(bytes, chunk = bytes.length) {
    for (let at = 0; at < bytes.length; at += chunk) {
      if (this.#over || !this.#socket?.writable) return;
      this.#socket.write(bytes.subarray(at, at + chunk));
      if (chunk < bytes.length) await sleep(CHUNK_PAUSE_MS);
    }
  }

  /** @param {string} text header text with templates */
  head(text) {
    return Buffer.from(
      this.#stage.fill(text).replaceAll('{accept}', acceptFor(this.#reader.key)),
      'latin1',
    );
  }

  /** @param {readonly FrameSpec[]} specs */
  frames(specs) {
    const maskByDefault = this.#stage.side === 'server';
    return Buffer.concat(specs.map((spec) => encodeFrame(spec, maskByDefault, this.#stage.fill)));
  }

  /** From now on, what comes is frames. */
  upgrade() {
    this.#upgraded = true;
    this.#parser.push(this.#early);
    this.#early = Buffer.alloc(0);
  }

  /** The head just read belonged to a proxy; the next one is the peer's. */
  takeProxyHead() {
    const early = this.#early;
    this.#proxyReader = this.#reader;
    this.#reader = new HeadReader();
    this.#early = Buffer.alloc(0);
    if (early.length > 0) this.#take(early);
  }

  async untilHead() {
    await this.#until(() => this.#reader.head !== undefined || this.#over);
  }

  /** @param {number | undefined} opcode any frame if undefined */
  async untilFrame(opcode) {
    await this.#until(() => {
      while (this.#framesSeen < this.#parser.frames.length) {
        const frame = this.#parser.frames[this.#framesSeen++];
        if (opcode === undefined || frame?.opcode === opcode) return true;
      }
      if (this.#over) throw new Error('connection ended while waiting for a frame');
      return false;
    });
  }

  /** @param {{ ms?: number, thenClose?: boolean }} how */
  async untilClosed({ ms, thenClose }) {
    if (ms === undefined) await this.#until(() => this.#over);
    else await this.#changes.until(() => this.#over, ms);
    if (thenClose && !this.#over) this.finish();
  }

  /** Ends the TCP connection from this side. */
  finish({ reset = false } = {}) {
    if (!this.#over && this.end === 'open') this.end = 'peer';
    if (reset) this.#socket?.resetAndDestroy();
    else this.#socket?.end();
  }

  /** @param {string} name */
  signal(name) {
    this.#stage.signals.raise(name);
  }

  /** @param {string} name */
  async waitSignal(name) {
    await this.#stage.signals.wait(name);
  }

  // ---- what is kept

  /**
   * @param {readonly string[]} check what the case wants to see of the heads
   * @returns {ObservedConnection}
   */
  describe(check) {
    const { profile, unport } = this.#stage;
    const frames = profile === 'default' ? joinFragments(this.#parser.frames) : this.#parser.frames;
    const proxyLines = this.#proxyReader?.lines.map(unport);
    return {
      ...(proxyLines && {
        proxyRequest: check.includes('proxyHeaders') ? proxyLines : proxyLines.slice(0, 1),
      }),
      ...(this.#stage.side === 'client' ? this.#request(check) : this.#response(check)),
      frames: frames.map(describeFrame),
      end: this.end,
      ...(this.scriptErrors.length > 0 && { scriptErrors: this.scriptErrors }),
    };
  }

  /** @param {readonly string[]} check */
  #request(check) {
    if (this.#reader.head === undefined || !check.includes('request')) return {};
    const { key } = this.#reader;
    const [line = '', ...headers] = this.#reader.lines.map((text) => {
      const utf8 = Buffer.from(text, 'latin1').toString('utf8');
      return this.#stage.unport(key === '' ? utf8 : utf8.replace(key, '{key}'));
    });
    return { request: { line, headers } };
  }

  /** @param {readonly string[]} check */
  #response(check) {
    if (this.#reader.head === undefined) {
      return this.#reader.partial === ''
        ? {}
        : { response: { raw: this.#reader.partial.slice(0, 200) } };
    }
    const [line = '', ...headers] = this.#reader.lines;
    return {
      response: {
        status: this.#reader.status,
        ...(check.includes('response') && { line, headers: headers.map(this.#stage.unport) }),
      },
    };
  }

  // ---- the socket

  /** @param {Socket} socket */
  #attach(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#take(chunk);
      this.#changes.notify();
    });
    const ended = () => {
      if (this.end === 'open') this.end = 'app';
      this.#over = true;
      this.#changes.notify();
    };
    socket.on('end', () => {
      ended();
      socket.end();
    });
    socket.on('error', ended);
    socket.on('close', ended);
  }

  /** @param {Buffer} chunk */
  #take(chunk) {
    if (this.#upgraded) {
      this.#parser.push(chunk);
    } else if (this.#reader.head !== undefined) {
      this.#early = Buffer.concat([this.#early, chunk]);
    } else {
      this.#early = this.#reader.push(chunk);
      if (this.#stage.side === 'server' && this.#reader.status === 101) this.upgrade();
    }
  }

  /** @param {() => boolean} test */
  async #until(test) {
    if (!(await this.#changes.until(test, STEP_LIMIT_MS * this.#stage.patience))) {
      throw new Error('waited in vain');
    }
  }
}

/**
 * The steps of a script by name.
 *
 * @type {Readonly<Record<string, (connection: ScriptedConnection, step: Required<PeerStep>) => unknown>>}
 */
const ACTIONS = {
  connect: (c) => c.connect(),
  sendHandshake: (c, step) => c.write(c.head(upgradeRequest(step.sendHandshake))),
  expectHandshake: (c) => c.untilHead(),
  expectResponse: (c) => c.untilHead(),
  reply101: (c, step) => {
    const spec = step.reply101 === true ? {} : step.reply101;
    const answer = [c.head(upgradeAnswer(spec)), c.frames(spec.withFrames ?? [])];
    c.upgrade();
    return c.write(Buffer.concat(answer), spec.chunk);
  },
  replyRaw: (c, step) => c.write(c.head(step.replyRaw)),
  sendRaw: (c, step) => c.write(c.head(step.sendRaw)),
  sendHex: (c, step) => c.write(Buffer.from(step.sendHex, 'hex')),
  proxyReply: async (c, step) => {
    await c.untilHead();
    c.takeProxyHead();
    await c.write(c.head(step.proxyReply));
  },
  sendFrame: (c, step) => c.write(c.frames([step.sendFrame]), step.sendFrame.chunk),
  sendFrames: (c, step) => c.write(c.frames(step.sendFrames)),
  expectFrame: (c, step) =>
    c.untilFrame(step.expectFrame === true ? undefined : step.expectFrame.opcode),
  delayMs: (_c, step) => sleep(step.delayMs),
  closeTcp: (c) => c.finish(),
  resetTcp: (c) => c.finish({ reset: true }),
  readUntilClose: (c, step) =>
    c.untilClosed(step.readUntilClose === true ? {} : step.readUntilClose),
  signal: (c, step) => c.signal(step.signal),
  waitSignal: (c, step) => c.waitSignal(step.waitSignal),
};
