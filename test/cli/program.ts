/** The command of the package in a process of its own, and what it prints when it ends by itself. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { Child } from '../helpers/child.js';

export const script = new URL('../../bin/ohos-websocket.mjs', import.meta.url);

/** Starts it; it is killed when the test has finished. */
export function start(...args: string[]): Child {
  const child = new Child(script, { args });
  onTestFinished(() => child.kill('SIGKILL'));
  return child;
}

/** Runs it to its end. */
export function run(...args: string[]) {
  return spawnSync(process.execPath, [fileURLToPath(script), ...args], {
    encoding: 'utf8',
    input: '',
  });
}
