// The musl binary in a root like Alpine's: musl from Debian's packages, and a Node.js that was built for musl, with no
// glibc to be found. The npm registry has such a Node.js as pnpm's executable (a single executable application); with
// its fuse put back it is Node.js again. Its C++ library is Debian's, with `libstdcxx-glue.c` between it and musl.
// Needs a kernel that lets us have a mount namespace, and a prebuilt binary for musl.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DebianPackages } from '../../../../scripts/debian-packages.mjs';
import { npm } from '../../../../scripts/npm.mjs';
import { zigToolchain } from '../../../../scripts/zig-toolchain.mjs';
import { NotRun } from '../not-run.mjs';

const NODE_FOR_MUSL = '@pnpm/linuxstatic-x64@11.21.0';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:';
const glue = fileURLToPath(new URL('libstdcxx-glue.c', import.meta.url));

/** `installed` gives the project to run, `scratch` is a folder for us, `smokeAll` runs the consumers. */
export function muslCases({ installed, scratch, smokeAll }) {
  const root = path.join(scratch, 'musl');
  const inRoot = (...parts) => path.join(root, ...parts);

  /** Runs what follows in the root, in the folder `/app`, as /usr/bin/node there. */
  function entering() {
    const [unshare, shell] = ['unshare', 'sh'].map((name) =>
      execFileSync('which', [name], { encoding: 'utf8' }).trim(),
    );
    const namespace = ['--mount', ...(process.getuid() === 0 ? [] : ['--map-root-user'])];
    const script = `PATH=/usr/sbin:/usr/bin:/sbin:/bin
      for each in dev proc; do mount --rbind /$each "$0/$each" || exit 1; done
      exec unshare --root="$0" --wd=/app /usr/bin/node "$@"`;
    const { status } = spawnSync(unshare, [...namespace, 'true']);
    if (status !== 0) throw new NotRun('this kernel gives us no mount namespace');
    return { program: unshare, before: [...namespace, shell, '-c', script, root] };
  }

  function nodeForMusl() {
    const folder = path.join(scratch, 'node-musl');
    mkdirSync(folder);
    const [{ filename }] = JSON.parse(npm(['pack', NODE_FOR_MUSL, '--json'], { cwd: folder }));
    execFileSync('tar', ['-xzf', path.join(folder, path.basename(filename)), '-C', folder]);
    const bytes = readFileSync(path.join(folder, 'package/pnpm'));
    const fuse = bytes.indexOf(`${FUSE}1`);
    if (fuse < 0) throw new Error(`${NODE_FOR_MUSL} is no single executable application`);
    bytes.write('0', fuse + FUSE.length);
    return bytes;
  }

  function makeRoot() {
    const debian = path.join(scratch, 'musl-debian');
    new DebianPackages('x64').unpack(['musl', 'libstdc++6', 'libgcc-s1'], debian);
    const fromDebian = (name) => {
      const found = readdirSync(debian, { recursive: true }).find((file) => file.endsWith(name));
      return path.join(debian, found);
    };
    for (const folder of ['lib', 'usr/lib', 'usr/bin', 'etc', 'dev', 'proc', 'tmp']) {
      mkdirSync(inRoot(folder), { recursive: true });
    }
    writeFileSync(inRoot('etc/alpine-release'), '3\n');
    writeFileSync(inRoot('etc/hosts'), '127.0.0.1 localhost\n');
    copyFileSync(fromDebian('/x86_64-linux-musl/libc.so'), inRoot('lib/ld-musl-x86_64.so.1'));
    copyFileSync(fromDebian('/libgcc_s.so.1'), inRoot('usr/lib/libgcc_s.so.1'));
    copyFileSync(fromDebian('/libstdc++.so.6'), inRoot('usr/lib/libstdc++-debian.so.6'));

    const { cc } = zigToolchain('x86_64-linux-musl', 'x86_64');
    const link = (out, ...args) =>
      execFileSync(cc, ['-shared', '-fPIC', '-o', out, ...args], { stdio: 'inherit' });
    const stub = path.join(scratch, 'libstdc++-debian.so.6');
    link(stub, '-x', 'c', '/dev/null', '-Wl,-soname,libstdc++-debian.so.6');
    link(inRoot('usr/lib/libstdc++.so.6'), '-O2', glue, '-Wl,--no-as-needed', stub);
    // Debian's asks for glibc's loader by name.
    symlinkSync('libstdc++.so.6', inRoot('usr/lib/ld-linux-x86-64.so.2'));
    writeFileSync(inRoot('usr/bin/node'), nodeForMusl(), { mode: 0o755 });

    cpSync(installed(), inRoot('app'), { recursive: true });
    for (const name of ['certificate.pem', 'key.pem']) {
      mkdirSync(inRoot(scratch), { recursive: true });
      copyFileSync(path.join(scratch, name), inRoot(scratch, name));
    }
  }

  return {
    'musl, in a root without glibc': () => {
      const prebuilt = 'node_modules/ohos-websocket/prebuilds/linux-x64/ohos-websocket.musl.node';
      if (!existsSync(path.join(installed(), prebuilt))) {
        throw new NotRun('no prebuilt linux-x64-musl: npm run prebuild -- linux-x64-musl');
      }
      const { program, before } = entering();
      makeRoot();
      const { stdout } = spawnSync(program, [...before, '-p', facts], { encoding: 'utf8' });
      const [version, libraries] = stdout.trim().split(' ');
      if (!libraries?.includes('ld-musl') || libraries.includes('libc.so.6')) {
        throw new Error(`this is no Node.js on musl: ${stdout}`);
      }
      return `Node.js ${version}, ${smokeAll(program, installed(), before)}`;
    },
  };
}

const facts = `process.version + ' ' + process.report.getReport().sharedObjects`;
