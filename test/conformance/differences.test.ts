/**
 * Plays the whole table against the server and the client of `ws`, and holds docs/conformance.md to what
 * comes out: `npm run conformance` writes the page anew.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, DeadlineError, VERY_PATIENT, within } from '../helpers/deadline.js';
import { answers } from './cases/answers.js';
import { areas } from './cases/index.js';
import { limits } from './cases/limits.js';
import { requests } from './cases/requests.js';
import { open } from './endpoints.js';
import { playAnswer, playRequest } from './handshake.js';
import { type Difference as Row, render } from './page.js';
import { play } from './play.js';
import type { Case, Role } from './table.js';

/** When `ws` counts as doing nothing. It needs milliseconds for what it does. */
const SILENCE_MS = DEADLINE_MS / 3;

type Play = readonly [id: string, rfc: string, title: string, run: () => Promise<void>];

function frames(role: Role, cases: readonly Case[]): readonly Play[] {
  return cases
    .filter(({ roles }) => roles?.includes(role) ?? true)
    .map((one) => [one.id, one.rfc, one.title, async () => play(one, await open.ws[role]())]);
}

function handshakes(role: Role): readonly Play[] {
  return role === 'server'
    ? requests.map((one) => [one.id, one.rfc, one.title, () => playRequest('ws', one)])
    : answers.map((one) => [one.id, one.rfc, one.title, () => playAnswer('ws', one)]);
}

/** The differences in these cases, in their order; so many are played at a time. */
async function played(plays: readonly Play[], atOnce: number): Promise<Row[]> {
  const found: (Row | undefined)[] = [];
  let next = 0;
  const player = async () => {
    for (let n = next++; n < plays.length; n = next++) {
      const [id, rfc, title, run] = plays[n] as Play;
      await within(run(), 'ws', SILENCE_MS).catch((error: Error) => {
        const isSilent = error instanceof DeadlineError;
        found[n] = { id, rfc, title, ws: isSilent ? 'nothing happens' : error.message };
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, player));
  return found.filter((row) => row !== undefined);
}

async function differences(role: Role): Promise<Row[]> {
  const small = areas.flatMap(({ cases }) => (cases === limits ? [] : cases));
  return [
    // Those in which nothing happens wait for long: all of them at a time.
    ...(await played([...handshakes(role), ...frames(role, small)], 100)),
    ...(await played(frames(role, limits), 2)),
  ];
}

describe('what ws does otherwise', VERY_PATIENT, () => {
  it('is what the page says', async () => {
    const server = await differences('server');
    const client = await differences('client');
    const version = createRequire(import.meta.url)('ws/package.json').version as string;
    const page = new URL('../../docs/conformance.md', import.meta.url);
    expect(existsSync(page)).toBe(true);
    await expect(render({ server, client }, version)).toMatchFileSnapshot(page.pathname);
  });
});
