/**
 * The pages keep up with the types: every export of the package is named in them, every method, option and
 * event in a section about its type, with the codes and the default that its doc comment has; every code in
 * `docs/errors.md`. And tables of options name nothing that the types do not have.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { errorTable } from '../../lib/errors.js';
import { codeWordsOf, pageNames, readPage, root } from './markdown.js';
import { type Entry, surfaceOf } from './surface.js';

/** A heading with its text up to the next one. */
interface Section {
  readonly heading: string;
  readonly text: string;
}

function sectionsOf(name: string): Section[] {
  return readPage(name)
    .prose.split(/^#+ /m)
    .map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      return { heading, text: lines.join('\n') };
    });
}

/** Every word in back-ticks, piece by piece: `connect(url)` names `connect` and `url`. */
function wordsOf(text: string): Set<string> {
  return new Set(codeWordsOf(text).flatMap((word) => word.match(/[\w]+/g) ?? []));
}

/** Rows of the tables whose first column has this title. */
function rowsOf(text: string, title: string): string[] {
  const tables = text.split('\n\n').filter((part) => part.startsWith(`| ${title} |`));
  return tables.flatMap((table) => table.split('\n').slice(2));
}

const firstColumn = (row: string) => row.split('|')[1] ?? '';

/** What a table has of a name, in all its rows. */
function rowsAbout(text: string, title: string, name: string): string[] {
  return rowsOf(text, title).filter((row) => wordsOf(firstColumn(row)).has(name));
}

const pages = pageNames().filter((name) => name.startsWith('docs/'));
const sections = pages.flatMap(sectionsOf);
const prose = pages.map((name) => readPage(name).prose).join('\n');
const allWords = wordsOf(prose);

/** What is said about a type: under headings that name it, or else wherever it is named. */
function textAbout(name: string): string {
  const headed = sections.filter(({ heading }) => codeWordsOf(heading).includes(name));
  const found = headed.length > 0 ? headed : sections.filter(({ text }) => wordsOf(text).has(name));
  return found.map(({ heading, text }) => `${heading}\n${text}`).join('\n\n');
}

/** Entries with a page of their own; the rest is about all pages. */
const homes: Partial<Record<Entry, string>> = {
  w3c: 'docs/w3c.md',
  prometheus: 'docs/metrics.md',
  cluster: 'docs/cluster.md',
};

// The netstack profile has the types of the documented one, and one function more.
const surfaces = (['index', 'parity', 'w3c', 'prometheus', 'cluster'] satisfies Entry[]).map(
  (entry) => ({ entry, home: homes[entry], surface: surfaceOf(entry) }),
);

it.each(surfaces)('every export of `$entry` is named', ({ home, surface }) => {
  expect(surface.length).toBeGreaterThan(0);
  const words = home === undefined ? allWords : wordsOf(readPage(home).prose);
  expect(surface.map(({ name }) => name).filter((name) => !words.has(name))).toEqual([]);
});

const types = surfaces.flatMap(({ home, surface }) =>
  surface
    .filter(({ members }) => members.length > 0)
    .map((type) => ({
      ...type,
      text: home === undefined ? textAbout(type.name) : readPage(home).prose,
      hasPage: home !== undefined,
    })),
);

/** What is wrong, over all types and their members. */
function findings(
  find: (type: (typeof types)[number]) => readonly (string | readonly string[])[],
): string[] {
  expect(types.length).toBeGreaterThan(40);
  return types.flatMap((type) => find(type).map((what) => [type.name, what].flat().join(' ')));
}

describe('what is said about each type', () => {
  it('has all of its members', () => {
    const missing = findings(({ members, text }) => {
      const words = wordsOf(text);
      return members.map(({ name }) => name).filter((name) => !words.has(name));
    });
    expect(missing).toEqual([]);
  });

  it('has a table with all of its events', () => {
    const missing = findings(({ events, text }) =>
      events.filter((event) => rowsAbout(text, 'event', event).length === 0),
    );
    expect(missing).toEqual([]);
  });

  it('has no table with other options', () => {
    const unknown = findings(({ members, text, hasPage }) => {
      if (hasPage) return [];
      const options = rowsOf(text, 'option').flatMap((row) => codeWordsOf(firstColumn(row)));
      return options.filter((option) => !members.some(({ name }) => name === option));
    });
    expect(unknown).toEqual([]);
  });

  it('has the codes of its methods', () => {
    const missing = findings(({ members, text }) =>
      members.flatMap(({ name, codes }) => {
        const rows = rowsAbout(text, 'method', name).join('\n');
        return codes.filter((code) => !rows.includes(code)).map((code) => [name, code]);
      }),
    );
    expect(missing).toEqual([]);
  });

  it('has the defaults of its options', () => {
    const wrong = findings(({ members, text }) =>
      members.flatMap(({ name, fallback = '' }) => {
        const rows = rowsAbout(text, 'option', name);
        return rows.every((row) => row.includes(fallback)) ? [] : [[name, fallback]];
      }),
    );
    expect(wrong).toEqual([]);
  });
});

