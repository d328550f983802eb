/**
 * Finds and loads the native module, checks that it belongs to this JavaScript, and explains a
 * failure. The only file that touches the `.node`.
 */
import path from 'node:path';
import type * as Binding from '../binding.js';
import { WIRE_VERSION } from './records.js';

export type NativeBinding = typeof Binding;

function explain(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(
    `ohos-websocket has no native module that loads here (${process.platform} ${process.arch}, ` +
      `Node.js ${process.version}): ${reason}. In a checkout, build it with 'npm run build'.`,
    { cause: error },
  );
}

function load(): NativeBinding {
  let binding: NativeBinding;
  try {
    const given = process.env.OHWS_BINDING;
    if (given !== undefined && given !== '') {
      binding = require(path.resolve(given)) as NativeBinding;
    } else {
      const nodeGypBuild = require('node-gyp-build') as (folder: string) => NativeBinding;
      binding = nodeGypBuild(path.join(__dirname, '..'));
    }
  } catch (error) {
    throw explain(error);
  }
  if (binding.wireVersion !== WIRE_VERSION) {
    throw explain(
      `it is of another version (${binding.wireVersion} instead of ${WIRE_VERSION}): build it again`,
    );
  }
  return binding;
}

export const binding: NativeBinding = load();
