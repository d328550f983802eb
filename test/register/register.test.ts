/**
 * The register hook in processes of their own: every example of the API page as a plain ES module,
 * in both profiles, and the platform's modules through `import`, `require` and in workers.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { freePort } from '../helpers/free-port.js';
import { clientLines, type Profile, serverLines } from './examples/expected.js';
import { sayHello, startEcho } from './peers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** How long an example that should say nothing more is watched. */
const QUIET_MS = 100;

let folder: string;
let echo: Awaited<ReturnType<typeof startEcho>>;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ohws-register-'));
  for (const name of ['client', 'server']) transpile(name);
  write(
    'play.mjs',
    `const [file, name, at] = process.argv.slice(2);
     const { clientExamples, serverExamples } = await import(file);
     const example = (clientExamples ?? serverExamples)[name];
     globalThis.endpoint = example(clientExamples ? at : Number(at), (line) => console.log(line));
     console.log('ready');
     setInterval(() => undefined, 1000);`,
  );
  echo = await startEcho();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  echo.close();
});

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Takes the types away and nothing else: imports of names stay, as type stripping leaves them. */
function transpile(name: string): void {
  const source = readFileSync(path.join(root, 'test/register/examples', `${name}.ts`), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  write(`${name}.mjs`, outputText);
}

/** The lines that an example prints, as many as are expected and what follows at once. */
async function play(
  [file, name, at]: readonly [string, string, string],
  profile: Profile,
  expected: readonly string[],
  onFirst: () => Promise<void> = async () => undefined,
): Promise<string[]> {
  const args = ['--import', 'ohos-websocket/register', path.join(folder, 'play.mjs')];
  const child = spawn(process.execPath, [...args, `./${file}.mjs`, name, at], {
    cwd: root,
    env: { ...process.env, OHOS_WEBSOCKET_PROFILE: profile },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const done = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (line === expected[0]) void onFirst();
      if (lines.length === expected.length + 1) setTimeout(resolve, QUIET_MS);
    });
    child.once('exit', () => resolve());
  });
  await done;
  child.kill('SIGKILL');
  return lines.filter((line) => line !== 'ready');
}

describe.each(['documented', 'netstack'] as const)('the %s profile, as .mjs', (profile) => {
  it.each(Object.entries(clientLines(profile)))('client: %s', PATIENT, async (name, expected) => {
    expect(await play(['client', name, echo.url], profile, expected)).toEqual(expected);
  });

  it.each(Object.entries(serverLines))('server: %s', PATIENT, async (name, expected) => {
    const port = await freePort();
    const hello = async () => {
      if (name !== 'stop') await sayHello(port);
    };
    const lines = await play(['server', name, String(port)], profile, expected, hello);
    expect(lines).toEqual(expected);
  });
});

/** Runs a program with the hook; what it prints. */
function run(flag: string, file: string, env: NodeJS.ProcessEnv = {}) {
  const args = [flag, 'ohos-websocket/register', file];
  const { OHOS_WEBSOCKET_PROFILE: _, ...rest } = process.env;
  return spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...rest, ...env },
  });
}

