/**
 * Controls of the other files in this folder: that the harness notices a hang, a crash, a wrong exit
 * code and a leak. Without them, a test that proves nothing would look like one that passes.
 */

import { describe, expect, test } from 'vitest';
import { Child, expectExit, HangError, SLOWNESS } from '../helpers/child.js';

const fixture = (name: string): URL => new URL(`./fixtures/${name}.mjs`, import.meta.url);

describe('the harness notices', () => {
  test('a process that does not end', async () => {
    const child = new Child(fixture('alive'), { args: ['net'], limitMs: 1500 });
    await expect(child.ended()).rejects.toThrow(HangError);
    await expect(child.ended()).rejects.toThrow(
      new RegExp(`still ran after ${1500 * SLOWNESS} ms`),
    );
  });

  test('a process that crashes', async () => {
    await expect(expectExit(fixture('crash'))).rejects.toThrow(/was killed by SIGABRT/);
    const { code, signal } = await new Child(fixture('crash')).ended();
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGABRT' });
  });

  test('another exit code than the expected one', async () => {
    const options = { args: ['exit', 'nothing'] };
    await expectExit(fixture('leave'), { ...options, code: 7 });
    await expect(expectExit(fixture('leave'), options)).rejects.toThrow(/exited with 7/);
  });

  test('a process that ends before its scenario is over', async () => {
    const { code, stderr } = await new Child(fixture('natural'), { args: ['none'] }).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(/no scenario none/);
  });

  test('a process that ends while a message is awaited', async () => {
    await expect(new Child(fixture('crash')).message()).rejects.toThrow(/no message: .*crash/);
  });

  test('leaked memory', async () => {
    const options = { args: ['a leak'], nodeOptions: ['--expose-gc', '--max-semi-space-size=1'] };
    await expect(expectExit(fixture('garbage'), options)).rejects.toThrow(/grows with cycles/);
  });

  test('leaked descriptors', async () => {
    const leak = expectExit(fixture('resources'), { args: ['a leak'] });
    await expect(leak).rejects.toThrow(/more than before/);
  });
});
