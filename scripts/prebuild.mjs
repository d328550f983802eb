#!/usr/bin/env node
// `npm run prebuilds` makes prebuilds/<platform>-<arch>/*.node from a fresh build/Release.
//
// prebuildify knows node-gyp only, but lets one name another program for it: this file, which it calls
// with `rebuild …` and which then builds as usual.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const root = path.resolve(self, '../..');

function runNode(args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  process.exitCode = status ?? 1;
}

if (process.argv[2] === 'rebuild') {
  rmSync(path.join(root, 'build'), { recursive: true, force: true });
  runNode([path.join(root, 'scripts/build.mjs'), 'native']);
} else {
  const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
  const version = process.versions.node;
  runNode([prebuildify, '--napi', '--strip', '--tag-libc', '-t', version, '--node-gyp', self]);
}
