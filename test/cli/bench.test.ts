/** `ohos-websocket bench`: that it counts right and stops. How fast anything is, is no matter of tests. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { Latencies } from '../../bin/latencies.mjs';
import { bars, bytes, harmless, hexDump } from '../../bin/terminal.mjs';
import { PATIENT } from '../helpers/deadline.js';
import { run, start } from './program.js';

async function listen(answer: (data: Buffer) => Buffer) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => void server.close());
  let messages = 0;
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, binary) => {
      messages += 1;
      socket.send(answer(data), { binary });
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/`, count: () => messages };
}

describe('ohos-websocket bench', PATIENT, () => {
  it('counts the echoes of a server', async () => {
    const { url, count } = await listen((data) => data);
    const args = ['-d', '0.3', '-c', '3', '-n', '4', '-s', '100', '--binary', '--json'];
    const { stdout } = await start('bench', url, ...args).exits(0);
    const { messages, latencyNanoseconds } = JSON.parse(stdout);
    expect(messages).toBe(count());
    expect(messages).toBeGreaterThanOrEqual(12);
    const { p50, p99, max } = latencyNanoseconds;
    expect(p50).toBeLessThanOrEqual(p99);
    expect(p99).toBeLessThanOrEqual(max);
  });

  it('has a server of its own, and a chart', () => {
    const { status, stdout, stderr } = run('bench', '-d', '0.2', '-c', '2');
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^ws:\/\/127\.0\.0\.1:\d+\/: 2 connections, 1 in flight, 64 bytes text$/m,
    );
    expect(stdout).toMatch(/^latency: p50 .*, p99\.9 .*, max /m);
    expect(stdout).toMatch(/^ *≤ .*│.* \d+$/m);
    expect(status).toBe(0);
  });

  it('says so when it is no echo', async () => {
    const { url } = await listen(() => Buffer.from('no'));
    const { stderr } = await start('bench', url, '-d', '0.2').exits(1);
    expect(stderr).toContain('an echo of 2 bytes instead of 64: no echo server?');
  });
});

describe('what is shown', () => {
  it('latencies: percentiles within three percent', () => {
    const latencies = new Latencies();
    for (let i = 1; i <= 10_000; i++) latencies.add(i * 1000);
    for (const [part, expected] of [
      [0.5, 5_000_000],
      [0.99, 9_900_000],
      [1, 10_000_000],
    ] as const) {
      const found = latencies.percentile(part);
      expect(found).toBeGreaterThanOrEqual(expected);
      expect(found).toBeLessThanOrEqual(expected * 1.032);
    }
    const ranges = latencies.ranges(5);
    expect(ranges.reduce((sum, [, number = 0]) => sum + number, 0)).toBe(10_000);
    expect(new Latencies().percentile(0.5)).toBe(0);
  });

  it('bytes, bars, hexadecimal, control characters', () => {
    expect([0, 1023, 1536, 5 << 20].map(bytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 MiB']);
    expect(
      bars(
        [
          ['a', 2],
          ['bb', 1],
        ],
        4,
      ),
    ).toBe(' a │████ 2\nbb │██ 1');
    expect(hexDump(new Uint8Array([65, 10]))).toBe(`00000000  41 0a${' '.repeat(45)}|A.|`);
    expect(harmless('a\tb\r\x1b]0;x\x07\u009b')).toBe('a\tb\\x0d\\x1b]0;x\\x07\\x9b');
  });
});
