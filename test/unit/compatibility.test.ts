/** The words about both profiles: complete, in agreement with the table, and the page made of them. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as words from '../../lib/behaviours.js';
import { engineQuirks, quirks } from '../../lib/profile.js';
import { render } from '../../scripts/compatibility.mjs';

const { behaviours, inDocumented, inNetstack, isDeliberate } = words;
const refs = new Set(
  [...Object.values(quirks), ...Object.values(engineQuirks)].map(({ ref }) => ref),
);
/** Rows that share the row of another number. */
const shared = new Map([
  ['C15', 'C14'],
  ['S19', 'C2'],
]);

describe('the behaviours', () => {
  it('have every number once', () => {
    const numbers = behaviours.map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (let n = 1; n <= 40; n++) expect(numbers).toContain(`C${n}`);
    for (let n = 1; n <= 25; n++) expect(numbers).toContain(`S${n}`);
  });

  it.each(behaviours.map((behaviour) => [behaviour.number, behaviour] as const))(
    '%s has a row in the profile exactly if the profiles differ',
    (number, behaviour) => {
      const ref = shared.get(number) ?? number;
      expect(refs.has(ref as typeof ref & never)).toBe(behaviour.kind === 'switched');
      expect(behaviour.documented === undefined).toBe(behaviour.kind === 'match');
      for (const text of [behaviour.netstack, behaviour.why]) expect(text).toMatch(/\.$/);
    },
  );

  it('know every row of the profile', () => {
    const numbers = new Set(behaviours.map(({ number }) => number));
    for (const ref of refs) expect(numbers).toContain(ref);
  });

  it('say what each profile does', () => {
    const said = (number: string) => {
      const found = behaviours.find((behaviour) => behaviour.number === number);
      if (found === undefined) throw new Error(number);
      return [inDocumented(found), inNetstack(found), isDeliberate(found)];
    };
    expect(said('C5')).toEqual(['as netstack', 'as netstack', false]);
    expect(said('C4')).toEqual(['−1 and one `error` event.', 'as netstack', false]);
    expect(said('S1')).toEqual(['It ends that connection.', 'as documented', true]);
    expect(said('S12')[2]).toBe(true);
  });
});

it('docs/compatibility.md is up to date (node scripts/compatibility.mjs)', () => {
  const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
  expect(page).toBe(render(words, { quirks, engineQuirks }));
});
