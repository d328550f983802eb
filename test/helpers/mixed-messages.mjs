/**
 * An endless, reproducible series of messages of mixed kinds and sizes (0 B to 200 kB, mostly small):
 * the same seed gives the same series, so that sender and receiver, in one process or in two, know
 * what message has to come next without telling each other.
 */

const LARGEST_BYTES = 200_000;
const PATTERN_BYTES = 1 << 20;
/** What every series begins with: the borders of the frame's length forms, and the extremes. */
const FIRST_SIZES = [0, 1, 125, 126, 65_535, 65_536, LARGEST_BYTES];

/**
 * A small fast generator of 32-bit numbers (mulberry32).
 *
 * @param {number} seed
 * @returns {() => number}
 */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Messages are slices of these: the bytes, and a text whose second half is not ASCII. */
const pattern = Buffer.alloc(PATTERN_BYTES);
{
  const random = randomNumbers(1);
  for (let at = 0; at < PATTERN_BYTES; at += 4) pattern.writeUInt32LE(random(), at);
}
const asciiText = pattern.toString('base64').slice(0, PATTERN_BYTES);
const mixedText = asciiText.replaceAll('A', 'é').replaceAll('b', '漢').replaceAll('7', '\u0000');

/** @typedef {string | Buffer} Message text, or bytes that belong to all messages: not to be written */

export class MixedMessages {
  #random;
  #index = 0;

  /** @param {number} seed */
  constructor(seed) {
    this.#random = randomNumbers(seed);
  }

  /**
   * The next message of the series.
   *
   * @returns {Message}
   */
  next() {
    const random = this.#random;
    const kind = random() % 4;
    const size = FIRST_SIZES[this.#index++] ?? this.#size();
    const at = random() % (PATTERN_BYTES - LARGEST_BYTES);
    if (kind === 0) return asciiText.slice(at, at + size);
    // Three bytes a character at most, so that texts too stay below the largest size.
    if (kind === 1) return mixedText.slice(at, at + Math.floor(size / 3));
    return pattern.subarray(at, at + size);
  }

  /** In a hundred: 45 tiny, 45 below 2 kB, 9 below 10 kB, 1 up to the largest. */
  #size() {
    const share = this.#random() % 100;
    const below = share < 45 ? 126 : share < 90 ? 2000 : share < 99 ? 10_000 : LARGEST_BYTES + 1;
    return this.#random() % below;
  }
}

/** Compares what comes, message by message, with the series of a seed. */
export class MixedMessagesReceiver {
  #expected;
  #name;
  received = 0;

  /**
   * @param {number} seed
   * @param {string} name of the receiver, for the failure
   */
  constructor(seed, name) {
    this.#expected = new MixedMessages(seed);
    this.#name = name;
  }

  /**
   * Throws if this is not the next message.
   *
   * @param {string | ArrayBuffer | Buffer} data
   */
  take(data) {
    const expected = this.#expected.next();
    const same =
      typeof expected === 'string'
        ? data === expected
        : typeof data !== 'string' && expected.equals(new Uint8Array(data));
    if (!same) {
      const shown = (/** @type {string | ArrayBuffer | Buffer} */ message) =>
        typeof message === 'string'
          ? `text of ${message.length} characters '${message.slice(0, 20)}'`
          : `${message.byteLength} bytes ${Buffer.from(message).toString('hex', 0, 10)}`;
      throw new Error(
        `${this.#name}, message ${this.received}: expected ${shown(expected)}, got ${shown(data)}`,
      );
    }
    this.received++;
  }
}
