/**
 * Proves that the table of limits, the options, what reaches the engine and `docs/limits.md` agree: every
 * limit takes exactly its range on the sides that have it, and everything else is 401.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { limitsOf, limitTable, rangeOf } from '../../lib/limits.js';
import { render } from '../../scripts/limits.mjs';
import { call, newClient, newServer, url } from '../helpers/fake-endpoints.js';
import { rejection } from '../helpers/fake-transport.js';

const SIDES = ['client', 'server'] as const;

/** Calls `connect` or `start` with these limits, and gives those that reached the engine. */
async function given(side: (typeof SIDES)[number], limits: unknown): Promise<object> {
  if (side === 'client') {
    const { ws, transport } = newClient();
    const connected = call(ws, 'connect', url, { limits });
    if (transport.clients.length === 0) throw await rejection(connected);
    return transport.client.config.limits;
  }
  const { server, transport } = newServer();
  const started = call(server, 'start', { serverPort: 1, limits });
  if (transport.servers.length === 0) throw await rejection(started);
  return transport.server.config.limits;
}

describe.each(SIDES)('the limits of a %s', (side) => {
  it('have their defaults', async () => {
    const defaults = Object.fromEntries(
      limitsOf(side).map(([name, row]) => [
        name,
        (side === 'client' ? row.clientDefault : undefined) ?? row.default,
      ]),
    );
    expect(await given(side, undefined)).toMatchObject(defaults);
    expect(await given(side, {})).toMatchObject(defaults);
    const undefineds = Object.fromEntries(limitsOf(side).map(([name]) => [name, undefined]));
    expect(await given(side, undefineds)).toMatchObject(defaults);
  });

  it.each(limitsOf(side))('%s takes its range and nothing else', async (name, row) => {
    const { least, most } = row;
    for (const value of [least, least + 1, most, row.default]) {
      expect(await given(side, { [name]: value })).toMatchObject({ [name]: value });
    }
    const wrong = [least - 1, least + 0.5, Number.NaN, -Infinity, String(least), null, true];
    const above = most === Infinity ? [2 ** 53] : [most + 1, Infinity];
    for (const value of [...wrong, ...above]) {
      await expect(given(side, { [name]: value })).rejects.toMatchObject({
        code: 401,
        cause: { phase: 'arguments', detail: expect.stringContaining(`limits.${name}`) },
      });
    }
  });

  it.each<[string, unknown]>([
    ['a string', 'x'],
    ['null', null],
    ['a number', 5],
    ['an unknown name', { messageByte: 5 }],
    ...(side === 'client'
      ? [['a limit of a server', { connections: 5 }] as [string, unknown]]
      : []),
  ])('are not %s', async (_what, limits) => {
    await expect(given(side, limits)).rejects.toMatchObject({ code: 401 });
  });
});

it('docs/limits.md is up to date (node scripts/limits.mjs)', () => {
  const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
  expect(page).toBe(render(limitTable, rangeOf));
});

it('the types of the options tell every default', () => {
  const types = ['types', 'server-config-types'].map((name) =>
    readFileSync(new URL(`../../lib/${name}.ts`, import.meta.url), 'utf8'),
  );
  for (const [name, row] of Object.entries(limitTable)) {
    const comment = types
      .join('')
      .match(new RegExp(`/\\*\\*([^/]*)\\*/\\s+${name}\\?: number`))?.[1];
    const shown = row.default === Infinity ? 'Infinity' : String(row.default);
    expect(comment?.replaceAll(/,|\s*\n\s*\*/g, '')).toMatch(new RegExp(`Default ${shown}\\b`));
  }
});
