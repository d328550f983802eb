/** The Chinese README keeps up with the English one: the same code, headings, tables and links. */

import { describe, expect, it } from 'vitest';
import { linksOf, type Page, readPage } from './markdown.js';

const english = readPage('README.md');
const chinese = readPage('README.zh-CN.md');

/** Each heading's level, and what its section has: tables by their rows, lists by their items. */
function outlineOf({ prose }: Page): string[] {
  return prose.split(/^(?=#+ )/m).map((section) => {
    const level = /^#+/.exec(section)?.[0] ?? '';
    const count = (pattern: RegExp) => section.match(pattern)?.length ?? 0;
    return `${level} ${count(/^\|/gm)} rows, ${count(/^- /gm)} items`;
  });
}

/** The codes that a table begins its rows with. */
function codesOf({ prose }: Page): string[] {
  return [...prose.matchAll(/^\| ([\d−, ]+) \|/gm)].map(([, code = '']) => code);
}

describe('README.zh-CN.md has what README.md has', () => {
  it('the same blocks of code', () => {
    const codeOf = (page: Page) => page.fences.map(({ language, code }) => `${language}\n${code}`);
    expect(codeOf(chinese)).toEqual(codeOf(english));
  });

  it('the same headings, with as many rows and items', () => {
    // What was measured stands in one place.
    const withoutSpeed = (page: Page) => outlineOf(page).filter((_, i) => i !== speedOf(page));
    expect(withoutSpeed(chinese)).toEqual(withoutSpeed(english));
    expect(speedOf(chinese)).toBe(speedOf(english));
  });

  it('the same codes', () => {
    expect(codesOf(chinese)).toEqual(codesOf(english));
  });

  it('the same pages to go on to', () => {
    const pagesOf = (page: Page) => {
      const files = linksOf(page).filter((target) => !target.startsWith('#'));
      return new Set(files.filter((file) => !/^(README|bench\/results)/.test(file)));
    };
    expect(pagesOf(chinese)).toEqual(pagesOf(english));
  });
});

/** Which section is about speed. */
function speedOf({ headings }: Page): number {
  return headings.findIndex(({ text }) => ['Speed', '速度'].includes(text));
}
