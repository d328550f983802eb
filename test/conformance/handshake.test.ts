/** Plays the handshake cases against our server and our client: every case has to pass. */

import { describe, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { answers } from './cases/answers.js';
import { requests } from './cases/requests.js';
import { playAnswer, playRequest } from './handshake.js';

describe('requests to a server', PATIENT, () => {
  it.each(requests)('$id $title', async (one) => {
    await playRequest('ours', one);
  });
});

describe('answers to a client', PATIENT, () => {
  it.each(answers)('$id $title', async (one) => {
    await playAnswer('ours', one);
  });
});
