import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// With OHWS_PRELOAD (scripts/test.mjs sets it for sanitizer runs) the workers, and only they, start
// under the sanitizer's runtime library.
if (process.env['OHWS_PRELOAD']) process.env['LD_PRELOAD'] = process.env['OHWS_PRELOAD'];

// Tests talk to loopback, whatever proxy the machine is set up for.
for (const name of Object.keys(process.env)) {
  if (/^(https?|all|no)_proxy$/i.test(name)) delete process.env[name];
}

const slowness = process.env['OHWS_PRELOAD'] ? 6 : 1;

export default defineConfig({
  test: {
    pool: 'forks',
    // Most tests wait for deadlines, so more of them run at a time than there are cores for.
    maxWorkers: Math.max(3, availableParallelism()),
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000 * slowness,
    hookTimeout: 20_000 * slowness,
    retry: 0,
    // The package imports itself by name and is loaded as Node loads it: dist, untransformed.
    server: { deps: { external: [/\/dist\//] } },
  },
});
