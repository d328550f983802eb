/**
 * Listeners with OpenHarmony's rules: one an event, `on` replaces it (C5), unknown events are
 * ignored, wrong arguments throw (C6). Looked up when the event is raised; nothing is kept for
 * later.
 */

import { listenerError } from './errors.js';
import { queueMicrotask } from './later.js';
import type { Profile } from './profile.js';
import { isFunction, mismatch } from './validate.js';

type Listener = (...args: never[]) => unknown;

/** A map from events to their listeners, as a type. */
type Slots = { [event: string]: Listener };

export class Listeners<T extends Slots> {
  /**
   * The current listeners. To be called as plain functions, so that `this` is undefined in them.
   */
  readonly current: { readonly [E in keyof T]: T[E] | undefined };
  /** The same object, to be written by name. */
  readonly #slots: { [event: string]: Listener | undefined };
  readonly #profile: Profile;

  /** `events` names the known events. */
  constructor(events: readonly (string & keyof T)[], profile: Profile) {
    // All keys from the start: adding and removing them would change the object's shape, and it is
    // read for every message.
    this.#slots = Object.fromEntries(events.map((event) => [event, undefined]));
    this.current = this.#slots as typeof this.current;
    this.#profile = profile;
  }

  /** `on` with the arguments it was called with. */
  add(args: readonly unknown[]): void {
    const [type, listener] = args;
    if (typeof type !== 'string') this.#refuse(mismatch('type', 'a string', type));
    if (!isFunction(listener)) this.#refuse(mismatch('callback', 'a function', listener));
    if (args.length !== 2) this.#refuse(`expected 2 arguments, received ${args.length}`);
    if (Object.hasOwn(this.#slots, type)) this.#slots[type] = listener;
  }

  /** `off` with the arguments it was called with. */
  remove(args: readonly unknown[]): void {
    const [type, listener] = args;
    if (typeof type !== 'string') this.#refuse(mismatch('type', 'a string', type));
    if (args.length > 2) this.#refuse(`expected 1 or 2 arguments, received ${args.length}`);
    // `off(type, undefined)` is refused too: a handler that was lost, not a wish to remove all.
    if (args.length === 2 && !isFunction(listener)) {
      this.#refuse(mismatch('callback', 'a function', listener));
    }
    const isMeant = args.length === 1 || this.#slots[type] === listener;
    if (isMeant && Object.hasOwn(this.#slots, type)) this.#slots[type] = undefined;
  }

  #refuse(detail: string): never {
    throw listenerError(this.#profile.listenerErrorCode, detail);
  }
}

/**
 * Calls a listener that is not the last one of its moment: what it throws becomes an uncaught
 * exception and does not keep the next one from being called.
 */
export function callIsolated<A extends unknown[]>(
  listener: ((...args: A) => unknown) | undefined,
  ...args: A
): void {
  if (listener === undefined) return;
  try {
    listener(...args);
  } catch (error) {
    throwLater(error);
  }
}

/** Throws where nobody can catch it. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
