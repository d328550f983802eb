/** Runs the snippets of pages; `programs.ts` has the convention. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../helpers/child.js';
import { PATIENT } from '../helpers/deadline.js';
import { freePort } from '../helpers/free-port.js';
import { type Fence, readPage } from './markdown.js';
import { programOf, withoutTypes } from './programs.js';
import { makeProject, type Project, startEcho } from './surroundings.js';

/** What a piece of text in a snippet stands for, given as a function that starts it and tells its place. */
export type StandIns = Readonly<
  Record<string, (project: Project, code: string) => Promise<string>>
>;

const serves = (code: string, port: string) =>
  new RegExp(`(?:[pP]ort:|listen\\() ?${port}\\b`).test(code);

const standIns: StandIns = {
  '8080': async (_project, code) =>
    `${serves(code, '8080') ? await freePort() : await startEcho()}`,
  '8443': async ({ certificates }, code) =>
    `${serves(code, '8443') ? await freePort() : await startEcho(certificates)}`,
};

/** A test for each snippet of these pages. */
export function testSnippets(pages: readonly string[], more: StandIns = {}): void {
  let project: Project;
  beforeAll(() => {
    project = makeProject();
  });
  afterAll(() => project?.remove());

  describe.each(pages)('%s', PATIENT, (name) => {
    const fences = readPage(name).fences.filter(isProgram);
    it.each(fences)('$language of line $line', async (fence) => {
      const output = await run(fence, project, { ...standIns, ...more });
      let rest = output;
      for (const line of linesOf(fence.hidden.prints)) {
        expect(rest, output).toContain(line);
        rest = rest.slice(rest.indexOf(line) + line.length);
      }
    });
  });
}

export function isProgram({ language }: Fence): boolean {
  return ['js', 'ts'].includes(language);
}

function linesOf(text = ''): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Runs a snippet to its end, or until it has printed what it should; gives what it has printed. */
async function run(fence: Fence, project: Project, stand: StandIns): Promise<string> {
  let program = programOf(fence);
  for (const [text, start] of Object.entries(stand)) {
    if (program.includes(text)) program = program.replaceAll(text, await start(project, program));
  }
  const code = fence.language === 'ts' ? withoutTypes(program) : program;
  const file = path.join(project.folder, `line-${fence.line}.mjs`);
  writeFileSync(file, code);
  const child = new Child(pathToFileURL(file), { cwd: project.folder });
  const prints = linesOf(fence.hidden.prints);
  if (prints.length > 0) {
    const all = prints.map((line) => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^]*');
    const [printed] = await child.printed(new RegExp(`[^]*${all}`));
    child.kill('SIGKILL');
    await child.ended();
    return printed;
  }
  return (await child.exits()).stdout;
}
