/**
 * What the machine does to us: peers that are stopped or killed, no memory, no descriptors, no ports, and
 * a clock that jumps. (Descriptors that run out under a server: test/lws, D7.)
 */

import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SLOWNESS } from '../helpers/child.js';
import { PATIENT, plainEnvironment, poll, VERY_PATIENT, within } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer, upgradeRequest } from '../helpers/peers.js';
import { Neighbour, Victim } from './victim.js';

const onLinux = process.platform === 'linux';
const isSanitized = Boolean(process.env['OHWS_PRELOAD']);
const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

function has(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** A `ws` client in a process of its own. */
function peerProcess(port: number, what: string) {
  const child = fork(fixture('peer.mjs'), [`${port}`, what], { env: plainEnvironment() });
  onTestFinished(() => void child.kill('SIGKILL'));
  const says = async (word: string) => {
    const [said] = await within(once(child, 'message'), `the peer to say '${word}'`);
    expect(said).toBe(word);
  };
  return { child, says };
}

describe('a peer process', PATIENT, () => {
  it('that is killed within a message', async () => {
    const server = await TestServer.start();
    const { child, says } = peerProcess(server.port, 'half a message');
    await says('sent');

    child.kill('SIGKILL');

    expect(await server.nextClose()).toMatchObject({ code: 0 });
    expect(server.log.names).toEqual(['connect', 'error', 'close']);
  });

  it('that is stopped for a while gets everything, in order', async () => {
    const server = await TestServer.start();
    const neighbourServer = await TestServer.startEcho();
    const neighbour = await Neighbour.of(neighbourServer.port);
    const { child, says } = peerProcess(server.port, 'counts');
    await says('open');
    const connection = await server.nextConnect();

    child.kill('SIGSTOP');
    // 50 MB: more than the kernels keep.
    for (let n = 0; n < 5000; n++) void server.server.send(`${n}`.padEnd(10_000), connection);
    await neighbour.isServed();
    child.kill('SIGCONT');

    await says('all');
    expect(server.log.names).toEqual(['connect']);
  });
});

describe.runIf(onLinux)('our own process under SIGTERM', PATIENT, () => {
  it('drains: whoever reads gets everything, nobody holds it up, newcomers are told', async () => {
    const victim = await Victim.serve();
    const reader = await RawPeer.open({ port: victim.port });
    const stuck = await RawPeer.open({ port: victim.port });
    const halfMade = await RawPeer.connect({ port: victim.port });
    halfMade.write(upgradeRequest().slice(0, 40));
    const report = victim.ask('drainAtSigterm', { drain: 2 * SLOWNESS });
    for (const peer of [reader, stuck]) {
      peer.stopReading();
      peer.sendText('burst');
    }
    await poll(
      async () => (await victim.report()).counts.messageReceive === 2,
      () => 'both bursts to be asked for',
    );

    victim.process.kill('SIGTERM');

    reader.readOn();
    for (let n = 0; n < 32; n++) expect((await reader.readFrame()).payload).toHaveLength(1 << 20);
    expect(await reader.expectClose()).toMatchObject({ code: 1001 });
    const late = await RawPeer.connect({ port: victim.port });
    late.write(upgradeRequest());
    expect((await late.readHead()).status).toBe(503);
    halfMade.write(upgradeRequest().slice(40));
    expect((await halfMade.readHead()).status).toBe(503);
    reader.halfClose();
    const exit = once(victim.process, 'exit');
    expect(await report).toMatchObject({ closed: 1, cut: 1, refused: 2 });
    expect(await within(exit, 'the process to end')).toEqual([0, null]);
  });
});

describe.runIf(onLinux && !isSanitized)('no memory for a message', PATIENT, () => {
  it.runIf(has('prlimit', '--version'))('fails that connection alone', async () => {
    const victim = await Victim.serve();
    const neighbour = await Neighbour.of(victim.port);
    const peer = await RawPeer.open({ port: victim.port });
    const status = execFileSync('cat', [`/proc/${victim.process.pid}/status`], {
      encoding: 'utf8',
    });
    const dataKiB = Number(/VmData:\s+(\d+)/.exec(status)?.[1]);
    const limit = (dataKiB + 48 * 1024) * 1024;
    execFileSync('prlimit', ['--pid', `${victim.process.pid}`, `--data=${limit}:${limit}`]);

    const bytes = peer.encode([{ opcode: Opcode.binary, payload: Buffer.alloc(100_000_000) }]);
    peer.write(bytes);

    expect((await peer.expectClose()).code).toBe(1009);
    await neighbour.isServed();
  });
});

describe.runIf(onLinux)('no descriptors', PATIENT, () => {
  it.runIf(has('prlimit', '--version'))(
    'for a client: an error, and later a connection',
    async () => {
      const honest = await TestServer.startEcho();
      const victim = new Victim();
      await victim.ask('neighbour', { url: honest.url() });
      const { descriptors } = await victim.report();
      // The highest number in use is not the count of them: some room for that, too little for the clients.
      const pid = ['--pid', `${victim.process.pid}`];
      execFileSync('prlimit', [...pid, `--nofile=${descriptors + 10}:4096`]);
      const many = { url: honest.url(), times: 60 };

      const { opened, failed } = await victim.ask<{ opened: number; failed: number }>(
        'openMany',
        many,
      );
      expect(opened + failed).toBe(60);
      expect(failed).toBeGreaterThan(0);
      execFileSync('prlimit', [...pid, '--nofile=4096:4096']);
      expect(await victim.ask('openMany', many)).toEqual({
        opened: 60,
        failed: 0,
      });
      expect((await victim.report()).neighbourFault).toBe('');
    },
  );
});

/** A network of its own, where eleven ports are all there are. */
const FEW_PORTS = 'ip link set lo up && echo "50000 50010" >/proc/sys/net/ipv4/ip_local_port_range';
const canLackPorts = onLinux && !isSanitized && has('unshare', '-n', 'sh', '-c', FEW_PORTS);

describe.runIf(canLackPorts)('no ports', PATIENT, () => {
  it('for a client: an error event, and the others live', async () => {
    const victim = new Victim(['unshare', '-n', 'sh', '-c', `${FEW_PORTS} && exec "$0" "$@"`]);
    const port = await victim.ask<number>('serve', { serverPort: 40_000 });
    const url = `ws://127.0.0.1:${port}/`;

    type Outcome = { opened: number; failed: number };
    const { opened, failed } = await victim.ask<Outcome>('openMany', { url, times: 20 });
    expect(opened + failed).toBe(20);
    // Fewer than there are ports if the kernel, which looks without a lock, passes a free one by.
    expect(opened).toBeLessThanOrEqual(11);
    expect(opened).toBeGreaterThan(5);

    // Those that are open are closed by then; their ports come back later than this test may wait.
    expect((await victim.report()).counts.connect).toBe(opened);
  });
});

describe.runIf(onLinux && !isSanitized && has('cc', '--version'))(
  'a clock that jumps',
  VERY_PATIENT,
  () => {
    it.each([86_400, -86_400])('by %i seconds: no deadline moves', async (seconds) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'ohws-clock-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const library = path.join(folder, 'clock.so');
      const clock = path.join(folder, 'clock');
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, fixture('clock.c'), '-ldl']);
      writeFileSync(clock, '0');
      const victim = new Victim([], { LD_PRELOAD: library, OHWS_CLOCK: clock });
      await victim.serve({ limits: { handshakeTimeoutMs: 2000, closeTimeoutMs: 2000 } });
      const neighbour = await Neighbour.of(victim.port);
      const handshaking = await RawPeer.connect({ port: victim.port });
      const today = await victim.ask<number>('today');

      writeFileSync(clock, `${seconds}`);

      const moved = (await victim.ask<number>('today')) - today;
      expect(Math.abs(moved - seconds * 1000)).toBeLessThan(60_000);
      await neighbour.isServed();
      // A deadline that was set before is still to come, and comes.
      expect(handshaking.ended).toBe(undefined);
      expect((await handshaking.readHead()).status).toBe(408);
      const late = await RawPeer.open({ port: victim.port });
      late.sendText('after the jump');
      expect(await late.expectText()).toBe('after the jump');
      await neighbour.isServed();
    });
  },
);
