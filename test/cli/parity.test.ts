/** `npx ohos-websocket parity`: what it prints, what it plays, and when it fails. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';

const program = fileURLToPath(new URL('../../bin/ohos-websocket.mjs', import.meta.url));

function run(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
}

describe('ohos-websocket parity', PATIENT, () => {
  it('plays cases in both profiles and lists what differs on purpose', () => {
    const { status, stdout, stderr } = run('parity', '--only', '^args-connect-0', '--verbose');

    expect(stderr).toBe('');
    expect(stdout).toMatch(/^C4 +netstack/m);
    expect(stdout).toMatch(/^ok args-connect-05-d: /m);
    expect(stdout).toMatch(/^documented: \d+ matched, 0 mismatched$/m);
    expect(stdout).toMatch(/^netstack: \d+ matched, 0 mismatched$/m);
    expect(stdout).toMatch(/^S1 +It ends that connection\./m);
    expect(status).toBe(0);
  });

  it('plays one profile', () => {
    const { stdout } = run('parity', '--profile', 'netstack', '--only', '^args-close-04');
    expect(stdout).toContain('Playing 1 cases against ohos-websocket/parity');
    expect(stdout).not.toContain('the documented profile\n');
  });

  it('prints the table alone', () => {
    const { status, stdout } = run('parity', '--table');
    expect(stdout).not.toContain('Playing');
    expect(status).toBe(0);
  });

  it.each([
    [['--profile', 'x'], '--profile is documented or netstack'],
    [['--jobs', '0'], '--jobs takes a whole number, from 1'],
    [['--only', '('], '--only: Invalid regular expression'],
    [['--nonsense'], '--nonsense'],
  ])('explains itself after %j', (args, text) => {
    const { status, stderr } = run('parity', ...args);
    expect(stderr).toContain(text);
    expect(stderr).toContain('usage: ohos-websocket parity');
    expect(status).toBe(2);
  });
});
