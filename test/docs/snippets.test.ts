/** The snippets of the pages run, and their types are right. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { VERY_PATIENT } from '../helpers/deadline.js';
import { pageNames, readPage } from './markdown.js';
import { programOf } from './programs.js';
import { isProgram, testSnippets } from './snippets.js';
import { makeProject } from './surroundings.js';

/** Pages whose snippets need a program of their own, and so have a test of their own. */
const elsewhere = ['docs/cluster.md'];

/** Its code is that of `README.md`; `translation.test.ts` sees to it. */
const translation = 'README.zh-CN.md';

const withPrograms = pageNames().filter(
  (name) => name !== translation && readPage(name).fences.some(isProgram),
);

testSnippets(withPrograms.filter((name) => !elsewhere.includes(name)));

describe('types', VERY_PATIENT, () => {
  it('every snippet compiles', () => {
    const project = makeProject();
    try {
      const files = withPrograms.flatMap((page) => {
        return readPage(page)
          .fences.filter(isProgram)
          .map((fence) => {
            const folder = path.join(project.folder, page);
            mkdirSync(folder, { recursive: true });
            const file = path.join(folder, `line-${fence.line}.m${fence.language}`);
            writeFileSync(file, programOf(fence));
            return file;
          });
      });
      const program = ts.createProgram(files, {
        ...{ allowJs: true, checkJs: true, noEmit: true, strict: true, noImplicitAny: false },
        ...{ target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, skipLibCheck: true },
        ...{ moduleResolution: ts.ModuleResolutionKind.NodeNext, types: ['node'] },
        typeRoots: [path.join(project.folder, 'node_modules/@types')],
      });
      const found = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
        const { line } = file?.getLineAndCharacterOfPosition(start) ?? { line: 0 };
        const name = path.relative(project.folder, file?.fileName ?? '');
        const code = file?.text.split('\n')[line] ?? '';
        return `${name}: ${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      });
      expect(found).toEqual([]);
    } finally {
      project.remove();
    }
  });
});
