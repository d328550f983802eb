/** Systems without epoll wait by poll(2): the same loop in a process of its own that is told to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PATIENT, plainEnvironment } from '../helpers/deadline.js';

it('OHWS_LOOP=poll echoes messages of every size, and ends by itself', PATIENT, async () => {
  const script = fileURLToPath(new URL('poll-loop.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], {
    // A sanitized addon needs its runtime loaded first.
    env: {
      ...plainEnvironment(),
      LD_PRELOAD: process.env['OHWS_PRELOAD'] ?? '',
      OHWS_LOOP: 'poll',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);

  expect(output.trim()).toBe('400 of 400');
  expect(status).toBe(0);
});
