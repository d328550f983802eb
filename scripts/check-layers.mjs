// Keeps the one-way order of native/src where the compiler cannot: relative includes, and third-party
// headers outside the one layer that may see them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');

/** A layer, and the layers whose headers it may include. */
const allowed = {
  wire: ['wire'],
  protocol: ['protocol', 'wire'],
  engine: ['engine', 'protocol', 'wire'],
  addon: ['addon', 'engine', 'wire'],
};

const problems = [];
for (const [layer, layers] of Object.entries(allowed)) {
  const folder = path.join(root, 'native/src', layer);
  for (const name of readdirSync(folder).filter((file) => /\.(cpp|h)$/.test(file))) {
    const lines = readFileSync(path.join(folder, name), 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      const where = `native/src/${layer}/${name}:${index + 1}`;
      const own = /^\s*#\s*include\s+"([^"]+)"/.exec(line)?.[1];
      if (own && own !== 'ohws_lws_patches.h' && !layers.includes(own.split('/')[0])) {
        problems.push(`${where}: ${layer} may include ${layers.join(', ')}, not "${own}"`);
      }
      const other = /^\s*#\s*include\s+[<"]([^>"]+)[>"]/.exec(line)?.[1] ?? '';
      if (/^(libwebsockets|lws|ohws_lws|openssl\/)/.test(other) && layer !== 'engine') {
        problems.push(`${where}: ${other} belongs to the engine`);
      }
      if (/^zlib/.test(other) && `${layer}/${name}` !== 'protocol/deflate_codec.cpp') {
        problems.push(`${where}: ${other} belongs to protocol/deflate_codec.cpp`);
      }
      if (
        /^(napi|node_api|js_native_api)/.test(other) &&
        `${layer}/${name}` !== 'addon/napi_setup.h'
      ) {
        problems.push(`${where}: ${other} is included through addon/napi_setup.h`);
      }
    }
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
