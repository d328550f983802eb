#!/usr/bin/env node
// `npm run test:package`: packs the package and proves that the tarball works wherever it is installed. Needs the npm
// registry, nothing else of the network; no part of `npm test`.
//
//   npm run test:package [-- --only REGEX] [--no-prebuild] [--tarball FILE] [--keep]
//
// Every case runs in a folder of its own, with a PATH that has a shell, a few tools and no compiler, and with install
// scripts off. `--no-prebuild` takes the binaries that are in prebuilds/ and bundled-tls/; `--tarball` takes one that is
// packed already; `--keep` leaves the folder.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inspectBinary } from '../../../scripts/inspect-binary.mjs';
import { npm } from '../../../scripts/npm.mjs';
import { arm64Cases } from './arm64.mjs';
import { makeCertificate } from './certificate.mjs';
import { muslCases } from './musl/cases.mjs';
import { newcomerCases } from './newcomer.mjs';
import { NotRun } from './not-run.mjs';
import { wineCases } from './wine.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const consumer = fileURLToPath(new URL('consumer', import.meta.url));

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    'no-prebuild': { type: 'boolean', default: false },
    tarball: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

const scratch = mkdtempSync(path.join(tmpdir(), 'ohws-package-'));
const inScratch = (...parts) => path.join(scratch, ...parts);
const say = (text) => process.stdout.write(`${text}\n`);

/** What a case is given: the tarball, the tools, an environment without a compiler. */
const world = {};

/** Runs a program to its end; its output, or an Error with it. */
function run(program, args, { cwd = scratch, env = {} } = {}) {
  const result = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...world.env, ...env },
    timeout: 300_000,
    maxBuffer: 64 << 20,
  });
  if (result.error) throw result.error;
  const output = `${result.stdout}${result.stderr}`;
  if (result.status !== 0) {
    throw new Error(
      `${path.basename(program)} ${args.join(' ')} ended with ${result.status ?? result.signal}\n${output}`,
    );
  }
  return output;
}

const node = (args, runOptions) => run(world.node, args, runOptions);
const tool = (file) => inScratch('tools/node_modules', file);

/** Runs one of the consumers and insists on its last word. */
function smoke(program, args, runOptions, times = 1) {
  const output = run(program, args, runOptions);
  const count = output.match(/^smoke ok: /gm)?.length ?? 0;
  if (count !== times) throw new Error(`${count} times 'smoke ok' instead of ${times}:\n${output}`);
  return /OpenSSL [\w.]+/.exec(output)[0];
}

/** A folder with the consumers and a package.json. */
function project(name, manifest = {}) {
  const folder = inScratch('projects', name);
  cpSync(consumer, folder, { recursive: true });
  const content = { name: `consumer-${name}`, version: '1.0.0', private: true, ...manifest };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(content));
  return folder;
}

/** The project that most cases share: installed with npm. */
function installed() {
  world.installed ??= installWithNpm('npm');
  return world.installed;
}

function installWithNpm(name) {
  const cwd = project(name);
  node([world.npmCli, 'install', '--ignore-scripts', '--no-audit', '--no-fund', world.tarball], {
    cwd,
  });
  return cwd;
}

/** All consumers that need nothing but an installed package. */
function smokeAll(program, cwd, before = [], env = {}) {
  smoke(program, [...before, 'commonjs.cjs'], { cwd, env }, 2);
  smoke(program, [...before, 'worker.mjs'], { cwd, env }, 3);
  const registered = [...before, '--import', 'ohos-websocket/register', 'app.mjs'];
  smoke(program, registered, { cwd, env });
  return smoke(program, [...before, 'module.mjs'], { cwd, env }, 3);
}

