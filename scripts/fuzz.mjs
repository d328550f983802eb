// Fuzzes the native layers with libFuzzer (test/fuzz), or says how much of its file each target's corpus covers.
//
//   node scripts/fuzz.mjs <target|all> [seconds]     fuzzes each for so long (10); ends with 1 if one finds something
//   node scripts/fuzz.mjs coverage [target]          lines that the corpus of the repository runs; ends with 1 if that
//                                                    is not above 95 % of a file
//   node scripts/fuzz.mjs brief                      a second at most for each, as a part of `npm test`; only with Clang
//   node scripts/fuzz.mjs merge <target|all>         takes what fuzzing has found worth keeping into that corpus
//
// What fuzzing finds on its way gathers in build-fuzz/corpus; what ends a target, in build-fuzz/findings, as an input
// that `build-fuzz/fuzz_<target> <file>` runs again. Mended, it belongs into test/fuzz/corpus/<target>.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const build = path.join(root, 'build-fuzz');
const corpora = path.join(root, 'test/fuzz/corpus');
const sources = path.join(root, 'native/src');

/** A target's corpus runs more of each of its files than this. */
const LEAST_PERCENT = 95;

/** The files that a target is for, where they do not have its name. */
const filesOf = {
  engine: [
    'client_attempt',
    'connection',
    'connection_end',
    'connection_receive',
    'connection_send',
    'core',
    'handshakes',
    'loop',
    'lws_protocol',
    'server_config',
    'server_listener',
    'server_requests',
    'server_tls',
    'stream',
    'tls_socket',
    'topics',
    'tx_queue',
    'up_writer',
    'upgrade_requests',
  ].map((name) => `/engine/${name}.cpp`),
};

class Failure extends Error {}

function targets() {
  return readdirSync(path.join(root, 'test/fuzz/targets'))
    .filter((name) => name.endsWith('.cpp'))
    .map((name) => path.basename(name, '.cpp'));
}

function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, ...options });
}

