// Another commit of ohos-websocket to compare with: built once, in a folder of the user's cache.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { git } from './machine.mjs';
import { CACHE_DIRECTORY, ROOT_DIRECTORY } from './paths.mjs';

/** Tells that a folder holds a whole build; written last. */
const COMPLETE = 'bench-complete';

/**
 * @param {string | undefined} wanted a commit, branch or tag
 * @returns {string} the commit
 * @throws {Error}
 */
export function resolveCommit(wanted) {
  const name = wanted ?? git(['describe', '--tags', '--abbrev=0']) ?? nearest();
  const commit = git(['rev-parse', '--verify', `${name}^{commit}`]);
  if (commit === null) throw new Error(`git knows no commit '${name}'`);
  return commit;
}

/** The commit without what has changed here. */
function nearest() {
  return git(['status', '--porcelain']) === '' ? 'HEAD~1' : 'HEAD';
}

/**
 * @param {string} commit
 * @returns {string} the folder with its build
 * @throws {Error}
 */
export function buildCommit(commit) {
  const folder = `${CACHE_DIRECTORY}/${commit}`;
  if (existsSync(`${folder}/${COMPLETE}`)) return folder;
  console.error(`building commit ${commit.slice(0, 12)} in ${folder}, once`);
  rmSync(folder, { recursive: true, force: true });
  const unpacked = `${folder}.unpacking`;
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  const archive = run('git', ['archive', commit], ROOT_DIRECTORY);
  run('tar', ['-x'], unpacked, archive);
  renameSync(unpacked, folder);
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  run(process.execPath, ['scripts/build.mjs'], folder);
  writeFileSync(`${folder}/${COMPLETE}`, '');
  return folder;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {Buffer} [input]
 * @returns {Buffer} its stdout
 */
function run(command, args, cwd, input) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    input,
    maxBuffer: 1 << 30,
  });
  if (error) throw error;
  if (status === 0) return stdout;
  const said = `${stdout.subarray(-2000)}${stderr.subarray(-2000)}`;
  throw new Error(`${command} ${args.join(' ')} failed in ${cwd}\n${said}`);
}