const cases = {
  'contents: publint': () => {
    const output = node([tool('publint/src/cli.js'), '--strict', world.tarball]);
    if (!output.includes('All good!')) throw new Error(output);
  },
  'contents: attw, strict': () => {
    node([tool('@arethetypeswrong/cli/dist/index.js'), world.tarball, '--profile', 'strict']);
  },
  'contents: binaries': () =>
    binariesIn(path.join(installed(), 'node_modules/ohos-websocket'))
      .map((file) => {
        const { facts, faults } = inspectBinary(file);
        if (faults.length > 0) throw new Error(`${file}: ${faults.join('; ')}`);
        const glibc = facts.highestGlibc === '' ? 'musl' : `glibc ${facts.highestGlibc}`;
        const name = path.relative(path.join(installed(), 'node_modules/ohos-websocket'), file);
        return `\n     ${name}: ${facts.bytes} bytes, ${glibc}, ${facts.needed.join(' ')}`;
      })
      .join(''),

  ...newcomerCases({ scratch, run, world }),
  'npm, scripts off': () => smokeAll(world.node, installed()),
  'npm, npx ohos-websocket': () => {
    node([path.join(installed(), 'node_modules/.bin/ohos-websocket'), 'doctor'], {
      cwd: installed(),
    });
  },
  pnpm: () => {
    const cwd = project('pnpm');
    const env = { npm_config_store_dir: inScratch('pnpm-store') };
    node([tool('pnpm/bin/pnpm.cjs'), 'add', '--ignore-scripts', world.tarball], { cwd, env });
    return smokeAll(world.node, cwd);
  },
  'yarn 1': () => {
    const cwd = project('yarn-1');
    const args = [
      'add',
      '--ignore-scripts',
      '--no-lockfile',
      '--cache-folder',
      inScratch('yarn-cache'),
    ];
    node([tool('yarn/bin/yarn.js'), ...args, world.tarball], { cwd });
    return smokeAll(world.node, cwd);
  },
  'yarn 4, node_modules': () => smokeAll(world.node, installWithYarn4('node-modules')),
  "yarn 4, Plug'n'Play": () => {
    const cwd = installWithYarn4('pnp');
    return smokeAll(world.node, cwd, [
      '--require',
      './.pnp.cjs',
      '--experimental-loader',
      './.pnp.loader.mjs',
    ]);
  },

  ...Object.fromEntries(
    [20, 22, 24, 26].map((major) => [
      `Node.js ${major}`,
      () => {
        const program = tool(`node${major}/bin/node`);
        return `${run(program, ['--version']).trim()}, ${smokeAll(program, installed())}`;
      },
    ]),
  ),
  Bun: () => {
    const program = [tool('@oven/bun-linux-x64/bin/bun'), tool('bun/bin/bun.exe')].find((file) =>
      existsSync(file),
    );
    const cwd = installed();
    smoke(program, ['commonjs.cjs'], { cwd }, 2);
    return `${run(program, ['--version']).trim()}, ${smoke(program, ['module.mjs'], { cwd }, 3)}`;
  },
  Deno: () => {
    const program = tool('@deno/linux-x64-glibc/deno');
    const cwd = installed();
    const env = { DENO_DIR: inScratch('deno'), DENO_NO_UPDATE_CHECK: '1' };
    const args = ['run', '--allow-all', '--node-modules-dir=manual'];
    smoke(program, [...args, 'commonjs.cjs'], { cwd, env }, 2);
    const version = run(program, ['--version'], { env }).split('\n')[0];
    return `${version}, ${smoke(program, [...args, 'module.mjs'], { cwd, env }, 3)}`;
  },

  'TypeScript, moduleResolution node16': () => compile('node16', { module: 'node16' }),
  'TypeScript, moduleResolution bundler': () =>
    compile('bundler', { module: 'preserve', moduleResolution: 'bundler' }),

  'esbuild, the package stays in node_modules': () => {
    esbuild(['--outfile=out/bundle.cjs'], installed());
    return smoke(world.node, ['out/bundle.cjs'], { cwd: installed() });
  },
  'esbuild, bundle and prebuilds alone': () => {
    const cwd = inScratch('projects/esbuild-alone');
    esbuild([`--outfile=${cwd}/bundle.cjs`], installed());
    copyPrebuilds(cwd);
    return smoke(world.node, ['bundle.cjs'], { cwd });
  },
  'esbuild, ES module': () => {
    const cwd = inScratch('projects/esbuild-module');
    const banner =
      "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    esbuild([`--outfile=${cwd}/bundle.mjs`, '--format=esm', `--banner:js=${banner}`], installed());
    cpSync(path.join(installed(), 'node_modules'), path.join(cwd, 'node_modules'), {
      recursive: true,
    });
    return smoke(world.node, ['bundle.mjs'], { cwd });
  },
  'esbuild, package external': () => {
    esbuild(['--outfile=out/external.cjs', '--external:ohos-websocket'], installed());
    return smoke(world.node, ['out/external.cjs'], { cwd: installed() });
  },
  'webpack, the package stays in node_modules': () => {
    webpack(path.join(installed(), 'webpacked'));
    return smoke(world.node, ['webpacked/bundle.cjs'], { cwd: installed() });
  },
  'webpack, bundle and prebuilds alone': () => {
    const cwd = inScratch('projects/webpack-alone');
    webpack(cwd);
    copyPrebuilds(cwd);
    return smoke(world.node, ['bundle.cjs'], { cwd });
  },
  'single executable application': () => {
    const cwd = inScratch('projects/sea');
    esbuild([`--outfile=${cwd}/bundle.cjs`], installed());
    const asset = path.join(
      installed(),
      'node_modules/ohos-websocket/prebuilds/linux-x64/ohos-websocket.glibc.node',
    );
    const config = {
      main: 'bundle.cjs',
      output: 'app.blob',
      assets: { 'ohos-websocket.node': asset },
    };
    writeFileSync(
      path.join(cwd, 'sea.json'),
      JSON.stringify({ ...config, disableExperimentalSEAWarning: true }),
    );
    const program = tool('node22/bin/node');
    run(program, ['--experimental-sea-config', 'sea.json'], { cwd });
    const alone = path.join(cwd, 'alone');
    mkdirSync(alone);
    cpSync(program, path.join(alone, 'app'));
    const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
    run(
      program,
      [
        tool('postject/dist/cli.js'),
        path.join(alone, 'app'),
        'NODE_SEA_BLOB',
        'app.blob',
        '--sentinel-fuse',
        fuse,
      ],
      { cwd },
    );
    return smoke(path.join(alone, 'app'), [], { cwd: alone });
  },

  ...muslCases({ installed, scratch, smokeAll }),
  ...arm64Cases({ installed, scratch, smokeAll }),
  ...wineCases({ installed, scratch, smokeAll }),
};

