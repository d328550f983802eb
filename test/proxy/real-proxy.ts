/**
 * Proxies as others run them: tinyproxy or squid, whichever is installed, each on a free port of this
 * machine and gone when the test has finished. Both refuse the host `denied.test`, and any user but the one
 * given.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { poll, within } from '../helpers/deadline.js';
import { freePort } from '../helpers/free-port.js';

export const DENIED_HOST = 'denied.test';

interface User {
  readonly username: string;
  readonly password: string;
}

export interface ProxyKind {
  readonly command: string;
  /** Writes the configuration into the folder and returns the arguments of the command. */
  configure(folder: string, port: number, user: User | undefined): string[];
}

const tinyproxy: ProxyKind = {
  command: 'tinyproxy',
  configure(folder, port, user) {
    const [config, filter] = [path.join(folder, 'config'), path.join(folder, 'filter')];
    writeFileSync(filter, `^${DENIED_HOST.replace('.', '\\.')}$\n`);
    const auth = user === undefined ? [] : [`BasicAuth ${user.username} ${user.password}`];
    const lines = [
      ...[`Port ${port}`, 'Listen 127.0.0.1', 'Allow 127.0.0.1', 'Timeout 60'],
      ...[`Filter "${filter}"`, 'LogLevel Notice', ...auth],
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    return ['-d', '-c', config];
  },
};

const squid: ProxyKind = {
  command: 'squid',
  configure(folder, port, user) {
    const [config, users] = [path.join(folder, 'config'), path.join(folder, 'users')];
    const auth = [
      `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${users}`,
      'acl known proxy_auth REQUIRED',
      'http_access deny !known',
    ];
    const lines = [
      ...[`http_port 127.0.0.1:${port}`, 'pid_filename none', 'access_log none', 'cache deny all'],
      ...['cache_log /dev/null', `coredump_dir ${folder}`, 'shutdown_lifetime 0 seconds'],
      ...[`acl denied dstdomain ${DENIED_HOST}`, 'http_access deny denied'],
      ...(user === undefined ? [] : auth),
      'http_access allow all',
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    if (user !== undefined) {
      const args = ['passwd', '-apr1', user.password];
      const hash = spawnSync('openssl', args, { env: plainEnvironment(), encoding: 'utf8' });
      writeFileSync(users, `${user.username}:${hash.stdout.trim()}\n`, { mode: 0o644 });
    }
    return ['-N', '-f', config];
  },
};

const installed: readonly ProxyKind[] = [tinyproxy, squid].filter(({ command }) => {
  return spawnSync(command, ['-v'], { stdio: 'ignore' }).error === undefined;
});

/** The kinds to test with: those that are installed, or one whose tests say that none is. */
export const proxyKinds: readonly ProxyKind[] = installed.length > 0 ? installed : [tinyproxy];

/** Fails, naming the package, if no proxy is installed. */
export function demandInstalled(): void {
  if (installed.length === 0) {
    throw new Error('these tests need a real proxy: install the package `tinyproxy` or `squid`');
  }
}

/** Starts a proxy until the test has finished; gives the option that uses it. */
export async function startProxy(kind: ProxyKind, user?: User) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ohws-proxy-'));
  // squid reads it as another user.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const args = kind.configure(folder, port, user);
  const proxy = spawn(kind.command, args, { env: plainEnvironment(), stdio: 'pipe' });
  const ended = once(proxy, 'close');
  let output = '';
  for (const stream of [proxy.stdout, proxy.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
    });
  }
  onTestFinished(async () => {
    proxy.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  // Nothing else tells when it is ready.
  await poll(
    async () => {
      if (proxy.exitCode !== null) throw new Error(`${kind.command} ended: ${output}`);
      return accepts(port);
    },
    () => `${kind.command} to listen: ${output}`,
  );
  return { host: '127.0.0.1', port, exclusionList: [] as string[] };
}

/** Without the library that a sanitizer run preloads into its workers. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _preload, ...rest } = process.env;
  return rest;
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await within(once(socket, 'connect'), 'an answer to a connection');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
