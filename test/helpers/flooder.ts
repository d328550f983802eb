/**
 * A raw peer in a process of its own that sends as fast as the other side takes. For the tests in
 * which our own JavaScript is blocked, or our own memory is measured, while a peer sends.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { Changes, plainEnvironment } from './deadline.js';

export type FloodContent =
  /** The series of `mixed-messages.mjs`. */
  | { readonly kind: 'mixed'; readonly seed: number }
  /** Texts of `size` characters: the message's number and dots. */
  | { readonly kind: 'numbered'; readonly size: number };

interface CommonOptions {
  /** Messages to send, unless stopped before; the text `end` follows them. */
  readonly count: number;
  readonly framesPerWrite: number;
  readonly content: FloodContent;
}

export type FlooderOptions = CommonOptions &
  (
    | { readonly role: 'client'; readonly port: number; readonly tls?: { readonly caPath: string } }
    | {
        readonly role: 'server';
        readonly port?: undefined;
        readonly tls?: { readonly certPath: string; readonly keyPath: string };
      }
  );

/** What the child has said so far. */
interface Said {
  port?: number;
  open?: true;
  sent?: number;
}

export class Flooder {
  readonly #child: ChildProcess;
  readonly #changes = new Changes();
  #said: Said = {};
  #exited = false;

  constructor(options: FlooderOptions) {
    const script = fileURLToPath(new URL('./flooder-child.mjs', import.meta.url));
    this.#child = fork(script, [JSON.stringify(options)], {
      execArgv: [],
      env: plainEnvironment(),
    });
    this.#child.on('message', (message) => {
      this.#said = { ...this.#said, ...(message as object) };
      this.#changes.notify();
    });
    this.#child.on('exit', () => {
      this.#exited = true;
      this.#changes.notify();
    });
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  /** The text that numbered message `index` consists of. */
  static numbered(index: number, size: number): string {
    return String(index).padEnd(size, '.');
  }

  /** Port of a flooder that is a server. */
  get port(): Promise<number> {
    return this.#hear('port');
  }

  /** The connection is upgraded. */
  get open(): Promise<true> {
    return this.#hear('open');
  }

  /** How many messages were handed to the system, once that is final. */
  sent(deadlineMs?: number): Promise<number> {
    return this.#hear('sent', deadlineMs);
  }

  /** Starts sending. */
  go(): void {
    this.#child.send('go');
  }

  /** Stops sending after the current write. */
  stop(): void {
    this.#child.send('stop');
  }

  #hear<K extends keyof Said>(what: K, deadlineMs?: number): Promise<NonNullable<Said[K]>> {
    return this.#changes.until(
      () => {
        const said: Said[K] = this.#said[what];
        if (said === undefined && this.#exited) {
          throw new Error(`the flooder ended before it said '${what}'`);
        }
        return said ?? undefined;
      },
      `the flooder to say '${what}'`,
      deadlineMs,
    );
  }
}
