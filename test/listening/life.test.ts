/**
 * Proves what is left of a socket file when the life of a server ends in other ways than by `stop`: with its
 * process, with its worker, within a drain, by a signal that nobody can catch.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PATIENT, within } from '../helpers/deadline.js';
import { RawPeer } from '../helpers/peers.js';

const script = new URL('./fixtures/listener.mjs', import.meta.url);

function newPath(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ohws-life-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'socket');
}

async function openLocal(file: string): Promise<RawPeer> {
  const socket = net.connect({ path: file, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await within(once(socket, 'connect'), `a connection to ${file}`);
  const peer = new RawPeer('client', socket);
  await peer.upgrade();
  return peer;
}

async function startProcess(file: string) {
  const child = fork(fileURLToPath(script), [file]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await within(once(child, 'message'), 'the process to listen');
  return child;
}

describe('a socket file', PATIENT, () => {
  it.each(['exit', 'SIGKILL'] as const)(
    'stays after %s, which leaves no time for anything, and the next process takes it over',
    async (end) => {
      const file = newPath();
      const child = await startProcess(file);
      const peer = await openLocal(file);
      const ended = within(once(child, 'exit'), 'the process to end');
      if (end === 'exit') child.send('exit');
      else child.kill(end);
      await ended;
      await peer.readToEnd();
      expect(existsSync(file)).toBe(true);

      await startProcess(file);

      await openLocal(file);
    },
  );

  it('is removed with its worker, also within a drain', async () => {
    const file = newPath();
    const worker = new Worker(script, { argv: [file] });
    await within(once(worker, 'message'), 'the worker to listen');
    const peer = await openLocal(file);
    worker.postMessage('drain');
    expect((await peer.expectClose()).code).toBe(1001);

    await within(worker.terminate(), 'the worker to end');

    await peer.readToEnd();
    expect(existsSync(file)).toBe(false);
  });
});
