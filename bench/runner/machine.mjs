// What the numbers were measured on and with.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { BENCH_DIRECTORY, ROOT_DIRECTORY } from './paths.mjs';
import { isInstalled } from './servers.mjs';

const CONGESTION_CONTROL = '/proc/sys/net/ipv4/tcp_congestion_control';

/** What kind of machine it is; nothing that tells which one. */
export function machine() {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    platform: `${process.platform}-${process.arch}`,
    kernel: release(),
    tcpCongestionControl: readFileSync(CONGESTION_CONTROL, 'utf8').trim(),
  };
}

/** @returns {Record<string, string>} */
export function versions() {
  const { dependencies, optionalDependencies } = readJson(`${BENCH_DIRECTORY}/package.json`);
  const { version } = readJson(`${ROOT_DIRECTORY}/package.json`);
  const [bun] = Object.values(optionalDependencies);
  const ours = { node: process.version, 'ohos-websocket': version };
  return { ...ours, ...dependencies, ...(isInstalled('bun') && { bun }) };
}

/** @returns {{ id: string, changed: boolean } | null} null where there is none */
export function commit() {
  const id = git(['rev-parse', '--short=12', '--verify', 'HEAD']);
  if (id === null) return null;
  // What was measured before is no part of what is measured.
  const status = git(['status', '--porcelain', '--', ':(exclude)bench/results']);
  return { id, changed: status !== '' };
}

/**
 * @param {string} file
 * @returns {any}
 */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * @param {string[]} args
 * @returns {string | null} what it says; null if it failed
 */
export function git(args) {
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT_DIRECTORY, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
