// @ts-check
/**
 * Matching an observed JSON value with an expected one, which may contain matchers: `$any` matches
 * everything and nothing, `$oneOf` one of several, `$optional` lets a key be absent.
 */

/** @import { Json } from './format.js' */

/**
 * @param {Json | undefined} expected
 * @param {unknown} actual
 * @returns {boolean}
 */
export function matches(expected, actual) {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      expected.length === actual.length &&
      expected.every((item, index) => matches(item, actual[index]))
    );
  }
  if (expected === null || typeof expected !== 'object') return Object.is(expected, actual);
  if (expected.$any === true) return true;
  if (Array.isArray(expected.$oneOf)) return expected.$oneOf.some((one) => matches(one, actual));
  if (actual === null || typeof actual !== 'object' || Array.isArray(actual)) return false;
  return matchesKeys(expected, /** @type {Record<string, unknown>} */ (actual));
}

/**
 * @param {{ [key: string]: Json | undefined }} expected
 * @param {Record<string, unknown>} actual
 */
function matchesKeys(expected, actual) {
  const isPresent = (/** @type {string} */ key) => actual[key] !== undefined;
  if (Object.keys(actual).some((key) => isPresent(key) && !(key in expected))) return false;
  return Object.entries(expected).every(
    ([key, value]) => (!isPresent(key) && isOptional(value)) || matches(value, actual[key]),
  );
}

/** @param {Json | undefined} expected */
const isOptional = (expected) =>
  expected !== null &&
  typeof expected === 'object' &&
  !Array.isArray(expected) &&
  expected.$optional === true;

/**
 * A value short enough for a line of a report.
 *
 * @param {unknown} value
 */
export function brief(value) {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 260 ? `${text.slice(0, 257)}...` : text;
}
