/**
 * The process under attack, and its healthy neighbour: a connection that goes round with messages all
 * the while and must notice nothing.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { Changes, growthBound, poll } from '../helpers/deadline.js';
import { type ConnectOptions, RawPeer } from '../helpers/peers.js';

export interface Report {
  readonly bytes: number;
  readonly peakBytes: number;
  readonly cpuMs: number;
  readonly descriptors: number;
  readonly connections: number;
  readonly counts: Readonly<
    Record<'connect' | 'messageReceive' | 'close' | 'error' | 'open' | 'clientError', number>
  >;
  readonly neighbourRounds: number;
  readonly neighbourFault: string;
}

const SCRIPT = fileURLToPath(new URL('./fixtures/victim.mjs', import.meta.url));

export class Victim {
  readonly process: ChildProcess;
  port = 0;
  readonly #changes = new Changes();
  readonly #answers = new Map<number, readonly [value: unknown, failure?: string]>();
  #asked = 0;
  #exit: string | undefined;

  /** `command` runs Node; the script and what follows are appended. */
  constructor(command: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const [program = process.execPath, ...args] = [...command, process.execPath, SCRIPT];
    this.process = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    onTestFinished(() => void this.process.kill('SIGKILL'));
    this.process.on('message', (message) => {
      const [id, ...answer] = message as [number, unknown, string?];
      this.#answers.set(id, answer);
      this.#changes.notify();
    });
    this.process.on('exit', (code, signal) => {
      this.#exit = `the victim has ended: ${signal ?? code}`;
      this.#changes.notify();
    });
  }

  static async serve(config: object = {}): Promise<Victim> {
    const victim = new Victim();
    await victim.serve(config);
    return victim;
  }

  async serve(config: object = {}): Promise<void> {
    this.port = await this.ask<number>('serve', config);
  }

  async ask<T>(order: string, argument?: object): Promise<T> {
    const id = ++this.#asked;
    this.process.send([id, order, argument]);
    const [value, failure] = await this.#changes.until(() => {
      if (this.#exit !== undefined) throw new Error(this.#exit);
      return this.#answers.get(id);
    }, `the victim to answer '${order}'`);
    if (failure !== undefined) throw new Error(failure);
    return value as T;
  }

  report(): Promise<Report> {
    return this.ask('report');
  }

  /** Reads nothing and does nothing from now on; Linux. */
  async standStill(): Promise<void> {
    this.process.kill('SIGSTOP');
    await poll(
      () => readFileSync(`/proc/${this.process.pid}/stat`, 'latin1').split(') ')[1]?.[0] === 'T',
      () => 'the victim to stand still',
    );
  }

  goOn(): void {
    this.process.kill('SIGCONT');
  }

  /** Only so many connections are left, and so many descriptors more than before. */
  async settles(connections: number, descriptors: number): Promise<void> {
    let last = await this.report();
    await poll(
      async () => {
        last = await this.report();
        return last.connections === connections && last.descriptors <= descriptors;
      },
      () =>
        `${connections} connections and ${descriptors} descriptors; there are ` +
        `${last.connections} and ${last.descriptors}`,
    );
  }
}

/** Echoes with a server, one message after the other, until it is told to stop. */
export class Neighbour {
  readonly #peer: RawPeer;
  readonly #changes = new Changes();
  #rounds = 0;
  #failure: Error | undefined;

  private constructor(peer: RawPeer) {
    this.#peer = peer;
    void this.#goRound().catch((error: Error) => {
      this.#failure = error;
      this.#changes.notify();
    });
  }

  static async of(port: number, tls?: ConnectOptions['tls']): Promise<Neighbour> {
    const neighbour = new Neighbour(await RawPeer.open(tls ? { port, tls } : { port }));
    await neighbour.isServed();
    return neighbour;
  }

  async #goRound(): Promise<void> {
    for (;;) {
      const text = `round ${this.#rounds} `.padEnd(1000, 'x');
      this.#peer.sendText(text);
      if ((await this.#peer.expectText()) !== text) throw new Error('another text came back');
      this.#rounds++;
      this.#changes.notify();
    }
  }

  /** It has been served all the time, and goes round some more. */
  async isServed(more = 20): Promise<void> {
    const goal = this.#rounds + more;
    await this.#changes.until(() => {
      if (this.#failure) throw new Error(`the neighbour: ${this.#failure.message}`);
      return this.#rounds >= goal ? true : undefined;
    }, `the neighbour to go round ${more} times`);
  }
}

/** Attacks a server beside a neighbour; nothing is left of it, and it has not cost more than this. */
export async function withstands(
  attack: (victim: Victim) => Promise<void>,
  { config = {}, bytes, tls }: { config?: object; bytes: number; tls?: ConnectOptions['tls'] },
): Promise<Victim> {
  const victim = await Victim.serve(config);
  const neighbour = await Neighbour.of(victim.port, tls);
  const before = await victim.report();
  await attack(victim);
  await neighbour.isServed();
  await victim.settles(1, before.descriptors + 2);
  const { peakBytes } = await victim.report();
  expect(peakBytes - before.bytes).toBeLessThan(growthBound(bytes));
  return victim;
}
