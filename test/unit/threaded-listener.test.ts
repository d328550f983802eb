/** The listeners of a server of several threads as one, with engines that the test plays. */

import { expect, test } from 'vitest';
import { ThreadedListener } from '../../lib/threaded-listener.js';
import type { EngineFailure, ServerConfig, TlsConfig } from '../../lib/transport.js';
import { call, newServer } from '../helpers/fake-endpoints.js';
import { type FakeServer, FakeTransport, failure, settled } from '../helpers/fake-transport.js';

const TLS: TlsConfig = { certificates: [], clientCertificates: 'none', caPath: '' };

/** A configuration as `start` makes it. */
function configuration(): ServerConfig {
  const { server, transport } = newServer();
  void call(server, 'start', { serverPort: 0, threads: 1 });
  return transport.server.config;
}

interface Started {
  readonly listener: ThreadedListener;
  readonly engines: readonly FakeTransport[];
  /** What `onStarted` was called with. */
  readonly started: [readonly number[], EngineFailure | undefined][];
}

function listen(threads: number): Started {
  const engines = Array.from({ length: threads }, () => new FakeTransport());
  const started: Started['started'] = [];
  const listener = new ThreadedListener(engines, configuration(), {
    onStarted: (ports, problem) => void started.push([ports, problem]),
    onUpgrade() {},
    onUpgradeEnded() {},
    onAccepted: () => {
      throw new Error('nobody comes');
    },
    onRefused() {},
    onStopped() {},
  });
  return { listener, engines, started };
}

function listenersOf({ engines }: Started): FakeServer[] {
  return engines.map(({ server }) => server);
}

/** As `listen`, with all of them listening. */
function running(threads: number): Started & { listeners: readonly FakeServer[] } {
  const run = listen(threads);
  for (const { server } of run.engines) server.handler.onStarted([8080], undefined);
  const listeners = listenersOf(run);
  for (const { calls } of listeners) calls.length = 0;
  return { ...run, listeners };
}

test('nobody is let in before all listen, on the port of the first', () => {
  const run = listen(3);
  const [first, ...others] = run.engines as [FakeTransport, FakeTransport, FakeTransport];
  expect(others.map(({ servers }) => servers.length)).toEqual([0, 0]);

  first.server.handler.onStarted([8080], undefined);
  expect(others.map(({ server }) => server.config.listen)).toMatchObject([
    [{ port: 8080, reusePort: true }],
    [{ port: 8080, reusePort: true }],
  ]);
  others[1]?.server.handler.onStarted([8080], undefined);
  expect(listenersOf(run).map(({ config }) => config.holds)).toEqual([true, true, true]);
  expect(listenersOf(run).flatMap(({ calls }) => calls)).toEqual([]);
  expect(run.started).toEqual([]);

  others[0]?.server.handler.onStarted([8080], undefined);
  expect(listenersOf(run).map(({ calls }) => calls)).toEqual([['accept'], ['accept'], ['accept']]);
  expect(run.started).toEqual([[[8080], undefined]]);
});

test('where one cannot listen, all are stopped without having let anybody in', () => {
  const run = listen(3);
  const [first, second, third] = run.engines as [FakeTransport, FakeTransport, FakeTransport];
  first.server.handler.onStarted([8080], undefined);
  second.server.handler.onStarted([], failure);
  third.server.handler.onStarted([8080], undefined);
  expect(run.started).toEqual([]);
  for (const { server } of [first, third]) {
    expect([server.calls, server.stops.length]).toEqual([[], 1]);
    server.handler.onStopped();
  }
  expect(run.started).toEqual([[[], failure]]);
});

test('other certificates are taken by all when all could read them', async () => {
  const { listener, listeners } = running(3);
  expect(await listener.prepareReload(TLS)).toBeUndefined();
  expect(listeners.map(({ calls }) => calls)).toEqual([['prepare'], ['prepare'], ['prepare']]);
  expect(await listener.endReload(true)).toBeUndefined();
  expect(listeners.map(({ calls }) => calls.at(-1))).toEqual(['take', 'take', 'take']);
});

test.each([
  [0, [['prepare'], [], []]],
  [1, [['prepare', 'forget'], ['prepare'], []]],
  [2, [['prepare', 'forget'], ['prepare', 'forget'], ['prepare']]],
])('those that thread %i cannot read are taken by none', async (bad, calls) => {
  const { listener, listeners } = running(3);
  listeners[bad]?.outcomes.push(failure);
  expect(await listener.prepareReload(TLS)).toBe(failure);
  await settled();
  expect(listeners.map((each) => each.calls)).toEqual(calls);
});

test('a server that stops meanwhile is gone', async () => {
  const { listener, listeners } = running(2);
  listeners[1]?.outcomes.push(undefined, 'gone');
  expect(await listener.prepareReload(TLS)).toBeUndefined();
  expect(await listener.endReload(true)).toBe('gone');
});
