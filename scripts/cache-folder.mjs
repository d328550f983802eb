// Where downloads and what is built once are kept between builds.
import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

/** The folder `ohos-websocket` of the user's cache; of the system's temporary folder if that cannot be written. */
export function cacheFolder() {
  const { env, platform } = process;
  let base = env.XDG_CACHE_HOME;
  if (!base && platform === 'win32') base = env.LOCALAPPDATA;
  if (!base && platform === 'darwin') base = path.join(homedir(), 'Library', 'Caches');
  if (!base) base = path.join(homedir(), '.cache');
  for (const candidate of [base, tmpdir()]) {
    const folder = path.join(candidate, 'ohos-websocket');
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {}
  }
  throw new Error('no folder to write to, neither in the user cache nor in the temporary folder');
}
