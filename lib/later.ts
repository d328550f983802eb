/**
 * How things are called later, as it was when this was loaded: whoever puts something of his own in the places of
 * these functions, as tests do that stop the clock, does not stop connections, which go by the clock of their peers.
 */
export const nextTick: typeof process.nextTick = process.nextTick.bind(process);
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask;
const then: (this: Promise<void>, task: () => void) => Promise<void> = Promise.prototype.then;
const settled: Promise<void> = Promise.resolve();
/** As `queueMicrotask`, without the resource that Node.js makes for each of its calls: for hot paths, and tasks that do not throw. */
export function soon(task: () => void): void {
  void then.call(settled, task);
}
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate;
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout;

/** Milliseconds of a clock that only goes forward. */
export const now: () => number = performance.now.bind(performance);
