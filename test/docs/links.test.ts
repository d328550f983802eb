/**
 * What the pages point to is there: files, anchors, and the commands of their shell snippets. Addresses of other
 * machines are not asked for.
 */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, linksOf, pageNames, readPage, root } from './markdown.js';

const pages = new Map(pageNames().map((name) => [name, readPage(name)]));
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** What is wrong with a link, or nothing. */
function problemOf(from: string, target: string): string | undefined {
  if (/^(https|mailto):/.test(target)) return undefined;
  if (/^\w+:/.test(target)) return `${target}: not https`;
  const [file = '', anchor] = decodeURI(target).split('#');
  const name = file === '' ? from : path.join(path.dirname(from), file);
  if (!existsSync(path.join(root, name))) return `${target}: no such file`;
  if (anchor === undefined) return undefined;
  const page = pages.get(name);
  if (page === undefined) return `${target}: an anchor in what is no page`;
  return anchorsOf(page).has(anchor) ? undefined : `${target}: no such heading`;
}

/** What is wrong with a line of a shell snippet, or nothing. */
function commandProblem(line: string): string | undefined {
  const script = /\bnpm (?:run )?(test|run [\w:-]+|[\w]+:[\w]+)/
    .exec(line)?.[1]
    ?.replace('run ', '');
  if (script !== undefined && !(script in manifest.scripts)) return `npm has no script ${script}`;
  const file = /\bnode ((?:scripts|bench|examples|bin|test)\/[\w./-]+)/.exec(line)?.[1];
  if (file !== undefined && !existsSync(path.join(root, file))) return `no such file: ${file}`;
  const command = /\bnpx ohos-websocket (\w+)/.exec(line)?.[1];
  const isCommand =
    command === undefined || existsSync(path.join(root, `bin/commands/${command}.mjs`));
  return isCommand ? undefined : `ohos-websocket has no command ${command}`;
}

describe.each([...pages.keys()])('%s', (name) => {
  const page = readPage(name);

  it('links to what is there', () => {
    expect(linksOf(page).flatMap((target) => problemOf(name, target) ?? [])).toEqual([]);
  });

  it('names commands that exist', () => {
    const shell = page.fences.filter(({ language }) => ['', 'sh'].includes(language));
    const lines = shell.flatMap(({ code }) => code.split('\n'));
    expect(lines.flatMap((line) => commandProblem(line) ?? [])).toEqual([]);
  });
});

it('every page of docs/ can be reached from the README', () => {
  const reached = new Set<string>();
  const visit = (name: string) => {
    if (reached.has(name)) return;
    reached.add(name);
    const page = pages.get(name);
    if (page === undefined) return;
    for (const target of linksOf(page)) {
      if (!/^\w+:/.test(target)) visit(path.join(path.dirname(name), target.split('#')[0] ?? ''));
    }
  };
  visit('README.md');
  const lost = [...pages.keys()].filter((name) => name.startsWith('docs/') && !reached.has(name));
  expect(lost).toEqual([]);
});
