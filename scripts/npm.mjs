// Runs npm: the one that runs us, if one does, else the one on the PATH; on Windows, where that is a script that only a
// shell can run, the one beside Node.js.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** What `npm ARGS` prints; its messages go to our standard error. */
export function npm(args, options = {}) {
  const beside = path.join(path.dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js');
  const given = process.env.npm_execpath ?? (process.platform === 'win32' ? beside : '');
  const byNode = /npm-cli\.[cm]?js$/.test(given);
  return execFileSync(byNode ? process.execPath : 'npm', byNode ? [given, ...args] : args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 << 20,
    ...options,
  });
}
