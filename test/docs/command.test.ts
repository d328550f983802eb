/** `docs/command.md` has the options of every command, word for word as `--help` prints them. */

import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { run } from '../cli/program.js';
import { PATIENT } from '../helpers/deadline.js';
import { readPage } from './markdown.js';

const folder = new URL('../../bin/commands/', import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(/\.mjs$/, ''));
const { fences, headings } = readPage('docs/command.md');

it('the page has every command', () => {
  const sections = headings.filter(({ level }) => level === 2).map(({ text }) => text);
  expect(sections.toSorted()).toEqual(names.map((name) => `\`${name}\``).toSorted());
});

it.each(names)('%s', PATIENT, (name) => {
  const shown = fences.map(({ code }) => code);
  expect(shown).toContain(`${run(name, '--help').stdout.trim()}\n`);
});
