// @ts-check
/**
 * Runs a case in a process of its own, so that no case sees what another left behind, within its
 * time limit, and gives the verdict.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { differences } from './compare.mjs';
import { takePort } from './ports.mjs';

/** @import { Case, CaseReport, RunOptions, Verdict } from './format.js' */

const CASE_PROCESS = fileURLToPath(new URL('./case-process.mjs', import.meta.url));
const LIMIT_MS = 20_000;
const STDERR_TAIL = 2000;

/**
 * @param {Case} testCase
 * @param {RunOptions} options
 * @returns {Promise<Verdict>}
 */
export async function runCase(testCase, options) {
  const { id, title } = testCase;
  const outcome = await observe(testCase, options);
  const found = [
    ...('report' in outcome ? judge(testCase, outcome.report, options) : []),
    ...outcome.faults,
  ];
  return { id, title, matched: found.length === 0, differences: found };
}

/**
 * Makes a function that runs what it is given, but never more than `width` of it at a time.
 *
 * @param {number} width
 * @returns {<Result>(work: () => Promise<Result>) => Promise<Result>}
 */
export function limiter(width) {
  let running = 0;
  /** @type {(() => void)[]} */
  const waiting = [];
  return async (work) => {
    if (running < width) running++;
    else await new Promise((resolve) => waiting.push(() => resolve(undefined)));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/**
 * @param {Case} testCase
 * @param {CaseReport} report
 * @param {RunOptions} options
 */
function judge(testCase, report, options) {
  return 'failure' in report
    ? [`the case could not be played: ${report.failure}`]
    : differences(testCase, report.observation, options);
}

/**
 * @param {Case} testCase
 * @param {RunOptions} options
 * @returns {Promise<{ report?: CaseReport, faults: string[] }>}
 */
async function observe(testCase, options) {
  const limitMs = (testCase.limitMs ?? LIMIT_MS) * (options.limitScale ?? 1);
  const child = fork(CASE_PROCESS, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...withoutProxies(process.env), PARITY_PROFILE: options.profile, ...options.env },
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-STDERR_TAIL);
  });
  /** @type {CaseReport | undefined} */
  let report;
  child.once('message', (message) => {
    report = /** @type {CaseReport} */ (message);
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, limitMs);
  const ended = once(child, 'close');
  child.send({
    testCase,
    entry: options.entry,
    profile: options.profile,
    ports: { port: await takePort(), port2: await takePort(), closedPort: await takePort() },
    patience: options.patience ?? 1,
  });
  const [code, signal] = await ended;
  clearTimeout(timer);
  const when = report === undefined ? 'before the case was over' : 'after the case';
  /** @type {string[]} */
  const faults = [];
  if (late) faults.push(`still running after ${limitMs} ms, ${when}`);
  else if (code !== 0) faults.push(`process ended ${when}: ${signal ?? `exit ${code}`}\n${stderr}`);
  else if (report === undefined) faults.push(`process exited ${when}`);
  return report === undefined ? { faults } : { report, faults };
}

/**
 * Proxies of the machine are no part of a case.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function withoutProxies(env) {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(https?|all|no)_proxy$/i.test(name)),
  );
}
