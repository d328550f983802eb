// Runs the tests, cheapest first, and ends with one line of totals.
//
//   node scripts/test.mjs          format, lint, types, doc comments, build, C++ tests, then all of vitest
//   node scripts/test.mjs native   the C++ tests
//   node scripts/test.mjs asan     C++ tests and the API suites under AddressSanitizer (and LeakSanitizer)
//   node scripts/test.mjs tsan     the same under ThreadSanitizer
//   node scripts/test.mjs ubsan    the same under UndefinedBehaviorSanitizer
//   node scripts/test.mjs valgrind C++ tests and a small exchange under valgrind's memcheck
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'ohws-test-'));

/** The suites that drive the addon; the others test what a sanitizer says nothing about. */
const sanitizedSuites = [
  'test/api',
  'test/conformance',
  'test/deflate',
  'test/flow',
  'test/gateway',
  'test/heartbeat',
  'test/hostile',
  'test/interop',
  'test/lifecycle',
  'test/limits',
  'test/listening',
  'test/lws',
  'test/property',
  'test/proxy/scripted.test.ts',
  'test/tls',
  'test/topics',
  'test/w3c',
];
const sanitizers = {
  asan: { option: 'address', library: 'libasan.so' },
  tsan: { option: 'thread', library: 'libtsan.so' },
  ubsan: { option: 'undefined', library: 'libubsan.so' },
};

const totals = { passed: 0, failed: 0, skipped: 0 };

function title(text) {
  process.stdout.write(`\n== ${text}\n`);
}

function run(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) process.stderr.write(`${program}: ${error.message}\n`);
  return status === 0;
}

function runNode(args, env) {
  return run(process.execPath, args, env);
}

/** The program of a development dependency. */
function bin(name, program = path.basename(name)) {
  const folder = path.join(root, 'node_modules', name);
  const { bin: entries } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return path.join(folder, typeof entries === 'string' ? entries : entries[program]);
}

/** A step that passes or fails as a whole. */
function step(name, passes) {
  title(name);
  const passed = passes();
  totals[passed ? 'passed' : 'failed'] += 1;
  return passed;
}

function checks() {
  step('C++ format', () => runNode(['scripts/format.mjs']));
  step('TypeScript format and lint', () => runNode([bin('@biomejs/biome', 'biome'), 'check', '.']));
  step('layers', () => runNode(['scripts/check-layers.mjs']));
  step('dependencies', () => runNode([bin('dependency-cruiser'), 'lib', 'bin']));
  step('unused files, exports and dependencies', () => runNode([bin('knip')]));
  step('duplicates', () => runNode([bin('jscpd')]));
  step('types', () => {
    const library = runNode([bin('typescript', 'tsc'), '-p', 'tsconfig.json', '--noEmit']);
    return runNode([bin('typescript', 'tsc'), '-p', 'tsconfig.test.json']) && library;
  });
  step('doc comments', () => runNode([bin('typedoc'), '--emit', 'none']));
}

/** Builds the C++ tests; counts a failure if they cannot be built. */
function builtNativeTests(folder, sanitize) {
  const parts = ['-DOHWS_BUILD_ADDON=OFF', '-DOHWS_BUILD_ENGINE=ON', '-DOHWS_BUILD_TESTS=ON'];
  const configure = ['-S', root, '-B', folder, ...parts];
  const jobs = String(availableParallelism());
  const built =
    run('cmake', [...configure, `-DOHWS_SANITIZE=${sanitize}`]) &&
    run('cmake', ['--build', folder, '--config', 'Release', '--parallel', jobs]);
  if (!built) totals.failed += 1;
  return built;
}

