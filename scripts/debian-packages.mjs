// Packages of another architecture from the sources that apt is set up for, apart from what is installed: no root,
// nothing changed in the system.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from './cache-folder.mjs';

const debianNames = { x64: 'amd64', arm64: 'arm64' };

function run(program, args, cwd) {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** apt for an architecture, with lists and settings of its own, brought up to date. */
export class DebianPackages {
  #options;

  constructor(arch) {
    const home = path.join(cacheFolder(), 'apt', arch);
    for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
      mkdirSync(path.join(home, folder), { recursive: true });
    }
    const settings = {
      'Dir::State': path.join(home, 'state'),
      'Dir::State::status': '/dev/null',
      'Dir::Cache': path.join(home, 'cache'),
      'APT::Architecture': debianNames[arch],
      'APT::Architectures': debianNames[arch],
      'APT::Sandbox::User': 'root',
    };
    this.#options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    run('apt-get', [...this.#options, '-qq', 'update']);
  }

  /** The version that would be fetched. */
  version(name) {
    const policy = run('apt-cache', [...this.#options, 'policy', name]);
    const version = /^ {2}Candidate: (.*)$/m.exec(policy)?.[1];
    if (version === undefined)
      throw new Error(`the package sources of this machine have no ${name}`);
    return version;
  }

  /** Fetches packages and unpacks them, one over the other, into a folder. */
  unpack(names, folder) {
    mkdirSync(folder, { recursive: true });
    const scratch = mkdtempSync(`${folder}.`);
    try {
      run('apt-get', [...this.#options, '-qq', 'download', ...names], scratch);
      for (const file of readdirSync(scratch))
        run('dpkg-deb', ['-x', path.join(scratch, file), folder]);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  }
}