/** Those for Linux: what is read is ELF. */
function binariesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => /linux-\w+\/[^/]+\.node$/.test(name))
    .map((name) => path.join(folder, name));
}

function installWithYarn4(linker) {
  const cwd = project(`yarn-4-${linker}`, { packageManager: 'yarn@4.0.0' });
  const settings = {
    nodeLinker: linker,
    enableScripts: 'false',
    enableGlobalCache: 'false',
    enableTelemetry: 'false',
    pnpEnableEsmLoader: 'true',
  };
  writeFileSync(
    path.join(cwd, '.yarnrc.yml'),
    Object.entries(settings)
      .map((entry) => `${entry.join(': ')}\n`)
      .join(''),
  );
  writeFileSync(path.join(cwd, 'yarn.lock'), '');
  const env = { YARN_NPM_REGISTRY_SERVER: world.registry, YARN_IGNORE_PATH: '1' };
  node([tool('@yarnpkg/cli-dist/bin/yarn.js'), 'add', `ohos-websocket@file:${world.tarball}`], {
    cwd,
    env,
  });
  return cwd;
}

function compile(name, settings) {
  const cwd = project(`typescript-${name}`);
  cpSync(path.join(cwd, 'typed.ts'), path.join(cwd, 'typed.mts'));
  cpSync(path.join(installed(), 'node_modules'), path.join(cwd, 'node_modules'), {
    recursive: true,
  });
  const compilerOptions = {
    ...settings,
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [tool('@types')],
  };
  writeFileSync(
    path.join(cwd, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['typed.ts', 'typed.mts'] }),
  );
  node([tool('typescript/lib/tsc.js'), '-p', '.'], { cwd });
}

