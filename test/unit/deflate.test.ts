/** The option `permessageDeflate`: defaults, ranges, refusals, and who looks at it. */

import { describe, expect, it } from 'vitest';
import { type DeflateName, deflateTable, readDeflate } from '../../lib/deflate.js';
import { readOptions } from '../../lib/options.js';
import { documented, netstack } from '../../lib/profile.js';
import { readServerConfig } from '../../lib/server-options.js';

const DEFAULTS = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: 0,
  clientNoContextTakeover: 0,
  level: 6,
  memLevel: 8,
  threshold: 1024,
};

describe('permessageDeflate', () => {
  it('is off without a value', () => {
    expect(readDeflate(undefined)).toBeUndefined();
    expect(readDeflate(false)).toBeUndefined();
  });

  it('has all defaults for true and for an empty object', () => {
    expect(readDeflate(true)).toEqual(DEFAULTS);
    expect(readDeflate({})).toEqual(DEFAULTS);
    expect(readDeflate({ level: undefined })).toEqual(DEFAULTS);
  });

  it('takes every value up to its ends, and none beyond', () => {
    for (const [name, row] of Object.entries(deflateTable)) {
      const read = (value: unknown) => readDeflate({ [name]: value });
      const with_ = (value: number) => ({ ...DEFAULTS, [name]: value });
      if (!('least' in row)) {
        expect(read(true)).toEqual(with_(1));
        expect(read(false)).toEqual(with_(0));
        expect(read(1)).toBe(
          `expected a boolean for permessageDeflate.${name as DeflateName}, received 1`,
        );
        continue;
      }
      expect(read(row.least)).toEqual(with_(row.least));
      expect(read(row.most)).toEqual(with_(row.most));
      for (const wrong of [
        row.least - 1,
        row.most + 1,
        row.least + 0.5,
        Number.NaN,
        `${row.most}`,
      ]) {
        expect(read(wrong)).toMatch(`expected an integer of ${row.least}–${row.most} for`);
      }
    }
  });

  it.each([
    ['yes', 'expected a boolean or an object for permessageDeflate, received a string'],
    [1, 'expected a boolean or an object for permessageDeflate, received 1'],
    [null, 'expected a boolean or an object for permessageDeflate, received null'],
    [{ Level: 1 }, 'permessageDeflate.Level is no such option'],
    [{ toString: 1 }, 'permessageDeflate.toString is no such option'],
  ])('refuses %j', (given, reason) => {
    expect(readDeflate(given)).toBe(reason);
    expect(readOptions({ permessageDeflate: given }, documented)).toBe(reason);
    const config = { serverPort: 0, permessageDeflate: given };
    expect(readServerConfig(config, documented, () => false)).toMatchObject({
      code: 401,
      cause: { detail: reason },
    });
  });

  it('goes to the engine from both sides', () => {
    const permessageDeflate = { level: 1 };
    const deflate = { ...DEFAULTS, level: 1 };
    expect(readOptions({ permessageDeflate }, documented)).toMatchObject({ deflate });
    expect(readServerConfig({ permessageDeflate }, documented, () => false)).toMatchObject({
      deflate,
    });
  });

  it('is nothing to the netstack profile', () => {
    for (const permessageDeflate of [true, 'yes']) {
      expect(readOptions({ permessageDeflate }, netstack)).toMatchObject({ deflate: undefined });
      expect(readServerConfig({ permessageDeflate }, netstack, () => false)).toMatchObject({
        deflate: undefined,
      });
    }
  });
});
