/** What the package offers, read from its entries by the compiler: names, members, events, codes, defaults. */

import path from 'node:path';
import ts from 'typescript';
import { root } from './markdown.js';

/** A member of an exported type, with what its doc comment promises. */
export interface Member {
  readonly name: string;
  /** Codes behind `Errors:`. */
  readonly codes: readonly string[];
  /** What stands behind `Default`, without back-ticks. */
  readonly fallback: string | undefined;
}

/** An export: a type, with its own members, or a value. */
export interface Export {
  readonly name: string;
  readonly members: readonly Member[];
  /** The `x` of `on(type: 'x', …)`. */
  readonly events: readonly string[];
  /** The strings of a union. */
  readonly literals: readonly string[];
}

/** Entries of the package by their files. */
const entries = ['index', 'parity', 'w3c', 'cluster', 'prometheus'] as const;
export type Entry = (typeof entries)[number];

const configuration = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
);
const fileOf = (entry: Entry) => path.join(root, 'lib', `${entry}.ts`);
const program = ts.createProgram(entries.map(fileOf), { ...configuration.options, noEmit: true });
const checker = program.getTypeChecker();

/** All exports of an entry. */
export function surfaceOf(entry: Entry): Export[] {
  const file = program.getSourceFile(fileOf(entry));
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error(`lib/${entry}.ts is no module`);
  const symbols = checker.getExportsOfModule(module).filter(({ name }) => name !== 'default');
  return symbols.map((symbol) => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const { declarations = [] } = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const members = declarations.flatMap(membersOf).filter((member) => !isHidden(member));
    const names = unique(members.map((member) => member.name?.getText() ?? ''));
    return {
      name: symbol.name,
      members: names.map((name) =>
        memberOf(
          name,
          members.filter((member) => member.name?.getText() === name),
        ),
      ),
      events: unique(members.flatMap(eventOf)),
      literals: declarations.flatMap((declaration) =>
        ts.isTypeAliasDeclaration(declaration) ? literalsOf(declaration.type) : [],
      ),
    };
  });
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

type AnyMember = ts.TypeElement | ts.ClassElement | ts.EnumMember;

function membersOf(declaration: ts.Declaration): AnyMember[] {
  if (ts.isInterfaceDeclaration(declaration)) return [...declaration.members];
  if (ts.isClassDeclaration(declaration)) return [...declaration.members];
  if (ts.isEnumDeclaration(declaration)) return [...declaration.members];
  return [];
}

/** Private, without a name, or for the package itself. */
function isHidden(member: AnyMember): boolean {
  if (member.name === undefined || !ts.isIdentifier(member.name)) return true;
  const isPrivate =
    ts.getCombinedModifierFlags(member as ts.Declaration) & ts.ModifierFlags.Private;
  return isPrivate !== 0 || commentOf(member).includes('@internal');
}

function memberOf(name: string, same: readonly AnyMember[]): Member {
  const comment = same.map(commentOf).join('\n').replaceAll(/\s+/g, ' ');
  const promised = /\bErrors?(?:, in this order)?: (.*)/.exec(comment)?.[1] ?? '';
  return {
    name,
    codes: unique(promised.match(/(?<![\d,])(?:−1|[24]01|2302\d{3})(?!\d|,\d)/g) ?? []),
    fallback: /\bDefault:? (?:`([^`]*)`|([\d,]+(?: [KM]iB)?|Infinity))/
      .exec(comment)
      ?.slice(1)
      .find((text) => text !== undefined),
  };
}

function commentOf(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .map((comment) => comment.getText().replaceAll(/^\s*\* ?/gm, ''))
    .join('\n');
}

function eventOf(member: AnyMember): string[] {
  if (!ts.isMethodSignature(member) || member.name.getText() !== 'on') return [];
  const type = member.parameters[0]?.type;
  return type === undefined ? [] : literalsOf(type);
}

function literalsOf(type: ts.TypeNode): string[] {
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(literalsOf);
  return ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? [type.literal.text] : [];
}