function esbuild(args, cwd) {
  run(
    tool('@esbuild/linux-x64/bin/esbuild'),
    ['application.cjs', '--bundle', '--platform=node', ...args],
    { cwd },
  );
}

function webpack(folder) {
  const cwd = installed();
  const config = {
    mode: 'production',
    target: 'node',
    context: cwd,
    entry: './application.cjs',
    output: { path: folder, filename: 'bundle.cjs' },
  };
  const file = path.join(cwd, 'webpack.config.cjs');
  writeFileSync(file, `module.exports = ${JSON.stringify(config)};\n`);
  const output = node([tool('webpack-cli/bin/cli.js'), '--config', file], { cwd });
  if (/warning/i.test(output)) throw new Error(`webpack warns:\n${output}`);
}

/** What the loader's message tells those to do who bundle. */
function copyPrebuilds(folder) {
  const prebuilds = path.join(installed(), 'node_modules/ohos-websocket/prebuilds');
  cpSync(prebuilds, path.join(folder, 'prebuilds'), { recursive: true });
}

/** A folder of links to what installing and running may need; a compiler is not there, nor found by its name. */
function makeBin() {
  const bin = inScratch('bin');
  mkdirSync(bin);
  for (const name of [
    'sh',
    'env',
    'uname',
    'dirname',
    'basename',
    'readlink',
    'sed',
    'cat',
    'rm',
    'ls',
    'openssl',
  ]) {
    symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), path.join(bin, name));
  }
  symlinkSync(process.execPath, path.join(bin, 'node'));
  for (const name of ['cc', 'gcc', 'c++', 'g++', 'clang', 'make', 'ninja', 'cmake', 'python3']) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { env: { PATH: bin } });
    if (found.status === 0) throw new Error(`${name} can still be found`);
  }
  return bin;
}

/** The package as `npm publish` would send it; the path of the tarball. */
function pack() {
  if (!options['no-prebuild']) npm(['run', 'prebuild'], { cwd: root, stdio: 'inherit' });
  npm(['run', 'build:ts', '--silent'], { cwd: root });
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch];
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(npm(args, { cwd: root }));
  say(`${filename}: ${size} bytes, ${unpackedSize} unpacked, ${entryCount} files`);
  return inScratch(filename);
}

function prepare() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('the package test runs on Linux x64');
  world.tarball = options.tarball === undefined ? pack() : path.resolve(options.tarball);

  world.registry = npm(['config', 'get', 'registry'], { cwd: root }).trim();
  mkdirSync(inScratch('tools'));
  cpSync(
    fileURLToPath(new URL('tools/package.json', import.meta.url)),
    inScratch('tools/package.json'),
  );
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], {
    cwd: inScratch('tools'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });

  world.node = process.execPath;
  world.npmCli = process.env.npm_execpath;
  // What npm tells those that it runs would tell the package managers below too.
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_(nodedir|cafile))|OHWS_|INIT_CWD|NODE_(OPTIONS|ENV|PATH))/.test(name),
  );
  world.env = {
    ...Object.fromEntries(inherited),
    npm_config_registry: world.registry,
    PATH: makeBin(),
  };
  Object.assign(world.env, makeCertificate(scratch, world.env));
}

async function main() {
  prepare();
  const chosen = Object.entries(cases).filter(([name]) => new RegExp(options.only).test(name));
  let failed = 0;
  let notRun = 0;
  for (const [name, play] of chosen) {
    try {
      const detail = await play();
      say(`ok   ${name}${detail ? `: ${detail}` : ''}`);
    } catch (error) {
      if (error instanceof NotRun) {
        notRun += 1;
        say(`--   ${name}: not run, ${error.message}`);
        continue;
      }
      failed += 1;
      say(`FAIL ${name}\n${error.message.replaceAll(/^/gm, '     ')}`);
    }
  }
  const passed = chosen.length - failed - notRun;
  say(`\n${passed} passed, ${failed} failed, ${notRun} not run`);
  if (failed > 0 || chosen.length === 0) process.exitCode = 1;
}

try {
  await main();
} finally {
  if (options.keep) say(`kept: ${scratch}`);
  else rmSync(scratch, { recursive: true, force: true });
}
