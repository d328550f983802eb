/**
 * The pages name what the types have: every option, method and event in `docs/api.md` (under a heading that
 * names its interface) or, of the cluster, in `docs/cluster.md`; every code in `docs/errors.md`. And tables of
 * options name nothing that the types do not have.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { errorTable } from '../../lib/errors.js';
import { codeWordsOf, readPage, root } from './markdown.js';

interface Shape {
  readonly name: string;
  readonly members: readonly string[];
  readonly events: readonly string[];
}

function parse(file: string): ts.SourceFile {
  const text = readFileSync(path.join(root, file), 'utf8');
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
}

/** The exported interfaces of a file; of `on(type: 'x', …)` the `x` are events. */
function shapesOf(file: string): Shape[] {
  const interfaces = parse(file).statements.filter(ts.isInterfaceDeclaration);
  const exported = interfaces.filter(({ modifiers }) =>
    modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
  );
  return exported.map(({ name, members }) => {
    const events = members.flatMap((member) => {
      if (!ts.isMethodSignature(member) || nameOf(member) !== 'on') return [];
      const type = member.parameters[0]?.type;
      const isText = type && ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal);
      return isText ? [(type.literal as ts.StringLiteral).text] : [];
    });
    return {
      name: name.text,
      members: [...new Set(members.flatMap((member) => nameOf(member) ?? []))],
      events: [...new Set(events)],
    };
  });
}

function nameOf({ name }: ts.TypeElement): string | undefined {
  return name && ts.isIdentifier(name) ? name.text : undefined;
}

/** The strings of a union type. */
function unionOf(file: string, type: string): string[] {
  const found = parse(file).statements.find(
    (statement) => ts.isTypeAliasDeclaration(statement) && statement.name.text === type,
  );
  return [...(found?.getText(parse(file)) ?? '').matchAll(/\| '(\w+)'/g)].map(
    ([, code = '']) => code,
  );
}

/** Of each heading: its text, and its section up to the next one. */
function sectionsOf(name: string): { heading: string; text: string }[] {
  const { prose } = readPage(name);
  return prose.split(/^#+ /m).map((part) => {
    const [heading = '', ...lines] = part.split('\n');
    return { heading, text: lines.join('\n') };
  });
}

/** Every word in back-ticks, piece by piece: `connect(url)` names `connect` and `url`. */
function wordsOf(text: string): Set<string> {
  return new Set(codeWordsOf(text).flatMap((word) => word.match(/[\w]+/g) ?? []));
}

/** Names in the first column of tables of options; the others are of methods and events. */
function optionsOf(text: string): string[] {
  const tables = text.split('\n\n').filter((part) => part.startsWith('| option |'));
  const rows = tables.flatMap((table) => table.split('\n').slice(2));
  return rows.flatMap((row) => codeWordsOf(row.split('|')[1] ?? ''));
}

const api = sectionsOf('docs/api.md');
const files = [
  'types',
  'client-types',
  'server-types',
  'server-stats',
  'messages',
  'settings',
  'versions',
  'w3c/init',
];
/** What `w3c/init` has for itself. */
const internal = ['ReadInit'];
const shapes = files.flatMap((file) => shapesOf(`lib/${file}.ts`));

describe.each(shapes.filter(({ name }) => !internal.includes(name)))('$name', (shape) => {
  const sections = api.filter(({ heading }) => codeWordsOf(heading).includes(shape.name));
  const text = sections.map((section) => section.text).join('\n\n');

  it('has a section that names all of it', () => {
    expect(sections, `headings of docs/api.md with \`${shape.name}\``).not.toEqual([]);
    const words = wordsOf(text);
    const missing = [...shape.members, ...shape.events].filter((name) => !words.has(name));
    expect(missing).toEqual([]);
  });

  it('has no table with other options', () => {
    expect(optionsOf(text).filter((name) => !shape.members.includes(name))).toEqual([]);
  });
});

it('the limits are in the page of limits', () => {
  const words = wordsOf(readPage('docs/limits.md').prose);
  const limits = shapes.filter(({ name }) => name.endsWith('Limits'));
  expect(limits).toHaveLength(2);
  const names = limits.flatMap(({ members }) => members);
  expect(names.filter((name) => !words.has(name))).toEqual([]);
});

it('codes and texts are in the page of errors', () => {
  const { prose } = readPage('docs/errors.md');
  const rows = Object.values(errorTable).map(({ code, text }) => `| ${code} | \`${text}\` |`);
  expect(rows.filter((row) => !prose.includes(row))).toEqual([]);
});

it.each(['README.md', 'README.zh-CN.md'])('%s has every code', (name) => {
  const { prose } = readPage(name);
  const codes = Object.values(errorTable).map(({ code }) => `${code}`.replace('-', '−'));
  expect(codes.filter((code) => !new RegExp(`^\\|[^|]*${code}`, 'm').test(prose))).toEqual([]);
});

it('phases and warnings are in the page of errors', () => {
  const words = wordsOf(readPage('docs/errors.md').prose);
  const phases = [...unionOf('lib/transport.ts', 'Phase'), 'arguments', 'files', 'state'];
  const sources = ts.sys.readDirectory(path.join(root, 'lib'), ['.ts', '.mts']);
  const texts = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
  const warnings = new Set(texts.match(/(?<=')OHWS_UNMENDED_\w+(?=')/g));
  expect(warnings.size).toBeGreaterThan(0);
  expect([...phases, ...warnings].filter((name) => !words.has(name))).toEqual([]);
});

describe('the cluster', () => {
  const words = wordsOf(readPage('docs/cluster.md').prose);

  it('has a page with every option, event, counter and method', () => {
    const names = [
      ...shapesOf('lib/cluster/types.ts').flatMap(({ members }) => members),
      ...unionOf('lib/cluster/types.ts', 'ClusterState'),
    ];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });

  it('has a page with every code', () => {
    const codes = unionOf('lib/cluster/errors.ts', 'ClusterErrorCode');
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !words.has(code))).toEqual([]);
  });
});