function nativeTests(folder, sanitize) {
  title(`C++ tests${sanitize ? ` (${sanitize} sanitizer)` : ''}`);
  const report = path.join(scratch, 'ctest.xml');
  if (!builtNativeTests(folder, sanitize)) return;
  const options = {
    // Some tests ask for more memory than there is.
    ASAN_OPTIONS:
      'detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:allocator_may_return_null=1',
    TSAN_OPTIONS: 'halt_on_error=1:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
  const passed = run(
    'ctest',
    [
      '--test-dir',
      folder,
      '-C',
      'Release',
      '--output-on-failure',
      '--no-tests=error',
      '--output-junit',
      report,
    ],
    options,
  );
  const suite = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const count = (name) =>
    Number(new RegExp(`<testsuite[^>]*?\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failures = Math.max(count('failures'), passed ? 0 : 1);
  const skipped = count('skipped') + count('disabled');
  totals.failed += failures;
  totals.skipped += skipped;
  totals.passed += Math.max(0, count('tests') - failures - skipped);
}

function vitest(suites, env) {
  title('vitest');
  const report = path.join(scratch, 'vitest.json');
  const passed = runNode(
    [
      bin('vitest'),
      'run',
      ...suites,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    env,
  );
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  // A file that cannot be loaded fails without a failed test of its own.
  const broken = (result.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = (result.numFailedTests ?? 0) + broken;
  totals.failed += Math.max(failed, passed ? 0 : 1);
  totals.passed += result.numPassedTests ?? 0;
  totals.skipped += (result.numPendingTests ?? 0) + (result.numTodoTests ?? 0);
}

function sanitized(name) {
  const { option, library } = sanitizers[name];
  nativeTests(path.join(root, `build-tests-${name}`), option);
  const built =
    step(`addon (${option} sanitizer)`, () =>
      runNode(['scripts/build.mjs', 'native', '--sanitize', option]),
    ) && step('dist', () => runNode(['scripts/build.mjs', 'ts']));
  if (!built) return;
  const runtime = execFileSync(process.env.CC ?? 'cc', [`-print-file-name=${library}`], {
    encoding: 'utf8',
  }).trim();
  const suppressions = (file) => path.join(root, 'test/sanitizers', file);
  vitest(
    sanitizedSuites.filter((suite) => existsSync(path.join(root, suite))),
    {
      OHWS_PRELOAD: runtime,
      OHWS_BINDING: path.join(root, `build-${name}/Release/ohos_websocket.node`),
      // A small quarantine: the tests judge resident memory.
      ASAN_OPTIONS: 'detect_leaks=1:malloc_context_size=5:quarantine_size_mb=16',
      LSAN_OPTIONS: `suppressions=${suppressions('lsan.supp')}:print_suppressions=0`,
      TSAN_OPTIONS: `suppressions=${suppressions('tsan.supp')}:halt_on_error=1:report_signal_unsafe=0`,
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  );
}

function valgrind() {
  if (!step('valgrind', () => run('valgrind', ['--version']))) return;
  const folder = path.join(root, 'build-tests');
  title('C++ tests');
  if (!builtNativeTests(folder, '')) return;
  const options = [
    ...['--quiet', '--error-exitcode=9', '--leak-check=full', '--num-callers=30'],
    ...['--errors-for-leak-kinds=definite,possible', '--fair-sched=yes'],
    `--suppressions=${path.join(root, 'test/sanitizers/valgrind.supp')}`,
  ];
  for (const name of readdirSync(folder).filter((file) => /^test_\w+$/.test(file))) {
    step(name, () => run('valgrind', [...options, path.join(folder, name)]));
  }
  const built = step('build', () => runNode(['scripts/build.mjs']));
  // Interpreted: V8's compiled code changes under memcheck's eyes, and is not what is tested.
  const node = [process.execPath, '--jitless', 'test/sanitizers/exchange.mjs'];
  if (built)
    step('an exchange', () => run('valgrind', [...options, '--smc-check=all-non-file', ...node]));
}

/** What tests need beside npm's packages: any of these programs, or Debian's package, for these suites. */
const programs = [
  { any: ['tinyproxy', 'squid'], package: 'tinyproxy', suites: 'test/proxy/real.test.ts' },
  {
    any: ['redis-server'],
    package: 'redis-server',
    suites: 'test/{cluster/{cluster,gaps,restart},docs/cluster-snippets}.test.ts',
  },
  {
    any: ['chromium', 'chromium-browser', 'google-chrome'],
    package: 'chromium',
    suites: 'test/browser/**',
  },
  { any: ['nginx'], package: 'nginx-light', suites: 'test/docs/deploying.test.ts' },
  { any: ['haproxy'], package: 'haproxy', suites: 'test/docs/deploying.test.ts' },
];

/** Whether there is one of the programs; named if there is none and none can be had. */
function haveProgram({ any, package: debian, suites }) {
  const has = () => any.some((name) => spawnSync('which', [name]).status === 0);
  if (has()) return true;
  if (process.getuid?.() === 0 && spawnSync('which', ['apt-get']).status === 0) {
    title(`apt-get install ${debian}`);
    const options = ['install', '-y', '-qq', '--no-install-recommends', debian];
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    if (!run('apt-get', options, env))
      run('apt-get', ['update', '-qq']) && run('apt-get', options, env);
    if (has()) return true;
  }
  process.stdout.write(`\n!! not run: ${suites}, for want of ${any.join(' or ')}\n`);
  totals.skipped += 1;
  return false;
}

function everything() {
  const missing = programs.filter((program) => !haveProgram(program));
  const suites = missing.flatMap((program) => ['--exclude', program.suites]);
  checks();
  if (!step('build', () => runNode(['scripts/build.mjs']))) return;
  nativeTests(path.join(root, 'build-tests'), '');
  step('a brief fuzz', () => runNode(['scripts/fuzz.mjs', 'brief']));
  vitest(suites, {});
}

const [mode] = process.argv.slice(2);
try {
  if (mode === undefined) everything();
  else if (mode === 'native') nativeTests(path.join(root, 'build-tests'), '');
  else if (mode === 'valgrind') valgrind();
  else if (Object.hasOwn(sanitizers, mode)) sanitized(mode);
  else throw new Error(`unknown mode '${mode}': native, asan, tsan, ubsan, valgrind or nothing`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const { passed, failed, skipped } = totals;
process.stdout.write(
  `\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
);
process.exitCode = failed > 0 ? 1 : 0;
