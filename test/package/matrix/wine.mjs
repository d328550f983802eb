// The binary for Windows where there is none: Node.js for Windows from the npm registry under Wine. Needs the command
// `wine` (Debian: wine64 and wine) and a prebuilt win32-x64. Node.js 24 and later do not start under Wine 8.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { windowsNode } from '../../../scripts/windows-binary.mjs';
import { NotRun } from './not-run.mjs';

/** Node.js takes no pipe of Linux for its output, but a file. */
const script = `#!/bin/sh
output=$(mktemp)
wine "$OHWS_WINDOWS_NODE" "$@" >"$output" 2>&1 </dev/null
status=$?
cat "$output"
rm "$output"
exit $status
`;

/** `installed` gives the project to run, `scratch` is a folder for us, `smokeAll` runs the consumers. */
export function wineCases({ installed, scratch, smokeAll }) {
  function emulator() {
    const file = path.join(installed(), 'node_modules/ohos-websocket/prebuilds/win32-x64');
    if (!existsSync(file)) throw new NotRun('no prebuilt win32-x64: npm run prebuild -- win32-x64');
    if (spawnSync('which', ['wine']).status !== 0) throw new NotRun('no wine on this machine');
    const program = path.join(scratch, 'node-under-wine');
    writeFileSync(program, script, { mode: 0o755 });
    return program;
  }

  return Object.fromEntries(
    [20, 22].map((major) => [
      `Windows under Wine, Node.js ${major}`,
      () =>
        smokeAll(emulator(), installed(), [], {
          // Wine is a script that needs more of the PATH than others get.
          PATH: process.env.PATH,
          WINEPREFIX: path.join(scratch, 'wine'),
          WINEDEBUG: '-all',
          NODE_SKIP_PLATFORM_CHECK: '1',
          OHWS_WINDOWS_NODE: windowsNode(major),
        }),
    ]),
  );
}
