/** The table of quirks: complete, well-formed, and really two columns. */

import { describe, expect, it } from 'vitest';
import { documented, netstack, profileOf, quirks } from '../../lib/profile.js';

const rows = Object.entries(quirks);

describe('the table', () => {
  it.each(rows)('has in row %s a number and two different values', (_name, row) => {
    expect(row.ref).toMatch(/^(?:[CS]\d+|§\d\.\d)$/);
    expect(row.documented).not.toBe(row.netstack);
  });

  it('makes a profile of each column', () => {
    for (const [name, row] of rows) {
      expect(documented).toHaveProperty(name, row.documented);
      expect(netstack).toHaveProperty(name, row.netstack);
    }
    expect(Object.keys(documented)).toHaveLength(rows.length);
  });

  it('makes profiles that nobody can change', () => {
    expect(Object.isFrozen(profileOf('netstack'))).toBe(true);
  });
});
