/**
 * Garbage collection: what is open lives without a reference (OpenHarmony's own stack drops such a
 * connection), and what has ended is freed.
 */

import { describe, expect, test } from 'vitest';
import { expectExit, SLOWNESS } from '../helpers/child.js';

const garbage = new URL('./fixtures/garbage.mjs', import.meta.url);
const PATIENT = { timeout: 90_000 * SLOWNESS };

async function run(scenario: string): Promise<void> {
  const { stdout } = await expectExit(garbage, {
    args: [scenario],
    nodeOptions: ['--expose-gc', '--max-semi-space-size=1'],
    limitMs: 60_000,
  });
  expect(stdout).toMatch(/done\n$/);
}

describe('alive', () => {
  test.each([
    'a connected client without a reference lives',
    'a connecting client without a reference lives',
    'a started server without a reference lives',
  ])('%s', run);
});

describe('freed', () => {
  test.each([
    'endpoints that were never used are freed',
    'a stopped server is freed',
    'a client whose connect failed is freed',
    'a text that a sent one was cut from is collected',
  ])('%s', run);

  test.each([
    'memory stays bounded over many connections',
    'memory of large messages is given back',
    'large messages are collected while they are young',
  ])('%s', PATIENT, run);
});
