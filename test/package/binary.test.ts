/**
 * Proves the shape of the built addon: it links against no TLS, compression or event library of its
 * own (those come from the Node executable), exports nothing but the Node-API entries, and loads in
 * the main thread and in a worker of one process.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Changes, PATIENT } from '../helpers/deadline.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const onLinux = process.platform === 'linux';

/** What a program prints; one clear line if it is missing. */
function output(program: string, ...args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) throw new Error(`this test needs the command \`${program}\`: ${error.message}`);
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return stdout;
}

function addonPath(): string {
  const folder = path.join(root, 'build', 'Release');
  const [name, ...others] = readdirSync(folder).filter((file) => file.endsWith('.node'));
  if (name === undefined || others.length > 0) throw new Error(`expected one addon in ${folder}`);
  return path.join(folder, name);
}

describe.runIf(onLinux)('the addon', PATIENT, () => {
  it('needs only the C and C++ runtimes', () => {
    const needed = [...output('readelf', '-d', addonPath()).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(
      ([, library = '']) => library.replace(/\.so.*/, ''),
    );

    expect(needed).toContain('libc');
    for (const library of needed) {
      expect([
        'libstdc++',
        'libgcc_s',
        'libc',
        'libm',
        'libpthread',
        'libdl',
        'librt',
        'ld-linux-x86-64',
        'ld-linux-aarch64',
      ]).toContain(library);
    }
  });

  it('pulls in no library that Node brings', () => {
    const libraries = output('ldd', addonPath());

    expect(libraries).toContain('libc.so');
    expect(libraries).not.toMatch(/libssl|libcrypto|libz\.|libuv|libwebsockets|not found/);
  });

  it('exports only the Node-API entries', () => {
    const symbols = output('nm', '-D', '--defined-only', addonPath())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ').at(-1) ?? '');

    expect(symbols).toContain('napi_register_module_v1');
    for (const symbol of symbols) {
      expect(['napi_register_module_v1', 'node_api_module_get_api_version_v1']).toContain(symbol);
    }
  });

  it('asks Node for nothing that is not found on Windows, where a table names it', () => {
    const table = readFileSync(path.join(root, 'native/cmake/node-imports.inc'), 'utf8');
    const imports = [...table.matchAll(/^NODE_IMPORT\((\w+)\)/gm)].map(([, name]) => name);
    // Without a version: not of the C and C++ runtimes.
    const asked = output('nm', '-D', '--undefined-only', addonPath())
      .split('\n')
      .flatMap((line) => /^ +U (\w+)$/.exec(line)?.[1] ?? []);
    // addon/loop_watch, which is not in a build for Windows.
    const ofEpoll = /^uv_|^napi_(get_uv_event_loop|(add|remove)_async_cleanup_hook)$/;

    expect(asked).toContain('napi_get_undefined');
    expect(asked.filter((name) => !ofEpoll.test(name) && !imports.includes(name))).toEqual([]);
  });

  it('has a stack that cannot be executed and no run path', () => {
    const sections = output('readelf', '-lW', addonPath());
    expect(sections).toMatch(/GNU_STACK.* RW /);
    expect(output('readelf', '-d', addonPath())).not.toMatch(/\((RPATH|RUNPATH)\)/);
  });
});

describe('one process', PATIENT, () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { createRequire } = require('node:module');
    const { webSocket } = createRequire(workerData.from)('ohos-websocket');
    const server = webSocket.createWebSocketServer();
    server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
    server.start({ serverIP: '127.0.0.1', serverPort: 0 })
      .then(() => parentPort.postMessage(server.port));
    parentPort.on('message', () => server.stop().then(() => parentPort.close()));
  `;

  it('loads it in the main thread and in workers, which talk to one another', async () => {
    const require = createRequire(import.meta.url);
    const { webSocket } = require('ohos-websocket') as typeof import('ohos-websocket');
    const workers = [startWorker(), startWorker()];

    for (const worker of workers) {
      const port = await worker.port();
      const ws = webSocket.createWebSocket();
      const echo = new Promise<unknown>((resolve) => {
        ws.on('message', (_error, data) => resolve(data));
      });
      await ws.connect(`ws://127.0.0.1:${port}/`);
      await ws.send('hello, thread');
      expect(await echo).toBe('hello, thread');
      await ws.close();
      worker.finish();
      expect(await worker.exitCode()).toBe(0);
    }
  });

  function startWorker() {
    const worker = new Worker(code, { eval: true, workerData: { from: import.meta.url } });
    onTestFinished(async () => void (await worker.terminate()));
    const changes = new Changes();
    let port: number | undefined;
    let exit: number | undefined;
    let failure: unknown;
    worker.on('message', (message: number) => {
      port = message;
      changes.notify();
    });
    worker.on('error', (error) => {
      failure = error;
      changes.notify();
    });
    worker.on('exit', (status) => {
      exit = status;
      changes.notify();
    });
    const hear = <T>(look: () => T | undefined, what: string) =>
      changes.until(() => {
        if (failure !== undefined) throw failure;
        return look();
      }, what);
    return {
      port: () => hear(() => port, 'the worker to start its server'),
      finish: () => worker.postMessage('stop'),
      exitCode: () => hear(() => exit, 'the worker to exit by itself'),
    };
  }
});
