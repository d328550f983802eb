/** The part of the platform's `connection` namespace that `webSocket` refers to. */

export type { HttpProxy } from '../client-types.js';
