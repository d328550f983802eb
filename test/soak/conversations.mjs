/**
 * What goes on during a soak, over sockets of any kind to something that echoes: messages of mixed sizes, large
 * ones, a reader that pauses, and connections that come and go. Every message is compared when it comes back;
 * one that does not come back in time is lost.
 */

import { MixedMessages, MixedMessagesReceiver } from '../helpers/mixed-messages.mjs';

/**
 * @typedef {object} Socket
 * @property {(data: string | Buffer) => Promise<unknown>} send
 * @property {(data: string | ArrayBuffer | Buffer) => void} onMessage called with each message, once it is set
 * @property {Promise<void>} closed
 * @property {() => void} close in order
 * @property {(ms: number) => void} [rest] reads nothing for so long
 * @property {() => void} [cut] without a close frame
 */

/** @typedef {(options: { path: string, compressed: boolean }) => Promise<Socket>} Open */

/** How long a message may take to come back. */
const LOST_AFTER_MS = 120_000;
/** Between two bursts: a soak looks for what adds up, not for what load does. */
const BREATH_MS = 10;
const LARGE_BYTES = 4 << 20;

const large = Buffer.alloc(2 * LARGE_BYTES);
for (let at = 0; at < large.length; at += 4)
  large.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at);

/** Messages of 4 MiB, all different. */
class LargeMessages {
  #at = 0;
  next() {
    this.#at = (this.#at + 12_345) % LARGE_BYTES;
    return large.subarray(this.#at, this.#at + LARGE_BYTES);
  }
}

class LargeMessagesReceiver {
  #expected = new LargeMessages();
  received = 0;
  /** @param {string | ArrayBuffer | Buffer} data */
  take(data) {
    if (typeof data === 'string' || !this.#expected.next().equals(new Uint8Array(data))) {
      throw new Error(`large message ${this.received} came back as another`);
    }
    this.received++;
  }
}

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

const reason = (/** @type {any} */ error) => error.message ?? JSON.stringify(error);

export class Conversations {
  counts = { connections: 0, messages: 0, bytes: 0 };
  /** @type {string[]} */
  failures = [];
  #stopped = false;
  #seed = 1;
  /** @type {Open} */
  #open;
  /** @type {Promise<void>[]} */
  #running;

  /** @param {Open} open */
  constructor(open) {
    this.#open = open;
    const mixed = { burst: 16, large: false };
    this.#running = [
      ...[0, 1, 2, 3].map((n) => this.#keep({ ...mixed, path: '/', compressed: n % 2 === 1 })),
      this.#keep({ burst: 2, large: true, path: '/', compressed: false }),
      this.#keep({ ...mixed, burst: 64, path: '/slow', compressed: false, rests: true }),
      ...[0, 1, 2, 3].map((n) => this.#churn(n)),
    ];
  }

  /** Ends everything, once what was sent has come back. */
  async stop() {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** One connection, from the beginning to the end. */
  async #keep({ burst, large: isLarge, path, compressed, rests = false }) {
    try {
      const talk = await this.#begin({ isLarge, path, compressed });
      while (!this.#stopped) {
        if (rests) talk.socket.rest?.(300);
        await talk.goRound(burst);
        await pause(BREATH_MS);
      }
      talk.socket.close();
      await within(talk.socket.closed, 'the end of a connection');
    } catch (error) {
      this.failures.push(`${path}: ${reason(error)}`);
    }
  }

  /** Connections that live for a burst; they end in each of three ways. */
  async #churn(n) {
    for (let round = n; !this.#stopped; round++) {
      try {
        const talk = await this.#begin({
          isLarge: false,
          path: round % 3 === 0 ? '/close-me' : '/',
          compressed: round % 4 === 0,
        });
        await talk.goRound(8);
        if (round % 3 === 0) await talk.socket.send('close me');
        else if (round % 3 === 1) talk.socket.close();
        else (talk.socket.cut ?? talk.socket.close)();
        await within(talk.socket.closed, 'the end of a connection that comes and goes');
        await pause(BREATH_MS);
      } catch (error) {
        this.failures.push(`coming and going: ${reason(error)}`);
        await pause(1000);
      }
    }
  }

  async #begin({ isLarge, path, compressed }) {
    const socket = await within(this.#open({ path, compressed }), 'a connection');
    this.counts.connections++;
    const seed = this.#seed++;
    const messages = isLarge ? new LargeMessages() : new MixedMessages(seed);
    const receiver = isLarge
      ? new LargeMessagesReceiver()
      : new MixedMessagesReceiver(seed, `connection ${seed}`);
    let sent = 0;
    let settle = { resolve: () => {}, reject: (/** @type {unknown} */ _error) => {} };
    socket.onMessage = (data) => {
      try {
        receiver.take(data);
      } catch (error) {
        settle.reject(error);
      }
      this.counts.messages++;
      this.counts.bytes += typeof data === 'string' ? data.length : data.byteLength;
      if (receiver.received === sent) settle.resolve();
    };
    socket.closed.then(() =>
      settle.reject(new Error(`closed with ${sent - receiver.received} lost`)),
    );
    const goRound = async (/** @type {number} */ burst) => {
      const back = new Promise((resolve, reject) => {
        settle = { resolve: () => resolve(undefined), reject };
      });
      // It may fail while the burst is still being sent.
      back.catch(() => {});
      sent += burst;
      for (let m = 0; m < burst; m++) await socket.send(messages.next());
      await within(back, () => `${sent - receiver.received} messages to come back`);
    };
    return { socket, goRound };
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {string | (() => string)} what
 * @returns {Promise<T>}
 */
async function within(promise, what) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`));
    }, LOST_AFTER_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
