/**
 * `ohos-websocket/prometheus`: the counters of servers in Prometheus's text format, by the package
 * `prom-client` (an optional peer dependency). Beyond OHOS. See docs/metrics.md.
 */

import { Counter, Gauge, register as ownRegister, type Registry } from 'prom-client';
import { prometheusRows } from './prometheus-rows.js';
import type { WebSocketServerStats } from './server-stats.js';
import type { WebSocketServer } from './server-types.js';

/** Options of `collectServer`. */
export interface PrometheusOptions {
  /** Where the metrics go. Default: the global registry of `prom-client`. */
  register?: Registry | undefined;
  /** In front of every name. Default `ohos_websocket_`. */
  prefix?: string | undefined;
  /** Value of the label `server`, which tells servers of one registry apart. Default `default`. */
  server?: string | undefined;
}

/** The servers behind the metrics of one registry and prefix, by their label. */
type Servers = Map<string, WebSocketServer>;
const registered = new WeakMap<Registry, Map<string, Servers>>();

/**
 * Beyond OHOS. Puts the counters of a server into a registry of `prom-client`; they are read when
 * the registry is. All of one reading are of one moment. A server that does not run has none.
 * Several servers go into one registry by different values of `server`. The result takes it out
 * again. Throws an Error if the registry has a server of that label.
 */
export function collectServer(
  server: WebSocketServer,
  {
    register = ownRegister,
    prefix = 'ohos_websocket_',
    server: label = 'default',
  }: PrometheusOptions = {},
): () => void {
  const byPrefix = registered.get(register) ?? new Map<string, Servers>();
  registered.set(register, byPrefix);
  const servers = byPrefix.get(prefix) ?? define(register, prefix);
  byPrefix.set(prefix, servers);
  if (servers.has(label)) throw new Error(`this registry has a server '${label}' already`);
  servers.set(label, server);
  return () => {
    if (servers.get(label) === server) servers.delete(label);
  };
}

function define(register: Registry, prefix: string): Servers {
  const servers: Servers = new Map();
  let reading: Promise<readonly (readonly [string, WebSocketServerStats])[]> | undefined;
  // The registry asks all metrics in one go: they share one snapshot.
  const read = () => {
    if (reading === undefined) {
      reading = readAll(servers);
      void reading.then(() => {
        reading = undefined;
      });
    }
    return reading;
  };
  for (const row of prometheusRows) {
    const Metric = row.kind === 'counter' ? Counter : Gauge;
    new Metric({
      name: prefix + row.name,
      help: row.help,
      labelNames: ['server', ...row.labels],
      registers: [register],
      async collect() {
        const all = await read();
        this.reset();
        for (const [server, stats] of all) {
          for (const [labels, value] of row.read(stats)) this.inc({ server, ...labels }, value);
        }
      },
    });
  }
  return servers;
}

async function readAll(
  servers: Servers,
): Promise<readonly (readonly [string, WebSocketServerStats])[]> {
  const all = [...servers].map(async ([label, server]) => {
    const stats = await server.stats().catch(() => undefined);
    return stats === undefined ? [] : [[label, stats] as const];
  });
  return (await Promise.all(all)).flat();
}
