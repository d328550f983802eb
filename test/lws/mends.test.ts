/** Holds the list of mends to what there is: patches, sources and tests. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mends } from './mends.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const patches = readdirSync(path.join(root, 'native/patches')).filter((file) =>
  file.endsWith('.patch'),
);

const sources = readdirSync(path.join(root, 'native/src'), { recursive: true })
  .map(String)
  .filter((file) => /\.(cpp|h)$/.test(file))
  .map((file) => read(path.join('native/src', file)))
  .join('\n');

describe('the mends', () => {
  it('are of every defect, once', () => {
    const ids = mends.map(({ id }) => id);
    expect(ids).toEqual([
      ...Array.from({ length: 42 }, (_, n) => `D${n + 1}`),
      ...Array.from({ length: 19 }, (_, n) => `N${n + 1}`),
      ...Array.from({ length: 9 }, (_, n) => `U${n + 1}`),
    ]);
  });

  it.each(mends.map((mend) => [mend.id, mend.defect, mend] as const))(
    '%s, %s, has a means and a test',
    (_id, _defect, { patch, avoids, option, ours, test: [file, words] }) => {
      expect([patch, avoids, option, ours].filter(Boolean)).not.toHaveLength(0);
      if (patch !== undefined) expect(patches.join(' ')).toMatch(`-${patch}.patch`);
      if (ours !== undefined) expect(existsSync(path.join(root, ours))).toBe(true);
      expect(read(file)).toContain(words);
    },
  );

  it.each(mends.flatMap(({ id, avoids }) => (avoids === undefined ? [] : [[id, avoids] as const])))(
    '%s: our code never names %s',
    (_id, name) => {
      expect(sources).not.toContain(name);
    },
  );

  it.each(mends.flatMap(({ id, option }) => (option === undefined ? [] : [[id, option] as const])))(
    '%s: it is built without, %s',
    (_id, line) => {
      expect(read('native/cmake/lws-options.cmake')).toContain(line);
    },
  );
});

describe('the patches', () => {
  it.each(patches)('%s names its defect and tests that there are', (patch) => {
    const [first = '', second = ''] = read(path.join('native/patches', patch)).split('\n');
    expect(first).toMatch(/^Id: \S+$/);
    const files = second.match(/test\/[\w./-]+/g) ?? [];
    expect(files).not.toHaveLength(0);
    for (const file of files) expect(existsSync(path.join(root, file))).toBe(true);
    const [, file = '', name] = /^Test: (\S+), "(.*)"/.exec(second) ?? [];
    if (name !== undefined) expect(read(file).replaceAll("\\'", "'")).toContain(name);
  });
});
