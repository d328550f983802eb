// Checks the C++ formatting, or with --write corrects it. (TypeScript and JavaScript: `biome`.)
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const folders = [
  'native/src',
  'test/native',
  'test/fuzz',
  'bench/load',
  'bench/clients',
  'bench/servers',
];

function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return sources(full);
    return /\.(cpp|h)$/.test(entry.name) ? [full] : [];
  });
}

/** The program from the npm package; where that has none for the platform, the one on the PATH. */
function clangFormat() {
  const bundled = createRequire(import.meta.url)('clang-format').getNativeBinary();
  if (spawnSync(bundled, ['--version']).status === 0) return bundled;
  return 'clang-format';
}

const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const files = folders.flatMap((folder) => sources(path.join(root, folder)));
const { status, error } = spawnSync(clangFormat(), [...mode, ...files], { stdio: 'inherit' });
if (error) process.stderr.write(`clang-format: ${error.message}\n`);
process.exitCode = status ?? 1;
