/**
 * `process.exit` and uncaught exceptions at every stage of the package's life: the process ends at
 * once, with its own exit code and never by a signal, whatever is open and under way. What was sent before leaves, as
 * far as the system takes it.
 */

import { describe, expect, test } from 'vitest';
import { Child, expectExit } from '../helpers/child.js';
import { PATIENT } from '../helpers/deadline.js';
import { RawListener, RawPeer } from '../helpers/peers.js';
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

const lastWords = new URL('./fixtures/last-words.mjs', import.meta.url);

describe('what is sent just before process.exit leaves', PATIENT, () => {
  const peers = {
    client: async (how: string): Promise<[Child, RawPeer]> => {
      const listener = await RawListener.listen();
      const child = new Child(lastWords, { args: ['client', how, String(listener.port)] });
      return [child, await listener.acceptOpen()];
    },
    server: async (how: string): Promise<[Child, RawPeer]> => {
      const child = new Child(lastWords, { args: ['server', how] });
      const port = (await child.message()) as number;
      return [child, await RawPeer.open({ port })];
    },
  };

  test.each([
    ['client', 'at once'],
    ['client', 'awaited'],
    ['server', 'at once'],
    ['server', 'awaited'],
  ] as const)('by a %s, %s', async (role, how) => {
    const [child, peer] = await peers[role](how);

    for (let n = 0; n < 100; n += 1) expect(await peer.expectText()).toBe(String(n));

    expect(await child.ended()).toMatchObject({ code: 7 });
  });
});

describe(
  'what is sent while the process ends, or does not fit into the ring, leaves too',
  PATIENT,
  () => {
    test.each([
      ['while it ends', 1, 1],
      ['more than the ring holds', 100, 30_000],
    ] as const)('%s', async (how, count, size) => {
      const child = new Child(lastWords, { args: ['server', how] });
      const peer = await RawPeer.open({ port: (await child.message()) as number });

      for (let n = 0; n < count; n += 1) expect(await peer.expectText()).toHaveLength(size);

      expect(await child.ended()).toMatchObject({ code: 7 });
    });
  },
);

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
