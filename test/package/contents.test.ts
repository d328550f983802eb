/** What `npm publish` would send: everything the package needs, nothing else, and no install script. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { linksOf, readPage } from '../docs/markdown.js';
import { PATIENT } from '../helpers/deadline.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly version: string;
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly gypfile: boolean;
  readonly exports: Record<string, unknown>;
  readonly bin: Record<string, string>;
}
const manifest: Manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** All file names that an `exports` field leads to. */
function targetsOf(entry: unknown): string[] {
  if (typeof entry === 'string') return [entry.replace('./', '')];
  return Object.values(entry as Record<string, unknown>).flatMap(targetsOf);
}

function packedFiles(): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--silent'];
  const answer = execFileSync('npm', args, { cwd: root, encoding: 'utf8' });
  const [{ files }] = JSON.parse(answer) as [{ files: { path: string }[] }];
  return files.map((file) => file.path);
}

it('holds what it refers to, and only what belongs to it', PATIENT, () => {
  const packed = packedFiles();

  for (const target of [...targetsOf(manifest.exports), ...Object.values(manifest.bin)]) {
    expect(packed).toContain(target);
  }
  for (const file of packed) {
    expect(file).toMatch(
      /^(dist\/.*\.(js|mjs|d\.ts|d\.mts)|(bundled-tls\/)?prebuilds\/[\w-]+\/ohos-websocket(\.\w+)?\.node|bin\/[\w/-]+\.mjs|test\/parity\/(cases|runner)\/.*|docs\/[\w-]+\.md|examples\/.*|bench\/README\.md|bench\/results\/.*|test\/fuzz\/README\.md|lib\/ohos\.d\.ts|binding\.d\.ts|package\.json|README(\.zh-CN)?\.md|(CHANGELOG|CONTRIBUTING)\.md|SECURITY\.md|LICENSE|THIRD_PARTY_NOTICES)$/,
    );
  }
});

it('has no page with a link that leads out of it', PATIENT, () => {
  const packed = packedFiles();
  const lost = packed
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      linksOf(readPage(file))
        .filter((target) => !/^(https?:|#)/.test(target))
        .map((target) => path.posix.join(path.posix.dirname(file), target.replace(/#.*/, '')))
        .filter((target) => !packed.some((each) => each === target || each.startsWith(target)))
        .map((target) => `${file}: ${target}`),
    );

  expect(lost).toEqual([]);
});

it('runs nothing when it is installed and depends on its loader alone', () => {
  expect(Object.keys(manifest.dependencies)).toEqual(['node-gyp-build']);
  expect(manifest.gypfile).toBe(false);
  for (const script of ['preinstall', 'install', 'postinstall']) {
    expect(manifest.scripts).not.toHaveProperty(script);
  }
  // npm runs node-gyp where it finds this file and no install script.
  expect(existsSync(path.join(root, 'binding.gyp'))).toBe(false);
});

it.each([
  ['README.md', /ohos-websocket-(\S+)\.tgz/g],
  ['README.zh-CN.md', /ohos-websocket-(\S+)\.tgz/g],
  // The newest version comes first.
  ['CHANGELOG.md', /^## (\S+)/],
  ['package-lock.json', /^ {2}"version": "(.*)"/],
])('%s names the version', (name, pattern) => {
  const text = readFileSync(path.join(root, name), 'utf8');
  const named = [...text.matchAll(new RegExp(pattern, 'gm'))].map(([, version]) => version);
  expect(named[0]).toBe(manifest.version);
  if (pattern.global) expect(new Set(named)).toEqual(new Set([manifest.version]));
});
