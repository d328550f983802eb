// The processes that the benchmark starts. All are known here, so that none is left behind.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @type {Set<Child>} */
const living = new Set();

/** Ends every child at once; for the way out of the benchmark. */
export function killChildren() {
  for (const child of living) child.kill();
}

/** A child process that talks in lines of JSON. */
export class Child {
  #process;
  #name;
  #exited;
  #stderr = '';
  /** @type {unknown[]} */
  #lines = [];
  /** @type {((line: unknown) => void) | undefined} */
  #wanted;

  /**
   * @param {string} name for messages
   * @param {readonly string[]} commandLine
   */
  constructor(name, commandLine) {
    const [command = '', ...args] = commandLine;
    this.#name = name;
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    living.add(this);

    this.#process.stdin.on('error', () => {}); // it ended; exit and the missing answer tell
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#onLine(line));
    this.#exited = new Promise((resolve) => {
      this.#process.on('error', (error) => {
        this.#stderr += error.message;
      });
      this.#process.on('close', (code) => {
        living.delete(this);
        resolve(code ?? -1);
      });
    });
  }

  /** What it has said on stderr, the end of it. */
  get stderr() {
    return this.#stderr.trim();
  }

  get pid() {
    return this.#process.pid;
  }

  /** @param {string} line */
  write(line) {
    this.#process.stdin.write(`${line}\n`);
  }

  /**
   * The next line of its stdout, parsed.
   *
   * @param {number} seconds
   * @returns {Promise<any>}
   */
  async line(seconds) {
    if (this.#lines.length > 0) return this.#lines.shift();
    const line = new Promise((resolve) => {
      this.#wanted = resolve;
    });
    const gone = this.#exited.then(() => {
      throw new Error(`${this.#name} ended early`);
    });
    return within(seconds, `an answer of ${this.#name}`, Promise.race([line, gone]));
  }

  /**
   * Waits for its end.
   *
   * @param {number} seconds
   * @returns {Promise<number>} the exit status
   */
  exit(seconds) {
    return within(seconds, `the end of ${this.#name}`, this.#exited);
  }

  /** Closes its stdin, which ends a server; kills it if it does not end. */
  async end() {
    this.#process.stdin.end();
    await this.exit(3).catch(() => this.kill());
    await this.#exited;
  }

  kill() {
    this.#process.kill('SIGKILL');
  }

  /** @param {string} text */
  #onLine(text) {
    const line = JSON.parse(text);
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted) wanted(line);
    else this.#lines.push(line);
  }
}

/**
 * @template T
 * @param {number} seconds
 * @param {string} what
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function within(seconds, what, promise) {
  /** @type {NodeJS.Timeout} */
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} did not come in ${seconds} s`)),
      seconds * 1e3,
    );
  });
  return Promise.race([promise, /** @type {Promise<never>} */ (late)]).finally(() =>
    clearTimeout(timer),
  );
}
