/**
 * Programs in a process of their own: started, watched, and ended for certain. For everything whose
 * result is the end of a process: its exit code, the signal that killed it, or that it never ends.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** How much longer everything may take under a sanitizer. */
export const SLOWNESS = process.env['OHWS_PRELOAD'] ? 6 : 1;

/** Long enough for a loaded machine; only a process that hangs reaches it. */
const LIMIT_MS = 15_000;

export interface ChildOptions {
  readonly args?: readonly string[];
  /** Options of Node itself, e.g. `--expose-gc`. */
  readonly nodeOptions?: readonly string[];
  /** Its working folder. */
  readonly cwd?: string;
  /** Variables of its environment, beside those of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long the process may take. */
  readonly limitMs?: number;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The process did not end by itself; it was killed. */
export class HangError extends Error {
  override readonly name = 'HangError';
}

/** A running program. */
export class Child {
  readonly #what: string;
  readonly #process: ChildProcess;
  readonly #limitMs: number;
  readonly #ended: Promise<Ending>;
  #stdout = '';
  #stderr = '';

  constructor(script: URL, options: ChildOptions = {}) {
    const { args = [], nodeOptions = [], limitMs = LIMIT_MS, cwd, environment } = options;
    const path = fileURLToPath(script);
    this.#what = [...nodeOptions, path, ...args].join(' ');
    this.#limitMs = limitMs * SLOWNESS;
    this.#process = fork(path, [...args], {
      execArgv: [...nodeOptions],
      silent: true,
      cwd,
      env: { ...process.env, ...environment },
    });
    this.#process.stdout?.on('data', (chunk) => {
      this.#stdout += chunk;
    });
    this.#process.stderr?.on('data', (chunk) => {
      this.#stderr += chunk;
    });
    // Nobody may be listening when it happens; `message` and `ended` report it.
    this.#ended = this.#watch();
    this.#ended.catch(() => {});
  }

  /** The next message that the program sends with `process.send`. */
  async message(): Promise<unknown> {
    const abort = new AbortController();
    const ended = this.#ended.then((ending) => {
      throw new Error(`no message: ${describeEnding(this.#what, ending)}`);
    });
    try {
      const [message] = await Promise.race([
        once(this.#process, 'message', { signal: abort.signal }),
        ended,
      ]);
      return message;
    } finally {
      abort.abort();
    }
  }

  /** Waits until the program's standard output matches. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const { stdout } = this.#process;
    const match = new Promise<RegExpExecArray>((resolve) => {
      const look = () => {
        const found = pattern.exec(this.#stdout);
        if (found) resolve(found);
      };
      stdout?.on('data', look);
      look();
    });
    const ended = this.#ended.then((ending) => {
      throw new Error(`did not print ${pattern}: ${describeEnding(this.#what, ending)}`);
    });
    return Promise.race([match, ended]);
  }

  /** Its standard input. */
  get input(): Writable {
    const { stdin } = this.#process;
    if (stdin === null) throw new Error('the program has no standard input');
    return stdin;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** How the process ended. Rejects with a `HangError` if it had to be killed. */
  ended(): Promise<Ending> {
    return this.#ended;
  }

  /** Waits for the end and demands this exit code, and no signal. */
  async exits(code = 0): Promise<Ending> {
    const ending = await this.#ended;
    if (ending.code === code && ending.signal === null) return ending;
    throw new Error(`expected exit ${code}: ${describeEnding(this.#what, ending)}`);
  }

  async #watch(): Promise<Ending> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#process.kill('SIGKILL');
    }, this.#limitMs);
    const [code, signal] = await once(this.#process, 'close');
    clearTimeout(timer);
    const ending: Ending = { code, signal, stdout: this.#stdout, stderr: this.#stderr };
    if (!isLate) return ending;
    throw new HangError(`${this.#what}\nstill ran after ${this.#limitMs} ms\n${output(ending)}`);
  }
}

/** Runs a program to its end and demands this exit code, and no signal. */
export function expectExit(
  script: URL,
  { code = 0, ...options }: ChildOptions & { readonly code?: number } = {},
): Promise<Ending> {
  return new Child(script, options).exits(code);
}

function describeEnding(what: string, ending: Ending): string {
  const { code, signal } = ending;
  const how = signal === null ? `exited with ${code}` : `was killed by ${signal}`;
  return `${what}\n${how}\n${output(ending)}`;
}

function output({ stdout, stderr }: Ending): string {
  return `stdout: ${stdout.trim() || '(empty)'}\nstderr: ${stderr.trim() || '(empty)'}`;
}
