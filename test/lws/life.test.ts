/**
 * Proves that what bare libwebsockets 4.3.5 does wrong at the start and the end of servers does not reach our users. Tests are
 * named as the files in `native/patches`, or by the rule of ours that avoids the defect; `mends.ts` has all of
 * them. The peers are raw, since no decent peer does these things.
 */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { Changes, PATIENT, plainEnvironment, poll, VERY_PATIENT } from '../helpers/deadline.js';
import { rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';
import { Victim } from '../hostile/victim.js';

const onLinux = process.platform === 'linux';

const certificates = certificatesOfFile();

describe.runIf(onLinux)(
  'D7 no descriptors left: the accept loop rests and recovers',
  PATIENT,
  () => {
    it('in a process with few descriptors', async () => {
      const fixture = await startFewDescriptors(64);
      const { port } = await fixture.say('start');

      const peers: RawPeer[] = [];
      for (let i = 0; i < 100; i++) peers.push(await RawPeer.connect({ port }));
      for (const peer of peers) peer.write(upgradeRequest());
      await fixture.say('exhausted');
      const { cpuMs, wallMs } = await fixture.say('measure');

      // A loop that spins takes all of a core; one that rests next to nothing.
      expect(cpuMs).toBeLessThan(wallMs / 2);

      for (const peer of peers) peer.socket.destroy();
      const late = await RawPeer.open({ port });
      late.sendText('served again');
      expect(await late.expectText()).toBe('served again');
      fixture.end();
    });

    async function startFewDescriptors(limit: number) {
      const script = fileURLToPath(new URL('./few-descriptors.mjs', import.meta.url));
      const child = spawn(
        'bash',
        [
          '-c',
          `ulimit -n ${limit} && LD_PRELOAD="$OHWS_PRELOAD" exec "$0" "$1"`,
          ...[process.execPath, script],
        ],
        { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: plainEnvironment() },
      );
      onTestFinished(() => void child.kill('SIGKILL'));
      const changes = new Changes();
      const answers: { port: number; cpuMs: number; wallMs: number }[] = [];
      let exited = false;
      child.on('message', (message) => {
        answers.push(message as (typeof answers)[number]);
        changes.notify();
      });
      child.on('exit', () => {
        exited = true;
        changes.notify();
      });
      return {
        say(what: 'start' | 'exhausted' | 'measure') {
          child.send(what);
          return changes.until(() => {
            if (exited) throw new Error('the process with few descriptors has ended');
            return answers.shift();
          }, `the process with few descriptors to answer '${what}'`);
        },
        end: () => child.kill(),
      };
    }
  },
);

describe('D8 an address that cannot be bound fails at once', PATIENT, () => {
  it.each([
    ['not ours', '192.0.2.1'],
    ['not ours, IPv6', '2001:db8::1'],
    ['link-local without a zone', 'fe80::1'],
  ])('%s', async (_what, serverIP) => {
    const { server } = new TestServer();

    expect(await rejection(server.start({ serverIP, serverPort: 0 }))).toMatchObject({
      code: 2302004,
    });
  });
});

describe.runIf(onLinux)('D16 starting and stopping leaks no descriptor', VERY_PATIENT, () => {
  const descriptors = () => readdirSync('/proc/self/fd').length;

  it('of the servers and connections of one engine', async () => {
    const cycle = async () => {
      const server = await TestServer.start({ serverCert: certificates.server });
      const client = await TestClient.open(`wss://localhost:${server.port}/`, {
        caPath: certificates.caPath,
      });
      await client.send('x');
      await server.nextMessage();
      await server.stop();
      await client.nextClose();
    };
    for (let i = 0; i < 3; i++) await cycle();
    const before = descriptors();

    for (let i = 0; i < 30; i++) await cycle();

    await poll(
      () => descriptors() <= before + 5,
      () => `the descriptors to go down from ${descriptors()} to about ${before}`,
    );
  });

  it('of engines', async () => {
    const run = async () => {
      const worker = new Worker(
        `
          const { workerData } = require('node:worker_threads');
          const { createRequire } = require('node:module');
          const { webSocket } = createRequire(workerData)('ohos-websocket');
          const server = webSocket.createWebSocketServer();
          server.start({ serverIP: '127.0.0.1', serverPort: 0 })
            .then(() => server.stop())
            .then(() => process.exit(0));
        `,
        { eval: true, workerData: import.meta.url },
      );
      await once(worker, 'exit');
    };
    for (let i = 0; i < 3; i++) await run();
    const before = descriptors();

    for (let i = 0; i < 20; i++) await run();

    await poll(
      () => descriptors() <= before + 5,
      () => `the descriptors to go down from ${descriptors()} to about ${before}`,
    );
  });
});

describe.runIf(onLinux)('D23 descriptors beyond 2560 without a limit', PATIENT, () => {
  it.runIf(spawnSync('cc', ['--version']).status === 0)(
    'are those of connections too',
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'ohws-unlimited-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const library = path.join(folder, 'unlimited.so');
      const source = fileURLToPath(new URL('./unlimited.c', import.meta.url));
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
      const preload = [library, process.env['LD_PRELOAD']].filter(Boolean).join(' ');
      const victim = new Victim([], { LD_PRELOAD: preload });
      await victim.ask('openFiles', { count: 2700 });
      await victim.serve();

      const peer = await RawPeer.open({ port: victim.port });
      peer.sendText('numbered beyond 2560');

      expect(await peer.expectText()).toBe('numbered beyond 2560');
    },
  );
});

describe('D25 a server stops with connections at every stage', VERY_PATIENT, () => {
  it('again and again', async () => {
    for (let round = 0; round < 20; round++) {
      const server = await TestServer.start();
      const { port } = server;
      const silent = await RawPeer.connect({ port });
      const halfway = await RawPeer.connect({ port });
      halfway.write(upgradeRequest().slice(0, 60));
      const open = await RawPeer.open({ port });
      const blocked = await RawPeer.open({ port });
      const [, connection] = [await server.nextConnect(), await server.nextConnect()];
      blocked.stopReading();
      for (let n = 0; n < 20; n++) {
        void server.server.send(Buffer.alloc(500_000), connection).catch(() => {});
      }

      const stopped = server.stop();
      expect(await open.expectClose()).toMatchObject({ code: 1001 });
      open.sendClose(1001);
      for (const peer of [silent, halfway, open, blocked]) peer.reset();

      expect(await stopped).toBe(true);
    }
    const again = await TestServer.start();
    await TestClient.open(again.url());
  });
});
