/** A program that stops its own clock, as tests do with fake timers, does not stop its connections. */

import { expect, test } from 'vitest';
import { expectExit } from '../helpers/child.js';

test('connections go on where timers and tasks of the program never call back', async () => {
  const program = new URL('./fixtures/stopped-clock.mjs', import.meta.url);

  expect(await expectExit(program, { code: 7 })).toMatchObject({ stderr: '' });
});
