/**
 * The parity corpus against this build: every case of the documented profile is one test. What does
 * not run is named, counted and checked: cases on the pending list, and cases that only hold for
 * the behaviour of OpenHarmony's own stack.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Case, Verdict } from './runner/format.js';
import { holdsFor, limiter, loadCases, runCase } from './runner/index.mjs';

const CASE_LIMIT_MS = 20_000;
/** Room for the cases in front of this one and for starting processes on a busy machine. */
const WAITING_LIMIT_MS = 100_000;
/** Two processes at a time: cases measure time. */
const limited = limiter(2);

const pending: Record<string, string> = JSON.parse(
  readFileSync(new URL('./pending.json', import.meta.url), 'utf8'),
);
const cases = loadCases();
const isPending = ({ id }: Case): boolean => id in pending;
const selected = cases.filter((one) => holdsFor(one, 'default'));
const running = selected.filter((one) => !isPending(one));
const pendingCases = selected.filter(isPending);
const netstackOnly = cases.filter((one) => !holdsFor(one, 'default'));

function play(testCase: Case, patience = 1): Promise<Verdict> {
  const options = { entry: 'ohos-websocket', profile: 'default', patience } as const;
  return limited(() => runCase(testCase, options));
}

const limitOf = ({ limitMs = CASE_LIMIT_MS }: Case): number => limitMs + WAITING_LIMIT_MS;

describe('the corpus', () => {
  test('runs except for what is named here', () => {
    console.log(listing(`${pendingCases.length} cases pending`, pendingCases, pending));
    console.log(listing(`${netstackOnly.length} cases of the netstack profile`, netstackOnly));
    expect(Object.keys(pending).sort()).toEqual(pendingCases.map(({ id }) => id).sort());
    expect(running.length + pendingCases.length + netstackOnly.length).toBe(cases.length);
    expect(running.length).toBeGreaterThan(pendingCases.length);
  });
});

describe.concurrent('documented profile', () => {
  for (const testCase of running) {
    test(`${testCase.id}: ${testCase.title}`, { timeout: limitOf(testCase) }, async () => {
      const { differences } = await play(testCase);
      expect(differences).toEqual([]);
    });
  }
});

describe.concurrent('pending, so they must not match yet', () => {
  for (const testCase of pendingCases) {
    test(`${testCase.id}: ${testCase.title}`, { timeout: limitOf(testCase) }, async () => {
      // What comes at all comes at once on loopback: no need to wait long for what does not.
      const { matched } = await play(testCase, 0.2);
      expect(matched, `${testCase.id} matches: take it off pending.json`).toBe(false);
    });
  }
});

function listing(
  heading: string,
  listed: readonly Case[],
  reasons: Readonly<Record<string, string>> = {},
): string {
  const lines = listed.map(({ id, title }) => {
    const reason = reasons[id];
    return `  ${id}: ${title}${reason === undefined ? '' : ` (${reason})`}`;
  });
  return [`${heading}, not in this build:`, ...lines].join('\n');
}
