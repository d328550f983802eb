/** How the package finds its native module, and what it says when there is none that loads. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const addon = path.join(root, 'build/Release/ohos_websocket.node');
const print = "console.log(JSON.stringify(require('ohos-websocket').versions))";

/** The package as it is installed, with these files in it: `{ name: source or text }`. */
function installed(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ohws-loading-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const modules = path.join(folder, 'node_modules');
  for (const name of ['dist', 'package.json']) {
    cpSync(path.join(root, name), path.join(modules, 'ohos-websocket', name), { recursive: true });
  }
  cpSync(path.join(root, 'node_modules/node-gyp-build'), path.join(modules, 'node-gyp-build'), {
    recursive: true,
  });
  for (const [name, source] of Object.entries(files)) {
    const file = path.join(modules, 'ohos-websocket', name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (source === addon) copyFileSync(source, file);
    else writeFileSync(file, source);
  }
  return folder;
}

function run(cwd: string, code: string, env: Record<string, string> = {}) {
  const { OHWS_BINDING: _, ...rest } = process.env;
  const options = { cwd, encoding: 'utf8' as const, env: { ...rest, ...env } };
  return spawnSync(process.execPath, ['--eval', code], options);
}

const tuple = `${process.platform}-${process.arch}`;
const ordinary = `prebuilds/${tuple}/ohos-websocket.glibc.node`;
const bundled = `bundled-tls/prebuilds/${tuple}/ohos-websocket.glibc.node`;

describe('the native module', PATIENT, () => {
  it('is the prebuilt one of the package', () => {
    const { stdout, stderr } = run(installed({ [ordinary]: addon, [bundled]: 'broken' }), print);
    expect(stderr).toBe('');
    expect(Object.keys(JSON.parse(stdout))).toEqual(['package', 'addon', 'lws', 'openssl']);
  });

  it('is the one with its own TLS where the other does not load', () => {
    const { status, stderr } = run(installed({ [ordinary]: 'broken', [bundled]: addon }), print);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('is looked for with its own TLS first in Bun', () => {
    const folder = installed({ [ordinary]: addon, [bundled]: 'broken' });
    const { stderr } = run(folder, `process.versions.bun = '1.0.0'; ${print}`);
    expect(stderr).toContain('bundled-tls: ');
    expect(stderr).toContain('Bun 1.0.0, as Node.js');
    expect(stderr).not.toContain(path.join('ohos-websocket: '));
  });

  it('says at load which mends its libwebsockets lacks', () => {
    const folder = installed({ [ordinary]: addon });
    const lacking = `
      const { _extensions } = require('node:module');
      const load = _extensions['.node'];
      _extensions['.node'] = (module, file) => {
        load(module, file);
        module.exports = { ...module.exports, missingPatches: 'D2 D5' };
      };`;
    const { status, stderr } = run(folder, `${lacking} ${print}; require('ohos-websocket/parity')`);
    expect(status).toBe(0);
    expect(stderr).toMatch(/\[OHWS_UNMENDED_LIBWEBSOCKETS\] Warning: .* mends .*: D2 D5\./);
    expect(stderr.match(/D2 D5/g)).toHaveLength(1);
  });

  it('is missing: all places, and what to do', () => {
    const folder = installed({});
    const { status, stderr } = run(folder, print);
    const base = path.join(folder, 'node_modules/ohos-websocket');
    expect(status).toBe(1);
    expect(stderr).toContain(`no native module that loads here (${process.platform} `);
    expect(stderr).toContain(`- ${base}: No native build was found for platform=`);
    expect(stderr).toContain(`- ${path.join(base, 'bundled-tls')}: No native build was found`);
    expect(stderr).toContain('leave `ohos-websocket` external');
    expect(stderr).toContain('OHWS_BINDING');
  });

  it('is for another platform', () => {
    const { stderr } = run(installed({ [ordinary]: 'broken' }), print);
    expect(stderr).toContain('is for another platform, processor or C library');
  });

  it('is not there for Electron on Windows, and the message says so', () => {
    const program = `Object.defineProperty(process.versions, 'electron', { value: '40.0.0' }); ${print}`;
    const { stderr } = run(installed({ [ordinary]: addon }), program, {
      npm_config_platform: 'win32',
    });
    expect(stderr).toContain('platform=win32');
    expect(stderr).toContain('Bun, Deno and Electron export none');
  });

  it('is not what OHWS_BINDING names', () => {
    const { stderr } = run(installed({ [ordinary]: addon }), print, { OHWS_BINDING: '/x/y.js' });
    expect(stderr).toContain('y.js (OHWS_BINDING): the name does not end in .node');
  });

  it('is of another package, beside a bundle', () => {
    const folder = installed({});
    const bundle = path.join(folder, 'out/bundle.js');
    cpSync(path.join(folder, 'node_modules/ohos-websocket/dist'), path.dirname(bundle), {
      recursive: true,
    });
    writeFileSync(path.join(folder, 'package.json'), '{}');
    rmSync(path.join(folder, 'node_modules/ohos-websocket'), { recursive: true });
    const theirs = path.join(folder, `out/prebuilds/${tuple}/theirs.node`);
    mkdirSync(path.dirname(theirs), { recursive: true });
    writeFileSync(theirs, 'never loaded');
    const { stderr } = run(
      folder,
      `require(${JSON.stringify(path.join(folder, 'out/binding.js'))})`,
    );
    expect(stderr).toContain('theirs.node is of another package');
  });
});
