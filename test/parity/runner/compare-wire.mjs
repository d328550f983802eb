// @ts-check
/**
 * Comparison of what the peer saw on the wire, connection by connection.
 */

import { brief, matches } from './match.mjs';

/** @import { Case, ExpectedConnection, Json, ObservedConnection, Profile } from './format.js' */

/** Close codes that `relax: ["protocolClose"]` lets come or not. */
const PROTOCOL_CLOSE_CODES = [1002, 1007];
const CLOSE_OPCODE = 8;

/**
 * @param {Case} testCase
 * @param {readonly ObservedConnection[]} actual
 * @param {Profile} profile
 * @returns {string[]}
 */
export function wireDifferences(testCase, actual, profile) {
  const { wire } = testCase.expect;
  if (wire === undefined) return [];
  const expected = wire.flatMap(({ times = 1, ...one }) => Array(times).fill(one));
  if (expected.length !== actual.length) {
    return [`wire: expected ${expected.length} connections got ${actual.length}`];
  }
  const relaxed = profile === 'default' && (testCase.relax ?? []).includes('protocolClose');
  const exactEnd = profile === 'parity' || (testCase.check ?? []).includes('end');
  return actual.flatMap((got, index) =>
    [...connectionDifferences(expected[index], got, { relaxed, exactEnd })].map(
      (text) => `wire ${index} ${text}`,
    ),
  );
}

/**
 * @param {ExpectedConnection} want
 * @param {ObservedConnection} got
 * @param {{ relaxed: boolean, exactEnd: boolean }} options
 */
function* connectionDifferences(want, got, { relaxed, exactEnd }) {
  yield* headDifferences(want, got);
  yield* responseDifferences(want.response, got.response);
  yield* frameDifferences(want.frames ?? [], got.frames, relaxed);
  if (!endMatches(want.end, got.end, exactEnd)) {
    yield `end: expected ${brief(want.end)} got ${brief(got.end)}`;
  }
  if (!matches(want.scriptErrors ?? [], got.scriptErrors ?? [])) {
    yield `script: expected ${brief(want.scriptErrors ?? [])} got ${brief(got.scriptErrors)}`;
  }
}

/**
 * @param {ExpectedConnection} want
 * @param {ObservedConnection} got
 */
function* headDifferences({ proxyRequest, proxyContains = [], request }, got) {
  if (proxyRequest !== undefined && !matches(proxyRequest, got.proxyRequest)) {
    yield `proxy request: expected ${brief(proxyRequest)} got ${brief(got.proxyRequest)}`;
  }
  const proxyLines = (got.proxyRequest ?? []).map(withLowerName);
  for (const line of proxyContains) {
    if (!proxyLines.includes(line)) yield `proxy request: no ${line} in ${brief(got.proxyRequest)}`;
  }
  if (request === undefined) return;
  if (!matches(request.line, got.request?.line)) {
    yield `request line: expected ${brief(request.line)} got ${brief(got.request?.line)}`;
  }
  if (!matches(request.headers, got.request?.headers)) {
    yield `request headers: expected ${brief(request.headers)} got ${brief(got.request?.headers)}`;
  }
}

/**
 * @param {ExpectedConnection['response']} want
 * @param {ObservedConnection['response']} got
 */
function* responseDifferences(want, got) {
  if (want?.$any) return;
  if ((want === undefined) !== (got === undefined) || !matches(want?.status, got?.status)) {
    yield `response: expected ${brief(want)} got ${brief(got)}`;
    return;
  }
  if (want?.headers === undefined) return;
  const expected = want.headers.map(headerForComparison).sort();
  const actual = (got?.headers ?? []).map(headerForComparison).sort();
  if (!matches(expected, actual)) {
    yield `response headers: expected ${brief(expected)} got ${brief(actual)}`;
  }
}

/**
 * @param {Json} want
 * @param {readonly Json[]} got
 * @param {boolean} relaxed
 */
function* frameDifferences(want, got, relaxed) {
  if (!Array.isArray(want)) {
    if (!matches(want, got)) yield `frames: expected ${brief(want)} got ${brief(got)}`;
    return;
  }
  const expected = relaxed ? want.filter((frame) => !isProtocolClose(frame)) : want;
  const actual = relaxed ? got.filter((frame) => !isProtocolClose(frame)) : got;
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    if (!matches(expected[i], actual[i])) {
      yield `frame ${i}: expected ${brief(expected[i])} got ${brief(actual[i])}`;
    }
  }
}

/** @param {Json} frame */
function isProtocolClose(frame) {
  const { opcode, code } = /** @type {{ opcode?: number, code?: number }} */ (frame ?? {});
  return opcode === CLOSE_OPCODE && code !== undefined && PROTOCOL_CLOSE_CODES.includes(code);
}

/**
 * `closed` is an end by either side; outside an exact comparison `app` and `peer` mean that too.
 *
 * @param {Json | undefined} want
 * @param {ObservedConnection['end']} got
 * @param {boolean} exact
 * @returns {boolean}
 */
function endMatches(want, got, exact) {
  if (want !== null && typeof want === 'object' && !Array.isArray(want)) {
    const oneOf = want.$oneOf;
    if (Array.isArray(oneOf)) return oneOf.some((one) => endMatches(one, got, exact));
  }
  const eitherSide = want === 'closed' || (!exact && (want === 'app' || want === 'peer'));
  return eitherSide ? got === 'app' || got === 'peer' : matches(want, got);
}

/** @param {string} line of a header: its name does not depend on case, nor do these two values */
function headerForComparison(line) {
  const lower = withLowerName(line);
  return /^(upgrade|connection): /.test(lower) ? lower.toLowerCase() : lower;
}

/** @param {string} line */
function withLowerName(line) {
  const colon = line.indexOf(':');
  return `${line.slice(0, colon).toLowerCase()}: ${line.slice(colon + 1).trim()}`;
}
