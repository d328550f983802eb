/**
 * The demo's report: a line for each step with its result, and below it, while a step runs, a line
 * of progress that is rewritten on a terminal and written at most once a second elsewhere.
 */

import { clearLine, cursorTo } from 'node:readline';

const out = process.stdout;
const PLAIN_EVERY_MS = 1000;
const TERMINAL_EVERY_MS = 50;
const FEWEST_FOR_A_RATE = 20;

export class Report {
  /** Messages that came back intact, and their bytes, in all steps. */
  messages = 0;
  bytes = 0;

  #startedAt = performance.now();
  #step = '';
  #shownAt = 0;

  heading(text) {
    out.write(`${text}\n\n`);
  }

  /**
   * Runs one step and reports it: `work` returns the detail to print.
   */
  async step(title, work) {
    this.#step = title;
    this.#shownAt = performance.now();
    const before = { messages: this.messages, bytes: this.bytes, at: performance.now() };
    const detail = await work();
    const seconds = (performance.now() - before.at) / 1000;
    const rate = this.#rate(this.messages - before.messages, this.bytes - before.bytes, seconds);
    this.#line(`  ok  ${title.padEnd(22)} ${[detail, rate].filter(Boolean).join('; ')}`);
    this.#step = '';
  }

  /** A message came back intact. */
  count(bytes) {
    this.messages++;
    this.bytes += bytes;
    const now = performance.now();
    if (now - this.#shownAt < (out.isTTY ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS)) return;
    this.#shownAt = now;
    const text = `  ..  ${this.#step.padEnd(22)} ${this.#volume(this.messages, this.bytes)} so far`;
    if (out.isTTY) this.#rewrite(text);
    else out.write(`${text}\n`);
  }

  failed(error) {
    this.#line(`  FAILED  ${this.#step}: ${error.message ?? error}`);
  }

  total() {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const volume = this.#volume(this.messages, this.bytes);
    out.write(`\n${volume} went there and came back intact, in ${seconds.toFixed(2)} s\n`);
  }

  #line(text) {
    if (out.isTTY) this.#rewrite('');
    out.write(`${text}\n`);
  }

  #rewrite(text) {
    cursorTo(out, 0);
    clearLine(out, 0);
    out.write(text);
  }

  #volume(messages, bytes) {
    const count = `${messages.toLocaleString('en')} message${messages === 1 ? '' : 's'}`;
    return bytes < 1e5
      ? `${count}, ${bytes.toLocaleString('en')} B`
      : `${count}, ${(bytes / 1e6).toFixed(1)} MB`;
  }

  #rate(messages, bytes, seconds) {
    if (messages === 0) return '';
    if (messages < FEWEST_FOR_A_RATE) return this.#volume(messages, bytes);
    const perSecond = Math.round(messages / seconds).toLocaleString('en');
    const megabytes = (bytes / 1e6 / seconds).toFixed(bytes / seconds < 1e7 ? 1 : 0);
    return `${this.#volume(messages, bytes)}, ${perSecond} round trips/s, ${megabytes} MB/s each way`;
  }
}
