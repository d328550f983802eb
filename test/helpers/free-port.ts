/**
 * A port for a program that has to be told one. Below those that the system gives to connections of its own,
 * so that no other test takes it in the meantime.
 */

import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 20_000;
const COUNT = 12_000;
/** Processes begin at different places. */
let next = (process.pid * 97) % COUNT;

/** A port of 127.0.0.1 that was free a moment ago; another one at each call. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const taken = once(server, 'error').then(() => false);
  const free = once(server, 'listening').then(() => true);
  server.listen(port, '127.0.0.1');
  if (!(await Promise.race([taken, free]))) return false;
  server.close();
  await once(server, 'close');
  return true;
}
