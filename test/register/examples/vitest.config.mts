// The configuration of an application whose tests run here: one alias for all of the platform's
// modules that this package stands in for.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: [{ find: /^@(kit|ohos)\..+$/, replacement: 'ohos-websocket/$&' }],
  },
  test: { include: ['*.spec.ts'], testTimeout: 30_000 },
});
