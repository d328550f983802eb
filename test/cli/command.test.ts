/** `ohos-websocket` itself: its subcommands, its usage, wrong arguments. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { run } from './program.js';

const commands = ['serve', 'connect', 'bench', 'parity', 'doctor'];

describe('ohos-websocket', PATIENT, () => {
  it('lists its commands', () => {
    const { status, stdout } = run('--help');
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name} +[A-Z].*\\.$`, 'm'));
    expect(status).toBe(0);
  });

  it.each(commands)('tells the options of %s', (name) => {
    const { status, stdout, stderr } = run(name, '--help');
    expect(stdout).toMatch(new RegExp(`^usage: ohos-websocket ${name}`));
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('tells its version', () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect(run('--version').stdout.trim()).toBe(JSON.parse(manifest).version);
  });

  it.each([
    [[], 'which command?'],
    [['party'], "there is no command 'party'"],
    [['serve', '--port', '65536'], "--port takes a whole number, 0 to 65535, not '65536'"],
    [['serve', '--port', ''], '--port takes a whole number'],
    [['serve', '--cert', 'x'], '--cert and --key go together'],
    [['serve', 'x'], "'x' is one argument too many"],
    [['serve', '--nonsense'], '--nonsense'],
    [['connect'], 'URL is missing'],
    [['connect', 'ws://[::1]:1/', '-H', 'x'], "--header takes NAME:VALUE, not 'x'"],
    [['connect', 'ws://[::1]:1/', '--proxy', 'socks5://x'], '--proxy takes http://host:port'],
    [['bench', '--size', '1.5'], '--size takes a whole number'],
    [['bench', 'http://127.0.0.1/'], 'is no ws or wss URL'],
    [['bench', 'ws://192.0.2.1/'], "'192.0.2.1' is not this machine"],
  ])('after %j says what is wrong', (args, text) => {
    const { status, stdout, stderr } = run(...args);
    expect(stderr).toContain(text);
    expect(stderr).toContain('usage: ohos-websocket');
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

describe('ohos-websocket doctor', PATIENT, () => {
  it('tells what is here and that it works', () => {
    const { status, stdout } = run('doctor');
    expect(stdout).toMatch(/^native module: +\/.*\.node$/m);
    expect(stdout).toMatch(/^OpenSSL: +\d+\.\d+\.\d+, of the runtime$/m);
    expect(stdout).toMatch(/^libwebsockets: +4\./m);
    expect(stdout).toMatch(/^loopback echo: +works$/m);
    expect(status).toBe(0);
  });

  it('tells what was tried when no native module loads', () => {
    process.env['OHWS_BINDING'] = '/nowhere/at-all.node';
    const { status, stdout } = run('doctor');
    delete process.env['OHWS_BINDING'];
    expect(stdout).toContain('no native module that loads here');
    expect(stdout).toContain('/nowhere/at-all.node (OHWS_BINDING)');
    expect(status).toBe(1);
  });
});
