/**
 * Worker threads: each has the package to itself, and may be terminated, exit or fail at any stage
 * without harm to the process, which goes on and then ends by itself.
 */

import { describe, expect, test } from 'vitest';
import { expectExit, SLOWNESS } from '../helpers/child.js';
import { STAGES } from './fixtures/stages.mjs';

const workers = new URL('./fixtures/workers.mjs', import.meta.url);

/** The process is given up before the test is, so that the failure says where it hung. */
const LIMIT_MS = 60_000;
const PATIENT = { timeout: (LIMIT_MS + 10_000) * SLOWNESS };

async function run(...args: string[]): Promise<void> {
  const { stdout } = await expectExit(workers, { args, limitMs: LIMIT_MS });
  expect(stdout).toMatch(/done\n$/);
}

describe('a worker is terminated', PATIENT, () => {
  test.each(STAGES)('%s', (stage) => run('terminate', stage));
});

describe('a worker calls process.exit', PATIENT, () => {
  test.each(STAGES)('%s', (stage) => run('exit', stage));
});

describe('a worker throws', PATIENT, () => {
  test.each(['connected', 'traffic', 'closing'])('%s', (stage) => run('throw', stage));
});

describe('a worker ends by itself', PATIENT, () => {
  test.each(['loaded', 'created', 'closed'])('%s', (stage) => run('return', stage));
});

describe('the process exits while a worker is', PATIENT, () => {
  test.each(['loaded', 'connected', 'traffic', 'views', 'backlog', 'closing'])(
    '%s',
    async (stage) => {
      await expectExit(workers, {
        args: ['exit of the process', stage],
        limitMs: LIMIT_MS,
        code: 7,
      });
    },
  );
});

describe('several workers', PATIENT, () => {
  test.each(['connected', 'traffic', 'large', 'views', 'backlog'])('at once: %s', (stage) =>
    run('several at once', stage),
  );

  test.each(['connected', 'traffic', 'large', 'views'])('one after the other: %s', (stage) =>
    run('one after the other', stage),
  );
});

describe('threads together', PATIENT, () => {
  test('the package loads in each, as ES module and as CommonJS', () => run('loaded in every way'));

  test('a client here outlives the server there', () => run('client here, server there'));

  test('a server here outlives the client there', () => run('server here, client there'));
});
