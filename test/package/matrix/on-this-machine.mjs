#!/usr/bin/env node
// Installs the packed tarball into an empty project on this machine, whichever it is, and runs the consumers:
//
//   node test/package/matrix/on-this-machine.mjs ohos-websocket-1.2.3.tgz
//
// Needs `openssl` for a certificate. On Linux x64 run.mjs shows more.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from '../../../scripts/npm.mjs';
import { makeCertificate } from './certificate.mjs';

const [tarball, ...others] = process.argv.slice(2);
if (tarball === undefined || others.length > 0)
  throw new Error('usage: on-this-machine.mjs TARBALL');

const cwd = mkdtempSync(path.join(tmpdir(), 'ohws-here-'));
try {
  cpSync(fileURLToPath(new URL('consumer', import.meta.url)), cwd, { recursive: true });
  writeFileSync(path.join(cwd, 'package.json'), '{ "private": true }');
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', path.resolve(tarball)];
  npm(install, { cwd, stdio: 'inherit' });
  const env = { ...process.env, ...makeCertificate(cwd) };
  const registered = ['--import', 'ohos-websocket/register', 'app.mjs'];
  for (const args of [['commonjs.cjs'], ['module.mjs'], ['worker.mjs'], registered]) {
    execFileSync(process.execPath, args, { cwd, env, stdio: 'inherit' });
  }
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
