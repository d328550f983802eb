/** What is running, part by part. */

import { binding } from './binding.js';

/** Versions of the parts of the package. *Beyond OHOS.* */
export interface Versions {
  /** This package (its JavaScript). */
  readonly package: string;
  /** The package that the native module was built from; the same unless it was built for itself. */
  readonly addon: string;
  /** libwebsockets, inside of the native module. */
  readonly lws: string;
  /** The OpenSSL in use: the runtime's, or, in Bun, Deno and Electron, the one inside. */
  readonly openssl: string;
}

const { version } = require('../package.json') as { version: string };

/** Versions of the parts of the package. *Beyond OHOS.* */
export const versions: Versions = Object.freeze({
  package: version,
  addon: binding.addonVersion,
  lws: binding.lwsVersion.replace(/-.*/, ''),
  openssl: binding.tlsVersion,
});
