/**
 * A real `redis-server` on a Unix socket of its own, started and killed by the tests by its process id, with
 * nothing kept on disk: a restart is a total loss. And connections of the tests' own to it.
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { createClient, type RedisClientOptions, type RedisClientType } from 'redis';
import { onTestFinished } from 'vitest';
import { Changes, plainEnvironment, within } from '../helpers/deadline.js';

type Process = ChildProcessByStdio<null, Readable, null>;

export class RedisServer {
  readonly #folder: string;
  #process: Process | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Started; stopped when the test has finished. */
  static async start(): Promise<RedisServer> {
    const server = new RedisServer(mkdtempSync(path.join(tmpdir(), 'ohws-redis-')));
    onTestFinished(async () => {
      await server.kill();
      rmSync(server.#folder, { recursive: true, force: true });
    });
    await server.startAgain();
    return server;
  }

  get socketPath(): string {
    return path.join(this.#folder, 'redis.sock');
  }

  /** For `createClient`. */
  get options(): RedisClientOptions {
    return { socket: { path: this.socketPath, tls: false } };
  }

  /** Resolves when it takes connections. */
  async startAgain(): Promise<void> {
    const options = [
      ...['--port', '0', '--unixsocket', this.socketPath, '--dir', this.#folder],
      ...['--save', '', '--appendonly', 'no'],
    ];
    const server: Process = spawn('redis-server', options, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: plainEnvironment(),
    });
    this.#process = server;
    await within(once(server, 'spawn'), 'redis-server to be started; is it installed?');
    const output = new Changes();
    let text = '';
    server.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      output.notify();
    });
    const ready = () => (/ready to accept connections/i.test(text) ? true : undefined);
    await output.until(ready, 'redis-server to be ready');
  }

  /** Kills it at once. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await within(once(server, 'exit'), 'redis-server to be killed');
  }

  /** Stops it from running, or lets it run on; its connections stay. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** A connection of the test's own. */
  async client(): Promise<RedisClientType> {
    const client = createClient(this.options) as unknown as RedisClientType;
    client.on('error', () => undefined);
    onTestFinished(() => client.destroy());
    await within(client.connect(), 'a client of the test to connect');
    return client;
  }
}
