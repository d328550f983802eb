/** How `messages` holds up what it iterates. */

/** Where messages come from. After `pause` some may still come. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Names the method of a `WebSocket` that gives its `Flow`. */
export const FLOW: unique symbol = Symbol('flow');

/** A `WebSocket`, which does not show that it is one. */
export interface HasFlow {
  [FLOW](): Flow;
}