it('the words that options take are named', () => {
  const words = surfaces.flatMap(({ surface }) => surface.flatMap(({ literals }) => literals));
  expect(words.length).toBeGreaterThan(10);
  expect(words.filter((word) => !prose.includes(word))).toEqual([]);
});

it('the limits are in the page of limits', () => {
  const words = wordsOf(readPage('docs/limits.md').prose);
  const limits = types.filter(({ name }) => /^WebSocket(Server)?Limits$/.test(name));
  const names = limits.flatMap(({ members }) => members.map(({ name }) => name));
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !words.has(name))).toEqual([]);
});

it('the entries of the package are in the page of the API', () => {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const named = rowsOf(readPage('docs/api.md').prose, '`import … from`');
  const names = named.flatMap((row) => codeWordsOf(firstColumn(row)));
  const entries = Object.keys(exports).map((entry) => entry.replace(/^\./, 'ohos-websocket'));
  expect(names.sort()).toEqual(entries.filter((entry) => !entry.endsWith('.json')).sort());
});

describe('the page of errors', () => {
  const text = readPage('docs/errors.md').prose;

  it('has codes and texts', () => {
    const rows = Object.values(errorTable).map(
      ({ code, text: words }) => `| ${code} | \`${words}\` |`,
    );
    expect(rows.filter((row) => !text.includes(row))).toEqual([]);
  });

  it('says which methods each code comes from', () => {
    const rows = rowsOf(text, 'code');
    const methods = types.filter(({ name }) => /^WebSocket(Server)?$/.test(name));
    const missing = methods.flatMap(({ members }) =>
      members.flatMap(({ name, codes }) =>
        codes
          .filter((code) => {
            const ofCode = rows.filter((row) => firstColumn(row).trim() === code.replace('−', '-'));
            const from = ofCode.map((row) => row.split('|')[3] ?? '').join();
            return !wordsOf(from).has(name) && !from.includes('every method');
          })
          .map((code) => `${code} from ${name}`),
      ),
    );
    expect(missing).toEqual([]);
  });
});

it.each(['README.md', 'README.zh-CN.md'])('%s has every code', (name) => {
  const text = readPage(name).prose;
  const codes = Object.values(errorTable).map(({ code }) => `${code}`.replace('-', '−'));
  expect(codes.filter((code) => !new RegExp(`^\\|[^|]*${code}`, 'm').test(text))).toEqual([]);
});

/** The strings of a union type that is not exported by an entry. */
function unionOf(file: string, type: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found = source.statements.find(
    (statement) => ts.isTypeAliasDeclaration(statement) && statement.name.text === type,
  );
  return [...(found?.getText(source) ?? '').matchAll(/\| '(\w+)'/g)].map(([, word = '']) => word);
}

it('phases and warnings are in the page of errors', () => {
  const words = wordsOf(readPage('docs/errors.md').prose);
  const phases = [...unionOf('lib/transport.ts', 'Phase'), 'arguments', 'files', 'state'];
  expect(phases.length).toBeGreaterThan(5);
  const sources = ts.sys.readDirectory(path.join(root, 'lib'), ['.ts', '.mts']);
  const texts = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
  const warnings = new Set(texts.match(/(?<=')OHWS_UNMENDED_\w+(?=')/g));
  expect(warnings.size).toBeGreaterThan(0);
  expect([...phases, ...warnings].filter((name) => !words.has(name))).toEqual([]);
});

it('every code of the cluster is in its page', () => {
  const codes = unionOf('lib/cluster/errors.ts', 'ClusterErrorCode');
  expect(codes.length).toBeGreaterThan(5);
  const words = wordsOf(readPage('docs/cluster.md').prose);
  expect(codes.filter((code) => !words.has(code))).toEqual([]);
});
