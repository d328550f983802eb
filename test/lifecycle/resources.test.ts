/**
 * Descriptors and threads: whatever is repeated, the process has no more of them afterwards.
 */

import { describe, expect, test } from 'vitest';
import { expectExit, SLOWNESS } from '../helpers/child.js';

const resources = new URL('./fixtures/resources.mjs', import.meta.url);

// The counts come from /proc.
describe.runIf(process.platform === 'linux')('no more descriptors and threads after', () => {
  test.each([
    'start and stop',
    'connect and close',
    'stop with clients',
    'failed start',
    'failed connect',
    'close before open',
    'refused by a limit',
    'terminated worker',
    'worker that ends',
  ])('%s, many times', { timeout: 90_000 * SLOWNESS }, async (what) => {
    const { stdout } = await expectExit(resources, { args: [what], limitMs: 60_000 });
    expect(stdout).toMatch(/done\n$/);
  });
});
