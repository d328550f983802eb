/**
 * Garbage collection and the life of the process (WebSockets standard §7): what is open or connecting lives
 * without a reference and keeps the process alive, what has ended does neither.
 */

import { expect, it } from 'vitest';
import { expectExit } from '../helpers/child.js';

it('a WebSocket lives as long as something can happen to it', async () => {
  const program = new URL('./forgotten.mjs', import.meta.url);
  const { stdout } = await expectExit(program, { nodeOptions: ['--expose-gc'] });
  expect(JSON.parse(stdout)).toEqual({ heard: [1006, 'hello'], freed: true });
});
