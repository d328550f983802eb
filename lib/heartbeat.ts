/**
 * The heartbeat options: of the client, as netstack reads them (§2.2.5, C17, C21); and of the server,
 * which are Beyond OHOS.
 */

import type { Profile } from './profile.js';
import type { WebSocketServerHeartbeat } from './server-config-types.js';
import { isObject, mismatch } from './validate.js';

const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 30_000;

export interface Heartbeat {
  /** 0: no heartbeat. */
  readonly pingIntervalSeconds: number;
  readonly pongTimeoutSeconds: number;
}

/** Never refuses: what is no number is the default, what is out of range is replaced. */
export function readHeartbeat(interval: unknown, timeout: unknown, profile: Profile): Heartbeat {
  const asked = wholeSeconds(interval);
  const pingIntervalSeconds = asked < 0 || asked > MAX_SECONDS ? DEFAULT_SECONDS : asked;
  const pongTimeoutSeconds = pongTimeout(wholeSeconds(timeout), pingIntervalSeconds, profile);
  return { pingIntervalSeconds, pongTimeoutSeconds };
}

function wholeSeconds(value: unknown): number {
  return typeof value === 'number' && !Number.isNaN(value) ? Math.trunc(value) : DEFAULT_SECONDS;
}

function pongTimeout(asked: number, interval: number, profile: Profile): number {
  if (asked < 0) return interval;
  if (asked === 0 && profile.repairsPongTimeout) return interval;
  if (asked === DEFAULT_SECONDS && !profile.repairsPongTimeout) return asked;
  return Math.min(asked, interval);
}

/** What the engine takes, by its names. */
export interface ServerHeartbeat {
  /** 0: no heartbeat. */
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly pingJitterMs: number;
}

const MAX_MS = 86_400_000;

/** One option of a server's heartbeat. */
interface Row {
  readonly default: number;
  readonly range: string;
  isOf(value: number): boolean;
}

const milliseconds: Omit<Row, 'default'> = {
  range: 'an integer of 1–86,400,000',
  isOf: (value) => Number.isInteger(value) && value >= 1 && value <= MAX_MS,
};

/** netstack's server has no heartbeat of its own; these are the defaults of libwebsockets (§3.5). */
const serverRows: Readonly<Record<keyof WebSocketServerHeartbeat, Row>> = {
  intervalMs: { default: 40_000, ...milliseconds },
  timeoutMs: { default: 10_000, ...milliseconds },
  jitter: { default: 0, range: 'a number of 0–1', isOf: (value) => value >= 0 && value <= 1 },
};

/** Reads the option `heartbeat` of a server. A string returned is the reason for a 401. */
export function readServerHeartbeat(given: unknown): ServerHeartbeat | string {
  if (given === false) return { pingIntervalMs: 0, pongTimeoutMs: 0, pingJitterMs: 0 };
  const isDefault = given === undefined || given === true;
  if (!isDefault && !isObject(given)) return mismatch('heartbeat', 'a boolean or an object', given);
  const read = { intervalMs: 0, timeoutMs: 0, jitter: 0 };
  for (const name of Object.keys(read) as (keyof typeof read)[]) {
    const row = serverRows[name];
    const value = (isDefault ? undefined : given[name]) ?? row.default;
    if (typeof value !== 'number' || !row.isOf(value)) {
      return mismatch(`heartbeat.${name}`, row.range, value);
    }
    read[name] = value;
  }
  const unknown = isDefault ? undefined : Object.keys(given).find((name) => !(name in read));
  if (unknown !== undefined) return `heartbeat.${unknown} is no such option`;
  return {
    pingIntervalMs: read.intervalMs,
    pongTimeoutMs: read.timeoutMs,
    pingJitterMs: Math.round(read.intervalMs * read.jitter),
  };
}
