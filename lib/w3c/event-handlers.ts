/**
 * Event handler attributes (`onopen`, …; HTML standard §8.1.8.1): one listener each, which keeps its place
 * among the others while its function is replaced.
 */

/** What an attribute may be set to; what is no object counts as null. */
export type EventHandler<Target, E extends Event> = ((this: Target, event: E) => unknown) | null;

/** An object, callable or not: one that is not stays readable and is never called. */
type Stored = object | null;

export class EventHandlers {
  readonly #target: EventTarget;
  readonly #stored = new Map<string, Stored>();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get(type: string): Stored {
    return this.#stored.get(type) ?? null;
  }

  set(type: string, value: unknown): void {
    const handler =
      typeof value === 'function' || typeof value === 'object' ? (value as Stored) : null;
    if (handler === null) {
      this.#stored.delete(type);
      this.#target.removeEventListener(type, this.#call);
      return;
    }
    this.#stored.set(type, handler);
    // Of a listener that is there already this is ignored: the place is the first one's.
    this.#target.addEventListener(type, this.#call);
  }

  readonly #call = (event: Event): void => {
    const handler = this.#stored.get(event.type);
    if (typeof handler !== 'function') return;
    if (Reflect.apply(handler, this.#target, [event]) === false) event.preventDefault();
  };
}
