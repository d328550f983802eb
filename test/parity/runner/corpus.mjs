// @ts-check
/**
 * Reads the case files and tells which cases a profile selects.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @import { Case, Corpus, Profile } from './format.js' */

/** The cases that belong to this runner. */
export const CASES = new URL('../cases/', import.meta.url);

/**
 * All cases of a folder, in the order of the file names.
 *
 * @param {URL} [folder]
 * @returns {Case[]}
 */
export function loadCases(folder = CASES) {
  const path = fileURLToPath(folder);
  const cases = readdirSync(path)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      /** @type {Corpus} */
      const corpus = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
      return corpus.cases;
    });
  const ids = new Set();
  for (const { id } of cases) {
    if (ids.has(id)) throw new Error(`two cases are called ${id}`);
    ids.add(id);
  }
  return cases;
}

/**
 * Whether a case says anything about a profile.
 *
 * @param {Case} testCase
 * @param {Profile} profile
 */
export function holdsFor({ profiles = ['both'] }, profile) {
  return profiles.includes('both') || profiles.includes(profile);
}
