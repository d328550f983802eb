// @ts-check
/**
 * The verdict on a case: every difference between what was observed and what the case expects, as a
 * line of text. Empty means that the case matched.
 */

import { eventDifferences } from './compare-events.mjs';
import { wireDifferences } from './compare-wire.mjs';
import { brief, matches } from './match.mjs';

/** @import { Case, Json, Observation, ObservedCall, RunOptions, Timing } from './format.js' */

/**
 * @param {Case} testCase
 * @param {Observation} observed
 * @param {Pick<RunOptions, 'profile' | 'strictOrder'>} options
 * @returns {string[]}
 */
export function differences(testCase, observed, { profile, strictOrder = true }) {
  return [
    ...callDifferences(testCase.expect.calls, observed.calls, profile === 'default'),
    ...eventDifferences(testCase, observed.events, { profile, strictOrder }),
    ...wireDifferences(testCase, observed.wire, profile),
    ...(testCase.timing ?? []).flatMap((timing) => timingDifferences(timing, observed.times)),
    ...observed.uncaught.map((text) => `uncaught: ${text}`),
  ];
}

/**
 * @param {readonly Json[]} expected
 * @param {readonly ObservedCall[]} actual
 * @param {boolean} anyCodeType whether the code of a thrown error may be a number or a string
 */
function callDifferences(expected, actual, anyCodeType) {
  const found = [];
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    const want = anyCodeType ? withTextCode(expected[i]) : expected[i];
    const got = anyCodeType ? withTextCode(actual[i]) : actual[i];
    if (!matches(want, got)) {
      found.push(`call ${i}: expected ${brief(expected[i])} got ${brief(actual[i])}`);
    }
  }
  return found;
}

/**
 * @template Call
 * @param {Call} call
 * @returns {Json | undefined}
 */
function withTextCode(call) {
  const { thrown } = /** @type {{ thrown?: { code?: unknown } }} */ (call ?? {});
  if (thrown?.code === undefined) return /** @type {Json | undefined} */ (call);
  return /** @type {Json} */ ({ ...call, thrown: { ...thrown, code: String(thrown.code) } });
}

/**
 * @param {Timing} timing
 * @param {Observation['times']} times
 */
function timingDifferences({ event, index = 0, after, afterIndex = 0, minMs, maxMs }, times) {
  const at = (/** @type {string} */ name, /** @type {number} */ nth) =>
    times.filter(([seen]) => seen === name)[nth]?.[1];
  const from = after === undefined ? 0 : at(after, afterIndex);
  const to = at(event, index);
  const what = `time from ${after ?? 'the start'} to ${event}`;
  if (from === undefined || to === undefined) return [`${what}: an event is missing`];
  const ms = to - from;
  return ms < minMs || ms > maxMs ? [`${what}: expected ${minMs}–${maxMs} ms got ${ms} ms`] : [];
}
