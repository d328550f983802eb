/** `ohos-websocket/prometheus`: what a registry of the real `prom-client` says of real servers. */

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { prometheusRows } from '../../lib/prometheus-rows.js';
import { readPage } from '../docs/markdown.js';
import { TestServer } from '../helpers/endpoints.js';

const { collectServer } = createRequire(import.meta.url)(
  'ohos-websocket/prometheus',
) as typeof import('../../lib/prometheus.js');

/** The values of a registry by name and labels. */
async function valuesOf(register: Registry): Promise<Map<string, number>> {
  const lines = (await register.metrics()).split('\n');
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

async function echoed(url: string, messages: number): Promise<void> {
  const client = new WsClient(url, { perMessageDeflate: false });
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  for (let n = 0; n < messages; n++) {
    client.send('hello');
    await once(client, 'message');
  }
}

describe('collectServer', () => {
  test('gives what stats() gives, also at the second reading', async () => {
    const register = new Registry();
    const echo = await TestServer.startEcho();
    collectServer(echo.server, { register });
    for (const messages of [3, 6]) {
      await echoed(echo.url(), 3);
      const values = await valuesOf(register);
      expect(
        values.get('ohos_websocket_messages_total{server="default",direction="received"}'),
      ).toBe(messages);
      expect(values.get('ohos_websocket_bytes_total{server="default",direction="sent"}')).toBe(
        messages * 7,
      );
      expect(values.get('ohos_websocket_connections_opened_total{server="default"}')).toBe(
        messages / 3,
      );
      expect(values.get('ohos_websocket_refusals_total{server="default",reason="origin"}')).toBe(0);
      expect(values.get('ohos_websocket_memory_bytes{server="default",what="rings"}')).toBe(
        (await echo.server.stats()).memory.rings,
      );
    }
  });

  test('has every row of the table, which is that of docs/metrics.md', async () => {
    const register = new Registry();
    const { server } = await TestServer.start();
    collectServer(server, { register });
    const text = await register.metrics();
    const page = readPage('docs/metrics.md').prose;
    for (const { name, kind, labels } of prometheusRows) {
      expect(text).toContain(`# TYPE ohos_websocket_${name} ${kind}\n`);
      expect(text).toContain(`\nohos_websocket_${name}{server="default"`);
      const row = page
        .split('\n')
        .find((line) => line.startsWith(`| \`ohos_websocket_${name}\` |`));
      expect(row).toContain(`| ${kind} |`);
      for (const label of labels) expect(row).toContain(`\`${label}\``);
    }
    const listed = page.match(/^\| `ohos_websocket_/gm) ?? [];
    expect(listed).toHaveLength(prometheusRows.length);
  });

  test('several servers in one registry; one reading is one snapshot of each', async () => {
    const register = new Registry();
    const one = await TestServer.startEcho();
    const two = await TestServer.startEcho();
    collectServer(one.server, { register, server: 'one', prefix: 'x_' });
    const remove = collectServer(two.server, { register, server: 'two', prefix: 'x_' });
    await echoed(two.url(), 2);
    const before = (await two.server.stats()).thread.doorbells;
    const values = await valuesOf(register);
    expect(values.get('x_messages_total{server="one",direction="sent"}')).toBe(0);
    expect(values.get('x_messages_total{server="two",direction="sent"}')).toBe(2);
    // Fifteen metrics, and not fifteen questions.
    expect((await two.server.stats()).thread.doorbells - before).toBeLessThan(10);
    remove();
    remove();
    const rest = await valuesOf(register);
    expect([...rest.keys()].filter((key) => key.includes('"two"'))).toEqual([]);
    expect(rest.get('x_messages_total{server="one",direction="sent"}')).toBe(0);
  });

  test('a label that is taken is refused; a server that does not run has no values', async () => {
    const register = new Registry();
    const { server, ...test } = new TestServer();
    void test;
    collectServer(server, { register });
    expect(() => collectServer(server, { register })).toThrow(/'default' already/);
    expect([...(await valuesOf(register)).keys()]).toEqual([]);
    await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
    expect((await valuesOf(register)).size).toBeGreaterThan(20);
    await server.stop();
    expect([...(await valuesOf(register)).keys()]).toEqual([]);
  });
});
