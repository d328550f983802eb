/** The tables of quirks: complete, well-formed, really two columns, and tested. */

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documented, engineQuirks, netstack, profileOf, quirks } from '../../lib/profile.js';
import { loadCases } from '../parity/runner/index.mjs';

const rows = Object.entries(quirks);
const allRows = [...rows, ...Object.entries(engineQuirks)];
const cases = new Set(loadCases().map(({ id }) => id));

describe('the table', () => {
  it.each(allRows)('has in row %s a number and two different values', (_name, row) => {
    expect(row.ref).toMatch(/^(?:[CS]\d+|§\d(?:\.\d)*)$/);
    expect(row.documented).not.toBe(row.netstack);
  });

  it.each(allRows)('has in row %s a test that exists', (_name, { test }) => {
    if (test.startsWith('test/'))
      expect(existsSync(new URL(`../../${test}`, import.meta.url))).toBe(true);
    else expect(cases).toContain(test);
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
