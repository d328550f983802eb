/** Plays the table against an echo server of ours: every case has to pass, strictly. */

import { describe, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { areas } from './cases/index.js';
import { open } from './endpoints.js';
import { play } from './play.js';

describe.each(areas)('$name', PATIENT, ({ cases }) => {
  it.each(cases.filter(({ roles }) => roles?.includes('server') ?? true))(
    '$id $title',
    async (one) => {
      await play(one, await open.ours.server());
    },
  );
});
