// @ts-check
/**
 * Comparison of the events of a case: their arguments, what must and must not occur, and the order.
 */

import { brief, matches } from './match.mjs';

/** @import { Case, ExpectedEvent, Json, ObservedEvent, Profile } from './format.js' */

/**
 * @typedef {{ profile: Profile, strictOrder: boolean }} Options
 * @typedef {(expected: ExpectedEvent | undefined, actual: ObservedEvent | undefined) => boolean} Same
 */

/**
 * @param {Case} testCase
 * @param {readonly ObservedEvent[]} actual
 * @param {Options} options
 * @returns {string[]}
 */
export function eventDifferences(testCase, actual, { profile, strictOrder }) {
  const { expect, order = {}, side } = testCase;
  const { events: kind = 'nominal' } = order;
  /** @type {Same} */
  const same = (want, got) =>
    matches(asJson(want), profile === 'default' ? tolerate(want, got, side) : got);
  const found = [...presence(testCase, actual, same)];
  if (Array.isArray(expect.events)) {
    const whole = kind === 'exact' || (kind === 'nominal' && strictOrder);
    const compare = whole ? inSequence : kind === 'any' ? asSets : byName;
    found.push(...compare(expect.events, actual, same));
  }
  const names = actual.map(({ event }) => event);
  for (const [first, second] of order.adjacent ?? []) {
    const isBroken = (/** @type {string} */ name, /** @type {number} */ at) =>
      name === first && names[at + 1] !== second;
    if (names.some(isBroken)) found.push(`order: ${second} directly after ${first} in ${names}`);
  }
  for (const [first, second] of order.before ?? []) {
    const at = names.indexOf(first);
    const then = names.indexOf(second);
    if (at >= 0 && then >= 0 && at > then) found.push(`order: ${first} before ${second}`);
  }
  return found;
}

/**
 * @param {Case} testCase
 * @param {readonly ObservedEvent[]} actual
 * @param {Same} same
 */
function* presence({ expect }, actual, same) {
  for (const name of expect.noEvents ?? []) {
    const unwanted = actual.filter(({ event }) => event === name);
    if (unwanted.length > 0) yield `unwanted event: ${unwanted.map(show)}`;
  }
  for (const wanted of expect.someEvents ?? []) {
    if (!actual.some((event) => same(wanted, event))) {
      yield `missing event: ${show(wanted)} among ${actual.map(show)}`;
    }
  }
}

/**
 * One list against the other, place by place.
 *
 * @param {readonly ExpectedEvent[]} expected
 * @param {readonly ObservedEvent[]} actual
 * @param {Same} same
 */
function inSequence(expected, actual, same) {
  const found = [];
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    if (!same(expected[i], actual[i])) {
      found.push(`event ${i}: expected ${show(expected[i])} got ${show(actual[i])}`);
    }
  }
  return found;
}

/**
 * The sequence of each event name by itself.
 *
 * @param {readonly ExpectedEvent[]} expected
 * @param {readonly ObservedEvent[]} actual
 * @param {Same} same
 */
function byName(expected, actual, same) {
  const key = (/** @type {ExpectedEvent} */ { event, object = '' }) => `${object}:${event}`;
  return [...new Set([...expected, ...actual].map(key))].flatMap((name) =>
    inSequence(
      expected.filter((event) => key(event) === name),
      actual.filter((event) => key(event) === name),
      same,
    ),
  );
}

/**
 * Each expected event once, in whatever order.
 *
 * @param {readonly ExpectedEvent[]} expected
 * @param {readonly ObservedEvent[]} actual
 * @param {Same} same
 */
function asSets(expected, actual, same) {
  const left = [...actual];
  const found = [];
  for (const wanted of expected) {
    const at = left.findIndex((event) => same(wanted, event));
    if (at < 0) found.push(`missing event: ${show(wanted)}`);
    else left.splice(at, 1);
  }
  return [...found, ...left.map((event) => `unexpected event: ${show(event)}`)];
}

/**
 * The observed event without the additions that the documented profile may make.
 *
 * @param {ExpectedEvent | undefined} expected
 * @param {ObservedEvent | undefined} actual
 * @param {Case['side']} side
 * @returns {ObservedEvent | undefined}
 */
function tolerate(expected, actual, side) {
  if (!actual || actual.event !== expected?.event) return actual;
  if (actual.event === 'error') {
    const [got, ...rest] = actual.args;
    return has(expected.args[0], 'message')
      ? actual
      : withArgs(actual, [drop(got, 'message'), ...rest]);
  }
  if (actual.event === 'close' && side === 'server') {
    const [connection, got, ...rest] = actual.args;
    const { reason, closeReason } = /** @type {{ [key: string]: Json }} */ (got ?? {});
    return has(expected.args[1], 'reason') || reason !== closeReason
      ? actual
      : withArgs(actual, [connection, drop(got, 'reason'), ...rest]);
  }
  return actual;
}

/**
 * @param {Json | undefined} value
 * @param {string} key
 */
const has = (value, key) => value !== null && typeof value === 'object' && key in value;

/**
 * @param {Json | undefined} value
 * @param {string} key
 */
const drop = (value, key) =>
  has(value, key)
    ? Object.fromEntries(Object.entries(Object(value)).filter(([name]) => name !== key))
    : value;

/**
 * @param {ObservedEvent} event
 * @param {(Json | undefined)[]} args
 * @returns {ObservedEvent}
 */
const withArgs = (event, args) => ({ ...event, args: args.filter((arg) => arg !== undefined) });

/** @param {ExpectedEvent | undefined} event */
const asJson = (event) => /** @type {Json | undefined} */ (/** @type {unknown} */ (event));

/** @param {ExpectedEvent | ObservedEvent | undefined} event */
function show(event) {
  if (!event) return 'nothing';
  const name = [event.object, event.event].filter(Boolean).join('.');
  return `${name}${event.listener ? `#${event.listener}` : ''}(${event.args.map(brief).join(', ')})`;
}
