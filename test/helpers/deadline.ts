/**
 * Bounds for every test. Whatever a test waits for has a name and a deadline, so that a hang fails with
 * a sentence and not with a silent time-out; the deadlines say when to give up, never how fast
 * something has to be. What differs under a sanitizer, time and memory, is known here only.
 */

/** Sanitizer runs preload their runtime library into the test workers. */
const isSanitized = Boolean(process.env['OHWS_PRELOAD']);

/** They take several times as long. */
const SLOWNESS = isSanitized ? 6 : 1;

/** Long enough for a loaded machine; only a hang ever reaches it. */
export const DEADLINE_MS: number = 15_000 * SLOWNESS;

/** Options of a `describe` whose tests wait with `DEADLINE_MS`: the deadline's message comes first. */
export const PATIENT = { timeout: 60_000 * SLOWNESS } as const;

/** Options of a `describe` that moves a lot of data, or pauses for seconds on purpose. */
export const VERY_PATIENT = { timeout: 180_000 * SLOWNESS } as const;

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** The promise's outcome, or a rejection that says what did not happen. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new DeadlineError(`waited ${deadlineMs / 1000} s in vain for ${what}`);
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), deadlineMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Wakes waiting code when something may have changed. */
export class Changes {
  readonly #waiters = new Set<() => void>();

  notify(): void {
    for (const check of [...this.#waiters]) check();
  }

  /**
   * The first result of `look` that is not undefined, looked at now and after every `notify`.
   * Rejects with what `look` throws, or at the deadline.
   */
  until<T>(look: () => T | undefined, what: string, deadlineMs: number = DEADLINE_MS): Promise<T> {
    try {
      const already = look();
      if (already !== undefined) return Promise.resolve(already);
    } catch (error) {
      return Promise.reject(error);
    }
    let check: () => void = () => undefined;
    const found = new Promise<T>((resolve, reject) => {
      check = () => {
        try {
          const result = look();
          if (result === undefined) return;
          resolve(result);
        } catch (error) {
          reject(error);
        }
        // At once: looking may take something, which must happen only once.
        this.#waiters.delete(check);
      };
    });
    this.#waiters.add(check);
    return within(found, what, deadlineMs).finally(() => this.#waiters.delete(check));
  }
}

/** For states that nothing announces (a descriptor count, say): looks again and again. */
export async function poll(
  holds: () => boolean | Promise<boolean>,
  what: () => string,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) {
      throw new DeadlineError(`waited ${deadlineMs / 1000} s in vain for ${what()}`);
    }
    await pause(20);
  }
}

/** A pause that is the point of the test (a reader that stops reading), not a wait for something. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Bound for the growth of this process; none where a sanitizer keeps what was freed. */
export function growthBound(bytes: number): number {
  return isSanitized ? Number.POSITIVE_INFINITY : bytes;
}

/** For children that do not load the addon: without the sanitizer that the workers are given. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _preload, ...rest } = process.env;
  return rest;
}

/** Keeps this JavaScript thread from doing anything, events included. */
export function blockJavaScript(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
