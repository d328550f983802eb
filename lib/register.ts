/**
 * `ohos-websocket/register`, for `node --import` and `node --require`: from now on the platform's
 * modules lead to this package, for `import` and `require` alike, so that application code runs
 * unchanged.
 *
 * Newer versions of Node have one hook for both. Before that, `import` is resolved on a thread of
 * its own (`register-hooks.mts`), and `require` by replacing the loader's own function.
 */

import * as nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { importedUrl, requiredFile } from './kits/modules.js';
import { profileVariable } from './kits/profile-variable.js';

interface Resolved {
  readonly url: string;
  readonly format?: string;
  readonly shortCircuit?: boolean;
}

interface ResolveContext {
  readonly conditions: Iterable<string>;
}

/** Since Node 22.15 and 23.5; the types are those of Node 20. */
interface SyncHooks {
  registerHooks?(hooks: {
    resolve(
      specifier: string,
      context: ResolveContext,
      next: (specifier: string, context: ResolveContext) => Resolved,
    ): Resolved;
  }): unknown;
}

/** The function that every `require` asks; not documented, but what hooks have always replaced. */
interface RequireLoader {
  _resolveFilename(request: string, ...rest: unknown[]): string;
}

// A mistake in the variable is told now, not by the first import.
profileVariable();

const { registerHooks } = nodeModule as SyncHooks;
if (registerHooks !== undefined) {
  registerHooks({
    resolve: (specifier, context, next) =>
      resolvedSpecifier(specifier, context) ?? next(specifier, context),
  });
} else {
  registerBoth();
}

function resolvedSpecifier(
  specifier: string,
  { conditions }: ResolveContext,
): Resolved | undefined {
  if ([...conditions].includes('require')) {
    const file = requiredFile(specifier);
    return file === undefined
      ? undefined
      : { url: pathToFileURL(file).href, format: 'commonjs', shortCircuit: true };
  }
  const url = importedUrl(specifier);
  return url === undefined ? undefined : { url, format: 'module', shortCircuit: true };
}

function registerBoth(): void {
  if (typeof nodeModule.register !== 'function') {
    throw new Error('ohos-websocket/register needs Node.js 20.6 or later');
  }
  nodeModule.register('./register-hooks.mjs', pathToFileURL(__filename));
  const loader = nodeModule.Module as unknown as RequireLoader;
  const original = loader._resolveFilename;
  loader._resolveFilename = function resolveFilename(request, ...rest) {
    return requiredFile(request) ?? Reflect.apply(original, this, [request, ...rest]);
  };
}
