/** The heartbeat options of the client, as netstack reads them (§2.2.5, C17, C21). */

import type { Profile } from './profile.js';

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
