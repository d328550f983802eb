/**
 * The parity corpus against this build: every case is one test in each profile it holds for, the
 * documented one through `ohos-websocket`, the netstack's through `ohos-websocket/parity`.
 */

import { describe, expect, test } from 'vitest';
import type { Case } from './runner/format.js';
import { holdsFor, limiter, loadCases, runCase } from './runner/index.mjs';

const CASE_LIMIT_MS = 20_000;
/** Room for the cases in front of this one and for starting processes on a busy machine. */
const WAITING_LIMIT_MS = 300_000;
/** Two processes at a time: cases measure time. */
const limited = limiter(2);

const cases = loadCases();
const profiles = [
  { name: 'documented', profile: 'default', entry: 'ohos-websocket' },
  { name: 'netstack', profile: 'parity', entry: 'ohos-websocket/parity' },
] as const;

const limitOf = ({ limitMs = CASE_LIMIT_MS }: Case): number => limitMs + WAITING_LIMIT_MS;

test('the corpus is there, and every case holds for a profile', () => {
  expect(cases.length).toBeGreaterThanOrEqual(258);
  const unused = cases.filter((one) => !profiles.some(({ profile }) => holdsFor(one, profile)));
  expect(unused).toEqual([]);
});

describe.concurrent.each(profiles)('$name profile', ({ profile, entry }) => {
  for (const testCase of cases.filter((one) => holdsFor(one, profile))) {
    test(`${testCase.id}: ${testCase.title}`, { timeout: limitOf(testCase) }, async () => {
      const { differences } = await limited(() => runCase(testCase, { entry, profile }));
      expect(differences).toEqual([]);
    });
  }
});
