/** The workflow of hosted machines builds every target there is, and runs only what is there. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workflow = readFileSync(path.join(root, '.github/workflows/ci.yml'), 'utf8');
const manifest: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(path.join(root, 'package.json'), 'utf8'),
);

it('builds all targets of the prebuilt binaries', () => {
  const program = path.join(root, 'scripts/prebuild.mjs');
  const targets = execFileSync(process.execPath, [program, '--list'], { encoding: 'utf8' });
  const built = workflow.matchAll(/^ +- (?:\{.*target: )?((?:linux|darwin|win32)-[\w-]+)/gm);
  expect([...built].map(([, name]) => name).sort()).toEqual(targets.trim().split('\n').sort());
});

it('runs scripts and files of this repository', () => {
  const scripts = [...workflow.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(scripts.length).toBeGreaterThan(2);
  for (const name of scripts) expect(manifest.scripts).toHaveProperty([name]);

  const files = [...workflow.matchAll(/(?:node |sudo )(\S+\/\S+)/g)].map(([, name = '']) => name);
  expect(files).toHaveLength(2);
  for (const name of files) expect(existsSync(path.join(root, name)), name).toBe(true);
});

it('names every action by the commit', () => {
  const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, name]) => name);
  expect(actions.length).toBeGreaterThan(10);
  for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/);
});
