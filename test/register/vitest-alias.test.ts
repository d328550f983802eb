/** Unchanged TypeScript under Vitest, by an alias: every example of the API page, both profiles. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';

const folder = fileURLToPath(new URL('./examples', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

it.each(['documented', 'netstack'])('the %s profile', PATIENT, async (profile) => {
  const { VITEST: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [vitest, 'run', '--root', folder, '--config', 'vitest.config.mts'],
    { env: { ...env, OHOS_WEBSOCKET_PROFILE: profile, NO_COLOR: '1' } },
  ).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}\n${error.stderr}`);
  });
  expect(stdout).toMatch(/Tests {2}20 passed \(20\)/);
});
