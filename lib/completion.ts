/**
 * The outcome of a call, as a promise or through a callback, whichever the caller chose; never
 * before the call has returned. Errors thrown by a callback become uncaught exceptions.
 */

import { type BusinessError, stateError } from './errors.js';
import { queueMicrotask } from './later.js';
import { QueueFull } from './send-queue.js';
import type { AsyncCallback } from './types.js';

/** A callback of a call, or undefined where the caller wants a promise. */
export type Completer = AsyncCallback<boolean> | undefined;

/** What a call returns: nothing if it was given a callback. */
export type Returned = Promise<boolean> | undefined;

/**
 * The outcome of every accepted call that is known at once. One promise for all of them: a server
 * sends millions of messages a second, and a promise each is most of what `send` would cost.
 */
export const ACCEPTED: Promise<true> = Promise.resolve(true);

/** The outcome of a `send` that is accepted when `pending` has resolved, and refused with `QueueFull`. */
export function acceptedAfter(pending: Promise<unknown>): Promise<boolean> {
  return pending.then(yes, refused);
}

const yes = (): true => true;

function refused(error: unknown): never {
  throw error instanceof QueueFull ? stateError('other', error.message) : error;
}

/** The outcome of a call that is not known yet. The first one counts, later ones are ignored. */
export class Outcome {
  readonly promise: Promise<boolean>;
  #resolve!: (value: true) => void;
  #reject!: (error: BusinessError) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  accept(): void {
    this.#resolve(true);
  }

  reject(error: BusinessError): void {
    this.#reject(error);
  }
}

/**
 * Takes an outcome to the caller: returns the promise, or calls the callback with `(undefined,
 * true)` or `(error, undefined)` when it has settled, and returns nothing.
 */
export function deliver(outcome: Promise<boolean>, callback: Completer): Returned {
  if (callback === undefined) return outcome;
  const report = callback as (error: BusinessError | undefined, value: true | undefined) => void;
  // In a microtask of its own: what it throws here would become an unhandled rejection.
  void outcome.then(
    () => queueMicrotask(() => report(undefined, true)),
    (error: BusinessError) => queueMicrotask(() => report(error, undefined)),
  );
  return undefined;
}
