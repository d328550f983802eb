/**
 * The shapes that the client's calls accept: required first argument, options, callback (§2.1).
 * Tells options and callback apart and finds the callback that an error has to go to.
 */

import type { Completer } from './completion.js';
import type { Profile } from './profile.js';
import { isFunction, isObject, mismatch } from './validate.js';

export interface Shape {
  /** Required arguments in front, checked by the caller. */
  readonly leading: 0 | 1;
  /** Whether an options object may follow. */
  readonly options: boolean;
}

export const connectShape: Shape = { leading: 1, options: true };
export const sendShape: Shape = { leading: 1, options: false };
export const closeShape: Shape = { leading: 0, options: true };

export interface Call {
  /**
   * A function in the last place, even if other arguments are wrong: it gets the error then.
   * Undefined if there are too many arguments: netstack rejects a promise in that case.
   */
  readonly callback: Completer;
  /** The options; empty if there are none. */
  readonly options: Record<string, unknown>;
  /** Why the arguments are refused. */
  readonly problem: string | undefined;
}

export function parseCall(args: readonly unknown[], shape: Shape, profile: Profile): Call {
  const most = shape.leading + (shape.options ? 2 : 1);
  if (args.length > most) {
    const problem = `expected at most ${most} arguments, received ${args.length}`;
    return { callback: undefined, options: {}, problem };
  }
  const given = profile.undefinedIsOmitted ? withoutAbsentTail(args) : args;
  const last = given.at(-1);
  const callback = isFunction(last) ? last : undefined;
  const middle = given.slice(shape.leading, callback === undefined ? undefined : -1);
  return {
    callback,
    options: isObject(middle[0]) ? middle[0] : {},
    problem: middleProblem(middle, shape, profile),
  };
}

function middleProblem(
  middle: readonly unknown[],
  shape: Shape,
  profile: Profile,
): string | undefined {
  const [options, callback] = middle;
  if (middle.length === 0) return undefined;
  if (!shape.options) return mismatch('callback', 'a function', options);
  if (middle.length > 1) return mismatch('callback', 'a function', callback);
  if (isObject(options) || (profile.undefinedIsOmitted && isAbsent(options))) return undefined;
  return mismatch('options', 'an object', options);
}

function withoutAbsentTail(args: readonly unknown[]): readonly unknown[] {
  return args.slice(0, args.findLastIndex((arg) => !isAbsent(arg)) + 1);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
