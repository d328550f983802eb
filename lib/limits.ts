/**
 * The limits of an endpoint: the one table that the options, their checks, `docs/limits.md` and the
 * tests in `test/limits` are made from. The engine is given every value and has no defaults of its
 * own.
 */

import type { WebSocketServerLimits } from './server-config-types.js';
import { isObject, mismatch } from './validate.js';

/** One limit. Values are whole numbers from `least` to `most`; `Infinity` means no limit. */
export interface LimitRow {
  /** Which endpoints have it. */
  readonly of: 'both' | 'server';
  readonly default: number;
  /** Where a client has another one. */
  readonly clientDefault?: number;
  readonly least: number;
  readonly most: number;
  /** What is bounded, in a few words. */
  readonly bounds: string;
  /** What happens one beyond. */
  readonly beyond: string;
}

const NONE = Number.POSITIVE_INFINITY;

/** As the types of the options name them. */
export type LimitName = keyof WebSocketServerLimits;

export const limitTable: Readonly<Record<LimitName, LimitRow>> = {
  messageBytes: {
    of: 'both',
    default: 128 * 1024 * 1024,
    least: 1,
    // The longest string of V8.
    most: 536_870_888,
    bounds: 'bytes of a message from the peer',
    beyond: 'close 1009, at the latest 64 KiB after the length was announced; `error`, `close`',
  },
  messageFragments: {
    of: 'both',
    default: 1024 * 1024,
    least: 1,
    most: 2 ** 32 - 1,
    bounds: 'frames of a message from the peer, empty ones too',
    beyond: 'close 1008; `error`, `close`',
  },
  pendingControlFrames: {
    of: 'both',
    default: 4096,
    least: 1,
    most: 65_536,
    bounds: 'pongs that wait because the peer does not read',
    beyond: 'close 1008; `error`, `close`; in the netstack profile no pong',
  },
  queuedBytes: {
    of: 'both',
    default: 1024 * 1024,
    least: 0,
    most: NONE,
    bounds:
      'bytes of messages given to `send` that have not left; and so many more of what was published',
    beyond: 'as `backPressure` says; of what was published close 1008, `error`, `close`',
  },
  closeTimeoutMs: {
    of: 'both',
    default: 5000,
    least: 1,
    most: 600_000,
    bounds: 'milliseconds without progress while a connection closes (C25)',
    beyond: 'TCP is cut; the `close` event comes at the latest now',
  },
  handshakeTimeoutMs: {
    of: 'both',
    default: 10_000,
    clientDefault: 15_000,
    least: 1,
    most: 600_000,
    bounds:
      'milliseconds of a handshake, TLS included; of a client from each TCP connect, and again from ' +
      "the proxy's answer",
    beyond: 'HTTP 408 where TLS permits an answer; `error`',
  },
  headerBytes: {
    of: 'both',
    default: 32_768,
    least: 256,
    most: 57_344,
    bounds: "bytes of the peer's request or answer head, and of the proxy's answer",
    beyond: 'HTTP 431, a client ends TCP; `error`',
  },
  headerLines: {
    of: 'both',
    default: 100,
    least: 5,
    most: 200,
    bounds: "header lines of the peer's request or answer",
    beyond: 'HTTP 431, a client ends TCP; `error`',
  },
  connections: {
    of: 'server',
    default: NONE,
    least: 0,
    most: NONE,
    bounds: 'open connections of the server, of all clients together',
    beyond: 'HTTP 503; `error`',
  },
  handshakes: {
    of: 'server',
    default: 16_384,
    least: 1,
    most: NONE,
    bounds: 'TCP connections that are not upgraded yet',
    beyond: 'HTTP 503, over TLS the end of TCP; `error`',
  },
  connectionsPerMinute: {
    of: 'server',
    default: NONE,
    least: 1,
    most: NONE,
    bounds: 'accepted connections of one address within 60 s, in place of `connectRateLimit`',
    beyond: 'HTTP 429 for 60 s; `error`',
  },
  topicBytes: {
    of: 'server',
    default: 256,
    least: 1,
    most: 65_536,
    bounds: "bytes of a topic's name, in UTF-8",
    beyond: '401 at the call',
  },
  topicsPerConnection: {
    of: 'server',
    default: 1024,
    least: 0,
    most: 1_000_000,
    bounds: 'topics that one connection subscribes to',
    beyond: '2302999 of `subscribe`',
  },
  messagesPerSecond: {
    of: 'server',
    default: NONE,
    least: 1,
    most: NONE,
    bounds: 'messages of one connection a second',
    beyond: 'as `ratePolicy` says',
  },
  bytesPerSecond: {
    of: 'server',
    default: NONE,
    least: 1,
    most: NONE,
    bounds: 'payload bytes, as they are on the wire, of messages of one connection a second',
    beyond: 'as `ratePolicy` says',
  },
  messagesPerSecondOfAddress: {
    of: 'server',
    default: NONE,
    least: 1,
    most: NONE,
    bounds: 'messages of all connections of one address a second',
    beyond: 'as `ratePolicy` says',
  },
  bytesPerSecondOfAddress: {
    of: 'server',
    default: NONE,
    least: 1,
    most: NONE,
    bounds:
      'payload bytes, as they are on the wire, of messages of all connections of one address a second',
    beyond: 'as `ratePolicy` says',
  },
  idleTimeoutMs: {
    of: 'server',
    default: NONE,
    least: 1,
    most: NONE,
    bounds: 'milliseconds without a message in either direction; pings and pongs are none',
    beyond: 'close 1001, reason `idle`; `close`',
  },
};

export type Side = 'client' | 'server';

/** The limits of an endpoint with all defaults filled in; a client's has none of a server's. */
export type Limits = Readonly<Record<string, number>>;

const rows: readonly (readonly [LimitName, LimitRow])[] = Object.entries(limitTable) as [
  LimitName,
  LimitRow,
][];

/** The limits that a side has, in the order of the table. */
export function limitsOf(side: Side): readonly (readonly [LimitName, LimitRow])[] {
  return rows.filter(([, row]) => row.of === 'both' || row.of === side);
}

/** What a side has without the option. */
export function defaultLimits(side: Side): Limits {
  return Object.fromEntries(
    limitsOf(side).map(([name, row]) => [
      name,
      side === 'client' ? (row.clientDefault ?? row.default) : row.default,
    ]),
  );
}

/** Reads the option `limits`. A string returned is the reason for a 401. */
export function readLimits(given: unknown, side: Side): Limits | string {
  if (given === undefined) return defaultLimits(side);
  if (!isObject(given)) return mismatch('limits', 'an object', given);
  const known = new Map<string, LimitRow>(limitsOf(side));
  const limits: Record<string, number> = defaultLimits(side);
  for (const [name, value] of Object.entries(given)) {
    const row = known.get(name);
    if (row === undefined) return `limits.${name} is no limit of a ${side}`;
    if (value === undefined) continue;
    if (!isWithin(value, row)) return mismatch(`limits.${name}`, rangeOf(row), value);
    limits[name] = value;
  }
  return limits as Limits;
}

function isWithin(value: unknown, { least, most }: LimitRow): value is number {
  if (typeof value !== 'number') return false;
  if (value === NONE) return most === NONE;
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

/** The values that a limit may have, in words. */
export function rangeOf({ least, most }: LimitRow): string {
  const from = least.toLocaleString('en');
  return most === NONE
    ? `an integer of ${from} or more, or Infinity`
    : `an integer of ${from}–${most.toLocaleString('en')}`;
}
