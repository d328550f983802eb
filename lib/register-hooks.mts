// Resolves `import` on the thread that Node runs such hooks on; `register.ts` starts it.

import type { ResolveHook } from 'node:module';
import { importedUrl } from './kits/modules.js';

export const resolve: ResolveHook = (specifier, context, next) => {
  const url = importedUrl(specifier);
  return url === undefined
    ? next(specifier, context)
    : { url, format: 'module', shortCircuit: true };
};
