/**
 * The option `permessageDeflate` of both sides: the one table that its checks and defaults are made
 * from. The engine is given every value.
 */

import type { PermessageDeflateOptions } from './types.js';
import { isObject, mismatch } from './validate.js';

/** What the engine takes; flags are 0 or 1. */
export type DeflateConfig = Readonly<Record<DeflateName, number>>;

export type DeflateName = keyof PermessageDeflateOptions;

interface IntegerRow {
  readonly default: number;
  readonly least: number;
  readonly most: number;
}

/** A row that says only what the default is has a flag. */
export const deflateTable: Readonly<Record<DeflateName, IntegerRow | { default: boolean }>> = {
  serverMaxWindowBits: { default: 15, least: 8, most: 15 },
  clientMaxWindowBits: { default: 15, least: 8, most: 15 },
  serverNoContextTakeover: { default: false },
  clientNoContextTakeover: { default: false },
  level: { default: 6, least: 0, most: 9 },
  memLevel: { default: 8, least: 1, most: 9 },
  threshold: { default: 1024, least: 0, most: 0xffff_ffff },
};

/**
 * Reads the option; undefined switches compression off. A string returned is the reason for a 401.
 */
export function readDeflate(given: unknown): DeflateConfig | undefined | string {
  if (given === undefined || given === false) return undefined;
  if (given !== true && !isObject(given)) {
    return mismatch('permessageDeflate', 'a boolean or an object', given);
  }
  const config: Record<string, number> = Object.fromEntries(
    Object.entries(deflateTable).map(([name, row]) => [name, Number(row.default)]),
  );
  for (const [name, value] of given === true ? [] : Object.entries(given)) {
    const row = Object.hasOwn(deflateTable, name) ? deflateTable[name as DeflateName] : undefined;
    if (row === undefined) return `permessageDeflate.${name} is no such option`;
    if (value === undefined) continue;
    if (!isOf(row, value)) return mismatch(`permessageDeflate.${name}`, wording(row), value);
    config[name] = Number(value);
  }
  return config as DeflateConfig;
}

function isOf(row: IntegerRow | { default: boolean }, value: unknown): boolean {
  if (!('least' in row)) return typeof value === 'boolean';
  return Number.isInteger(value) && Number(value) >= row.least && Number(value) <= row.most;
}

function wording(row: IntegerRow | { default: boolean }): string {
  return 'least' in row ? `an integer of ${row.least}–${row.most}` : 'a boolean';
}
