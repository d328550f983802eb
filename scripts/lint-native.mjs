// clang-tidy, and Clang's analysis of which thread holds which mutex, over native/src: `npm run lint:native [FILE...]`.
// What is looked for is in .clang-tidy.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const folder = path.join(root, 'build');
const layers = ['wire', 'protocol', 'engine', 'addon'];

function fail(text) {
  process.stderr.write(`lint:native: ${text}\n`);
  process.exit(1);
}

if (spawnSync('clang-tidy', ['--version']).status !== 0) {
  fail('this machine lacks clang-tidy (Debian, Ubuntu: apt-get install clang-tidy)');
}
// The commands that the sources are compiled with come from the build.
const built = spawnSync(process.execPath, ['scripts/build.mjs', 'native'], {
  cwd: root,
  stdio: 'inherit',
});
if (built.status !== 0) fail('there is no build to look at');

const given = process.argv.slice(2);
const sources = layers.flatMap((layer) =>
  readdirSync(path.join(root, 'native/src', layer))
    // Those for Windows have no command here to be compiled with.
    .filter((name) => name.endsWith('.cpp') && !name.endsWith('_windows.cpp'))
    .map((name) => path.join('native/src', layer, name)),
);
const waiting = given.length > 0 ? given : sources;

/** What clang-tidy says of one file; nothing if that is nothing. */
function check(file) {
  return new Promise((resolve) => {
    const args = ['-p', folder, '--quiet', '--extra-arg=-Wthread-safety', file];
    const tidy = spawn('clang-tidy', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let noise = '';
    tidy.stdout.on('data', (data) => (said += data));
    // "N warnings generated", for headers of others; an error of its own only with a status.
    tidy.stderr.on('data', (data) => (noise += data));
    tidy.on('close', (status) => resolve(said + (status === 0 || said !== '' ? '' : noise)));
  });
}

let found = 0;
const work = async () => {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const said = await check(file);
    if (said === '') continue;
    found += 1;
    process.stdout.write(said);
  }
};
const count = waiting.length;
await Promise.all(Array.from({ length: availableParallelism() }, work));
process.stdout.write(`${count} files looked at, something found in ${found}\n`);
process.exitCode = found > 0 ? 1 : 0;
