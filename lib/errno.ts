/** The names of the operating system's error numbers. */

import { constants } from 'node:os';

/** The first name of a number is the usual one: EAGAIN, not EWOULDBLOCK. */
const names = new Map(
  Object.entries(constants.errno)
    .map(([name, number]) => [number, name] as const)
    .reverse(),
);

/** `errno` of C, also on Windows, where Node's own functions take other numbers. */
export function nameOfErrno(errno: number): string {
  return names.get(errno) ?? `error ${errno}`;
}
