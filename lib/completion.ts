/**
 * The outcome of a call, as a promise or through a callback, whichever the caller chose; never before
 * the call has returned. Errors thrown by a callback become uncaught exceptions.
 */

import type { BusinessError } from './errors.js';
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

/** Reports success. */
export function accept(callback: Completer): Returned {
  if (callback === undefined) return ACCEPTED;
  callBack(callback, undefined);
  return undefined;
}

/** Reports an error. */
export function reject(callback: Completer, error: BusinessError): Returned {
  if (callback === undefined) return Promise.reject(error);
  callBack(callback, error);
  return undefined;
}

/** Reports success when `pending` has resolved. */
export function acceptAfter(callback: Completer, pending: Promise<unknown>): Returned {
  const accepted = pending.then(yes);
  if (callback === undefined) return accepted;
  void accepted.then(() => callBack(callback, undefined));
  return undefined;
}

const yes = (): true => true;

/** In a microtask of its own: in promise code, what it throws would become an unhandled rejection. */
function callBack(callback: AsyncCallback<boolean>, error: BusinessError | undefined): void {
  const report = callback as (error: BusinessError | undefined, value: true | undefined) => void;
  queueMicrotask(() => report(error, error === undefined ? true : undefined));
}

/** The outcome of a call that is not known yet. The first outcome counts, later ones are ignored. */
export class Completion {
  /** What the call has to return. */
  readonly returned: Returned;
  #settle: ((error: BusinessError | undefined) => void) | undefined;

  constructor(callback: Completer) {
    if (callback === undefined) {
      this.returned = new Promise((resolve, reject) => {
        this.#settle = (error) => (error === undefined ? resolve(true) : reject(error));
      });
    } else {
      this.returned = undefined;
      this.#settle = (error) => callBack(callback, error);
    }
  }

  accept(): void {
    this.#finish(undefined);
  }

  reject(error: BusinessError): void {
    this.#finish(error);
  }

  #finish(error: BusinessError | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(error);
  }
}
