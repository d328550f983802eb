/** Catches uncaught exceptions, which the test runner would otherwise report as its own. */

/** The next uncaught exceptions of this process, as many as asked for, in order. */
export function uncaughtExceptions(count: number): Promise<unknown[]> {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught: unknown[] = [];
  return new Promise((resolve) => {
    const onError = (error: unknown): void => {
      caught.push(error);
      if (caught.length < count) return;
      process.removeListener('uncaughtException', onError);
      for (const other of others) process.on('uncaughtException', other);
      resolve(caught);
    };
    process.on('uncaughtException', onError);
  });
}
