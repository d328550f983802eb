/** Own close codes and reasons: what is reported and what travels (§2.4, C26). */

import { describe, expect, it } from 'vitest';
import { closingOf } from '../../lib/close-codes.js';
import { documented, netstack } from '../../lib/profile.js';

describe('an own close code', () => {
  it.each([
    [undefined, 1000],
    ['1001', 1000],
    [Number.NaN, 1000],
    [-1, 1000],
    [0, 1000],
    [999, 1000],
    [1000, 1000],
    [1001, 1001],
    [1001.9, 1001],
    [1014, 1014],
    [1016, 1000],
    [3000, 1000],
    [4999, 1000],
    [2 ** 32 + 1001, 1001],
    [Number.POSITIVE_INFINITY, 1000],
  ])('%s is reported and sent as %i', (given, code) => {
    for (const profile of [documented, netstack]) {
      expect(closingOf(given, 'r', profile)).toEqual({ code, reason: 'r', wireCode: code });
    }
  });

  it.each([[1004], [1005], [1006], [1015]])(
    '%i is reported but travels in netstack only',
    (code) => {
      expect(closingOf(code, 'r', documented)).toMatchObject({ code, wireCode: 1000 });
      expect(closingOf(code, 'r', netstack)).toMatchObject({ code, wireCode: code });
    },
  );
});

describe('an own reason', () => {
  it.each([[undefined], [''], [5], [null], [{}]])('that is %j is the default', (reason) => {
    expect(closingOf(1000, reason, documented).reason).toBe('CLOSE_NORMAL');
  });

  it('is kept in full; in netstack it ends at a NUL', () => {
    const long = 'é'.repeat(200);
    expect(closingOf(1000, long, documented).reason).toBe(long);
    expect(closingOf(1000, 'a\0b', documented).reason).toBe('a\0b');
    expect(closingOf(1000, 'a\0b', netstack).reason).toBe('a');
    expect(closingOf(1000, '\0b', netstack).reason).toBe('CLOSE_NORMAL');
  });
});