describe('the hook', PATIENT, () => {
  const imports = `
    import { connection, webSocket } from '@kit.NetworkKit';
    import { AsyncCallback, BusinessError, Callback, ErrorCallback } from '@kit.BasicServicesKit';
    import webSocket9, { createWebSocket, TlsProtocol } from '@ohos.net.webSocket';
    import { BusinessError as BaseError } from '@ohos.base';
    import { createRequire } from 'node:module';
    const required = createRequire(import.meta.url)('@kit.NetworkKit');
    const checks = [
      webSocket.createWebSocket === createWebSocket,
      webSocket9.createWebSocket === createWebSocket,
      required.webSocket.createWebSocket === createWebSocket,
      webSocket.TlsProtocol.TLS_V_1_3 === 3 && TlsProtocol.TLS_V_1_0 === 0,
      typeof connection === 'object',
      BusinessError === BaseError && new BusinessError(1, 'x') instanceof Error,
      [AsyncCallback, Callback, ErrorCallback].every((type) => type === undefined),
      (await webSocket.createWebSocket().close().catch((error) => error)) instanceof BusinessError,
    ];
    console.log(checks.join());`;
  const requires = `
    const { webSocket } = require('@kit.NetworkKit');
    const older = require('@ohos.net.webSocket');
    const { BusinessError } = require('@kit.BasicServicesKit');
    const checks = [
      older.default.createWebSocket === webSocket.createWebSocket,
      older.createWebSocket === webSocket.createWebSocket,
      require('@ohos.base').BusinessError === BusinessError,
    ];
    import('@kit.NetworkKit').then((imported) => {
      checks.push(imported.webSocket.createWebSocket === webSocket.createWebSocket);
      console.log(checks.join());
    });`;
  const worker = `
    import { Worker, isMainThread } from 'node:worker_threads';
    import { webSocket } from '@kit.NetworkKit';
    console.log(typeof webSocket.createWebSocket);
    if (isMainThread) new Worker(new URL(import.meta.url));`;

  it.each(['--import', '--require'])('by %s serves import and require', (flag) => {
    const asModule = run(flag, write('imports.mjs', imports));
    expect(asModule.stdout.trim(), asModule.stderr).toBe(Array(8).fill(true).join());
    const asCommon = run(flag, write('requires.cjs', requires));
    expect(asCommon.stdout.trim(), asCommon.stderr).toBe(Array(4).fill(true).join());
  });

  it('serves workers', () => {
    const { stdout, stderr } = run('--import', write('worker.mjs', worker));
    expect(stdout.trim(), stderr).toBe('function\nfunction');
  });

  it('leaves other modules alone', () => {
    const { stderr, status } = run('--import', write('other.mjs', `import '@kit.ArkTS';`));
    expect(status).not.toBe(0);
    expect(stderr).toContain('@kit.ArkTS');
  });

  it('has the documented profile by default; an unknown one is a clear error', () => {
    const program = `
      import { webSocket } from '@kit.NetworkKit';
      const ws = webSocket.createWebSocket();
      ws.connect('ws://127.0.0.1:1/', undefined).then(() => console.log('true'), (e) => console.log(e.code));`;
    const file = write('profile.mjs', program);
    expect(run('--import', file).stdout.trim()).toBe('true');
    expect(run('--import', file, { OHOS_WEBSOCKET_PROFILE: '' }).stdout.trim()).toBe('true');
    const netstack = run('--import', file, { OHOS_WEBSOCKET_PROFILE: 'netstack' });
    expect(netstack.stdout.trim()).toBe('401');
    const unknown = run('--import', file, { OHOS_WEBSOCKET_PROFILE: 'parity' });
    expect(unknown.stderr).toContain(
      'OHOS_WEBSOCKET_PROFILE is "parity"; it must be documented or netstack',
    );
    expect(unknown.status).not.toBe(0);
  });

  it('uses the one hook for both where Node has it', () => {
    const program = `
      const nodeModule = require('node:module');
      let hooks;
      nodeModule.registerHooks = (given) => (hooks = given);
      const { register } = nodeModule;
      nodeModule.register = () => console.log('too many hooks');
      require('ohos-websocket/register');
      nodeModule.register = register;
      const resolve = (name, ...conditions) =>
        hooks.resolve(name, { conditions }, (specifier) => ({ url: specifier })).url;
      console.log(resolve('@kit.NetworkKit', 'node', 'import'));
      console.log(resolve('@kit.NetworkKit', 'require', 'node'));
      console.log(resolve('node:fs', 'node', 'import'));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--eval', program], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^file:.*\/dist\/kits\/network-kit\.mjs$/),
      expect.stringMatching(/^file:.*\/dist\/kits\/network-kit\.js$/),
      'node:fs',
    ]);
  });

  it('ends with the program, which it does not keep alive', async () => {
    const child = spawn(
      process.execPath,
      ['--import', 'ohos-websocket/register', write('end.mjs', `import '@kit.NetworkKit';`)],
      { cwd: root, stdio: 'inherit' },
    );
    await expect(once(child, 'exit')).resolves.toEqual([0, null]);
  });
});
