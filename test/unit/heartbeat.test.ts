/** pingInterval and pongTimeout (§2.2.5, C17, C21). */

import { describe, expect, it } from 'vitest';
import { readHeartbeat } from '../../lib/heartbeat.js';
import { documented, netstack } from '../../lib/profile.js';

describe('a heartbeat', () => {
  it.each([
    [undefined, undefined, 30, 30, 30],
    ['5', {}, 30, 30, 30],
    [Number.NaN, Number.NaN, 30, 30, 30],
    [10.9, 5.9, 10, 5, 5],
    [30_000, 30_000, 30_000, 30_000, 30_000],
    [30_001, 10, 30, 10, 10],
    [Number.POSITIVE_INFINITY, 10, 30, 10, 10],
    [-1, 10, 30, 10, 10],
    [10, 20, 10, 10, 10],
    [10, -1, 10, 10, 10],
    [0, 10, 0, 0, 0],
    [0.5, 10, 0, 0, 0],
    [2, undefined, 2, 2, 30],
    [2, 30, 2, 2, 30],
    [2, 31, 2, 2, 2],
    [2, 0, 2, 2, 0],
    [2, 0.9, 2, 2, 0],
  ])('of %s and %s is %i and %i, in netstack %i', (interval, timeout, ping, pong, there) => {
    expect(readHeartbeat(interval, timeout, documented)).toEqual({
      pingIntervalSeconds: ping,
      pongTimeoutSeconds: pong,
    });
    expect(readHeartbeat(interval, timeout, netstack).pongTimeoutSeconds).toBe(there);
  });
});
