/**
 * `process.exit` and uncaught exceptions at every stage of the package's life: the process ends at
 * once, with its own exit code and never by a signal, whatever is open and under way.
 */

import { describe, expect, test } from 'vitest';
import { expectExit } from '../helpers/child.js';
import { STAGES } from './fixtures/stages.mjs';

const leave = new URL('./fixtures/leave.mjs', import.meta.url);

describe('process.exit', () => {
  test.each(STAGES)('%s', async (stage) => {
    await expectExit(leave, { args: ['exit', stage], code: 7 });
  });

  test.each(['connected', 'traffic', 'large', 'overrun', 'backlog', 'closing'])(
    'a little after %s',
    async (stage) => {
      await expectExit(leave, { args: ['exit-in-timer', stage], code: 7 });
    },
  );

  test.each(['nothing', 'traffic'])('in an event handler, with %s besides', async (stage) => {
    await expectExit(leave, { args: ['exit-in-handler', stage], code: 7 });
  });
});

describe('an uncaught exception', () => {
  test.each(STAGES)('%s', async (stage) => {
    const { stderr } = await expectExit(leave, { args: ['throw', stage], code: 1 });
    expect(stderr).toMatch(/Error: left by an exception/);
  });

  test.each(['nothing', 'traffic'])('in an event handler, with %s besides', async (stage) => {
    const { stderr } = await expectExit(leave, { args: ['throw-in-handler', stage], code: 1 });
    expect(stderr).toMatch(/Error: left by an exception/);
  });
});
