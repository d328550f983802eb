/** The exclusion list of a proxy (§2.2.4, C19). */

import { describe, expect, it } from 'vitest';
import { documented, netstack } from '../../lib/profile.js';
import { isExcluded } from '../../lib/proxy.js';

describe('an exclusion', () => {
  it.each([
    ['target.example', 'target.example', true, true],
    ['target.example', ' target.example ', true, true],
    ['target.example', '*', true, true],
    ['target.example', 'target.*', true, true],
    ['target.example', '*.example', true, true],
    ['target.example', 't*t.ex*e', true, true],
    ['target.example', 'TARGET.EXAMPLE', true, false],
    ['target.example', 'example', true, false],
    ['target.example', '.example', true, false],
    ['target.example', 'get.example', false, false],
    ['target.example', 'target', false, false],
    ['target.example', 'target.exampl', false, false],
    ['targetxexample', 'target.example', false, false],
    ['target.example', '', false, false],
    ['target.example', '(target|x).example', false, false],
    ['10.0.0.1', '10.0.0.1', true, true],
    ['10.0.0.1', '10.0.*', true, true],
    ['110.0.0.1', '10.0.0.1', false, false],
    ['::1', '*', true, true],
  ])('of %s by %j: %s, in netstack %s', (hostname, entry, here, there) => {
    const proxy = { host: 'p', port: 1, exclusions: ['other', entry] };
    expect(isExcluded(hostname, proxy, documented)).toBe(here);
    expect(isExcluded(hostname, proxy, netstack)).toBe(there);
  });
});
