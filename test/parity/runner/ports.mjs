// @ts-check
/**
 * Port numbers for cases. A server case must know its port before anything listens on it; a number
 * from the range that the system hands out by itself could be taken in between, so these come from
 * below it, each at most once.
 */

import net from 'node:net';

const FIRST = 12_000;
const LAST = 30_000;

/** Processes that run at the same time begin at different places. */
let next = FIRST + ((process.pid * 37) % (LAST - FIRST));

/**
 * A port that nobody listens on and that nobody will be given by chance.
 *
 * @returns {Promise<number>}
 */
export async function takePort() {
  for (let tries = FIRST; tries < LAST; tries++) {
    const port = next;
    next = next < LAST ? next + 1 : FIRST;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`);
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '0.0.0.0', exclusive: true }, () => {
      probe.close(() => resolve(true));
    });
  });
}