/** Clang's C++ compiler with libFuzzer, and its llvm tools; undefined where there is none. */
function findClang() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'ohws-fuzz-'));
  try {
    const probe = path.join(scratch, 'probe.cpp');
    writeFileSync(
      probe,
      'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }\n',
    );
    for (const version of ['', '-20', '-19', '-18', '-17', '-16', '-15', '-14']) {
      const flags = ['-fsanitize=fuzzer,address,undefined', '-fprofile-instr-generate'];
      const output = path.join(scratch, 'probe');
      if (run(`clang++${version}`, [...flags, probe, '-o', output]).status !== 0) continue;
      const number = /version (\d+)/.exec(run(`clang++${version}`, ['--version']).stdout)?.[1];
      const tool = (name) =>
        [`${name}-${number}`, name].find((it) => run(it, ['--help']).status === 0);
      const [profdata, cov] = [tool('llvm-profdata'), tool('llvm-cov')];
      if (profdata && cov)
        return { cc: `clang${version}`, cxx: `clang++${version}`, profdata, cov };
    }
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The same, installed from Debian's packages if need be and if we may. */
function clang() {
  const found = findClang();
  if (found) return found;
  const packages = ['clang', 'llvm', 'libclang-rt-dev'];
  if (process.getuid?.() === 0 && run('apt-get', ['--version']).status === 0) {
    process.stdout.write(`apt-get install ${packages.join(' ')}\n`);
    const options = {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    };
    run('apt-get', ['update', '-qq'], options);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
  }
  const installed = findClang();
  if (installed) return installed;
  throw new Failure(
    `this machine lacks clang++ with libFuzzer and compiler-rt, llvm-profdata or llvm-cov (Debian: apt-get install ${packages.join(' ')})`,
  );
}

function buildTargets({ cc, cxx }) {
  const steps = [
    [
      '-S',
      root,
      '-B',
      build,
      '-DOHWS_FUZZ=ON',
      '-DOHWS_BUILD_ADDON=OFF',
      '-DOHWS_BUILD_ENGINE=ON',
      `-DCMAKE_C_COMPILER=${cc}`,
      `-DCMAKE_CXX_COMPILER=${cxx}`,
    ],
    ['--build', build, '--parallel', String(availableParallelism())],
  ];
  for (const args of steps) {
    const { status, stdout, stderr } = run('cmake', args);
    if (status !== 0) throw new Failure(`cmake ${args.join(' ')}\n${stdout}${stderr}`);
  }
}

function folder(...parts) {
  const name = path.join(...parts);
  mkdirSync(name, { recursive: true });
  return name;
}

function fuzz(target, seconds, ...options) {
  const findings = folder(build, 'findings');
  const { status, stderr } = run(
    path.join(build, `fuzz_${target}`),
    [
      `-max_total_time=${seconds}`,
      // Longer than a machine that is paused.
      '-timeout=120',
      ...options,
      '-rss_limit_mb=2048',
      '-print_final_stats=1',
      '-verbosity=1',
      `-artifact_prefix=${findings}/${target}-`,
      folder(build, 'corpus', target),
      folder(corpora, target),
    ],
    { env: { ...process.env, LLVM_PROFILE_FILE: '/dev/null' } },
  );
  const runs = /number_of_executed_units:\s*(\d+)/.exec(stderr)?.[1] ?? '?';
  process.stdout.write(
    `${target.padEnd(22)} ${seconds} s, ${runs} runs: ${status === 0 ? 'nothing found' : 'FOUND'}\n`,
  );
  if (status !== 0) process.stdout.write(`${stderr.split('\n').slice(-60).join('\n')}\n`);
  return status === 0;
}

/** Of each file: how many lines there are to run, and which of them were not run. */
function coverage({ profdata, cov }, target) {
  const raw = path.join(build, `${target}.profraw`);
  const program = path.join(build, `fuzz_${target}`);
  const replay = run(program, ['-runs=0', folder(corpora, target)], {
    env: { ...process.env, LLVM_PROFILE_FILE: raw },
  });
  if (replay.status !== 0)
    throw new Failure(`${target}: its corpus does not pass\n${replay.stderr}`);
  const profile = path.join(build, `${target}.profdata`);
  run(profdata, ['merge', '-sparse', raw, '-o', profile]);
  const { stdout } = run(cov, ['export', program, `-instr-profile=${profile}`, '-format=lcov']);
  // A header is reached by more than one name: its lines are put together.
  const lines = new Map();
  let file = '';
  for (const row of stdout.split('\n')) {
    if (row.startsWith('SF:')) file = realpathSync(row.slice(3));
    const [, line, count] = /^DA:(\d+),(\d+)/.exec(row) ?? [];
    if (line === undefined) continue;
    if (!lines.has(file)) lines.set(file, new Map());
    const counts = lines.get(file);
    counts.set(Number(line), (counts.get(Number(line)) ?? 0) + Number(count));
  }
  const own = filesOf[target] ?? [`/${target}.cpp`, `/${target}.h`];
  return [...lines]
    .filter(([name]) => name.startsWith(sources) && own.some((end) => name.endsWith(end)))
    .map(([name, counts]) => ({
      name: path.relative(sources, name),
      lines: counts.size,
      missed: [...counts].filter(([, count]) => count === 0).map(([line]) => line),
    }));
}

const percentRun = (lines, missed) => (100 * (lines - missed.length)) / lines;

/** Each file is shown; false if one of them is run too little. */
function printCoverage(tools, target) {
  const files = coverage(tools, target);
  for (const { name, lines, missed } of files) {
    const percent = percentRun(lines, missed).toFixed(1);
    const where =
      missed.length > 0
        ? `   not: ${missed.slice(0, 12).join(' ')}${missed.length > 12 ? ' …' : ''}`
        : '';
    process.stdout.write(
      `${target.padEnd(22)} ${name.padEnd(34)} ${percent.padStart(5)} % of ${lines} lines${where}\n`,
    );
  }
  const short = files.filter(({ lines, missed }) => percentRun(lines, missed) <= LEAST_PERCENT);
  for (const { name } of short) {
    process.stdout.write(`${target}: ${name} is not above ${LEAST_PERCENT} %\n`);
  }
  return files.length > 0 && short.length === 0;
}

function merge(target) {
  const kept = path.join(corpora, target);
  const fresh = `${kept}.new`;
  folder(fresh);
  const { status, stderr } = run(
    path.join(build, `fuzz_${target}`),
    [
      '-set_cover_merge=1',
      '-rss_limit_mb=2048',
      fresh,
      ...[kept, path.join(build, 'corpus', target)].filter(existsSync),
    ],
    { env: { ...process.env, LLVM_PROFILE_FILE: '/dev/null' } },
  );
  if (status !== 0) throw new Failure(stderr);
  // What has a name was put there by somebody, and stays.
  for (const name of existsSync(kept) ? readdirSync(kept) : []) {
    if (/^[0-9a-f]{40}$/.test(name)) rmSync(path.join(kept, name));
  }
  folder(kept);
  run('cp', ['-n', ...readdirSync(fresh).map((name) => path.join(fresh, name)), kept]);
  rmSync(fresh, { recursive: true });
  process.stdout.write(`${target}: ${readdirSync(kept).length} inputs\n`);
  return true;
}

/** So few that all targets together stay below 20 seconds. */
function brief() {
  const tools = findClang();
  if (tools === undefined) {
    process.stdout.write('!! not run: for want of clang++ with libFuzzer\n');
    return 0;
  }
  buildTargets(tools);
  // The engine's is not built without the system's libssl.
  return targets()
    .filter((target) => existsSync(path.join(build, `fuzz_${target}`)))
    .map((target) => fuzz(target, 1, '-runs=2000'))
    .every(Boolean)
    ? 0
    : 1;
}

function chosen(name) {
  const all = targets();
  if (name === undefined || name === 'all') return all;
  if (!all.includes(name)) throw new Failure(`no target '${name}': ${all.join(', ')}, or all`);
  return [name];
}

function main([first, second]) {
  if (first === undefined) {
    throw new Failure(
      `usage: fuzz.mjs <target|all> [seconds] | coverage [target] | merge <target|all>\ntargets: ${targets().join(', ')}`,
    );
  }
  if (first === 'brief') return brief();
  const actions = {
    coverage: (tools) => chosen(second).map((target) => printCoverage(tools, target)),
    merge: () => chosen(second).map(merge),
  };
  const seconds = Number(second ?? 10);
  const action = actions[first] ?? (() => chosen(first).map((target) => fuzz(target, seconds)));
  if (!(first in actions) && !(Number.isInteger(seconds) && seconds > 0)) {
    throw new Failure(`seconds is a whole number above 0, not '${second}'`);
  }
  if (!(first in actions)) chosen(first);
  const tools = clang();
  buildTargets(tools);
  return action(tools).every(Boolean) ? 0 : 1;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
