/** The platform's modules that this package stands in for, and the files that do. */

import path from 'node:path';
import { pathToFileURL } from 'node:url';

const files: ReadonlyMap<string, string> = new Map([
  ['@kit.NetworkKit', 'network-kit'],
  ['@kit.BasicServicesKit', 'basic-services-kit'],
  ['@ohos.net.webSocket', 'net-web-socket'],
  ['@ohos.base', 'basic-services-kit'],
]);

/** What to load for a module of the platform with `require`; undefined for any other module. */
export function requiredFile(specifier: string): string | undefined {
  const name = files.get(specifier);
  return name && path.join(__dirname, `${name}.js`);
}

/** The same for `import`. */
export function importedUrl(specifier: string): string | undefined {
  const name = files.get(specifier);
  return name && pathToFileURL(path.join(__dirname, `${name}.mjs`)).href;
}
