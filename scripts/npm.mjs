// Runs npm: the one that runs us, if one does, else the one on the PATH.
import { execFileSync } from 'node:child_process';

/** What `npm ARGS` prints; its messages go to our standard error. */
export function npm(args, options = {}) {
  const given = process.env.npm_execpath;
  const byNode = given !== undefined && /npm-cli\.[cm]?js$/.test(given);
  const program = byNode ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm';
  return execFileSync(program, byNode ? [given, ...args] : args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 << 20,
    ...options,
  });
}
