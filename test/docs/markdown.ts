/** The parts of a Markdown page that the tests look at: fences with their hidden lines, headings, links, names. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** A block of code, with what the comments directly before it hide from readers. */
export interface Fence {
  readonly line: number;
  /** The word after the opening back-ticks. */
  readonly language: string;
  readonly code: string;
  /** Text of the comments `<!-- given … -->`, `<!-- then … -->` and `<!-- prints … -->`. */
  readonly hidden: { readonly given?: string; readonly then?: string; readonly prints?: string };
}

export interface Heading {
  readonly line: number;
  readonly level: number;
  readonly text: string;
}

export interface Page {
  /** Path from the root of the repository. */
  readonly name: string;
  readonly fences: readonly Fence[];
  readonly headings: readonly Heading[];
  /** The page without its fences and comments. */
  readonly prose: string;
}

const FENCE = /^```([\w-]*)$/;
const COMMENT = /^<!--\s*(?:(given|then|prints)\n)?([\s\S]*?)-->\n?/;

/** Reads a page line by line. A fence inside of a list is none here. */
export function readPage(name: string): Page {
  const text = readFileSync(path.join(root, name), 'utf8');
  const fences: Fence[] = [];
  const headings: Heading[] = [];
  let prose = '';
  let hidden: Record<string, string> = {};
  let line = 1;
  let rest = text;
  const take = (length: number): string => {
    const taken = rest.slice(0, length);
    line += taken.split('\n').length - 1;
    rest = rest.slice(length);
    return taken;
  };

  while (rest !== '') {
    const at = line;
    const comment = COMMENT.exec(rest);
    if (comment !== null) {
      const [all, kind, body = ''] = comment;
      if (kind !== undefined) hidden[kind] = body;
      take(all.length);
      continue;
    }
    const end = rest.indexOf('\n');
    const first = take(end === -1 ? rest.length : end + 1).trimEnd();
    const opened = FENCE.exec(first);
    if (opened !== null) {
      const length = rest.search(/^```$/m);
      if (length === -1) throw new Error(`${name}:${at}: this fence has no end`);
      fences.push({ line: at, language: opened[1] ?? '', code: take(length), hidden });
      take('```\n'.length);
      hidden = {};
      continue;
    }
    if (first !== '' && Object.keys(hidden).length > 0) {
      throw new Error(`${name}:${at}: hidden lines without a fence behind them`);
    }
    const heading = /^(#{1,6}) (.*)$/.exec(first);
    if (heading !== null) {
      headings.push({ line: at, level: heading[1]?.length ?? 0, text: heading[2] ?? '' });
    }
    prose += `${first}\n`;
  }
  return { name, fences, headings, prose };
}

/** The pages of the repository, as far as Git knows them or could. */
export function pageNames(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '*.md'];
  const names = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return names.filter((name) => name !== '').sort();
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf({ headings }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const { text } of headings) {
    const plain = text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    let free = anchor;
    for (let i = 1; anchors.has(free); i++) free = `${anchor}-${i}`;
    anchors.add(free);
  }
  return anchors;
}

/** Targets of links and images, in the order of the page. */
export function linksOf({ prose }: Page): string[] {
  const withoutCode = prose.replace(/`[^`\n]*`/g, '');
  return [...withoutCode.matchAll(/\]\(\s*([^)\s]+)[^)]*\)/g)].map(([, target = '']) => target);
}

/** What stands in back-ticks. */
export function codeWordsOf(prose: string): string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);
}
