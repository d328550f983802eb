/**
 * `ohos-websocket/prometheus`: the counters of servers in Prometheus's text format, by the package
 * `prom-client` (an optional peer dependency). Beyond OHOS. See docs/metrics.md.
 */

import { Counter, Gauge, register as ownRegister, type Registry } from 'prom-client';
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

type Labels = Readonly<Record<string, string>>;

/** Values of one metric in a snapshot: with the labels that it has besides `server`. */
type Read = (stats: WebSocketServerStats) => readonly (readonly [Labels, number])[];

interface Row {
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: Read;
}

const alone =
  (pick: (stats: WebSocketServerStats) => number): Read =>
  (stats) => [[{}, pick(stats)]];

const bothWays =
  (pick: (traffic: WebSocketServerStats['sent']) => number): Read =>
  ({ received, sent }) => [
    [{ direction: 'received' }, pick(received)],
    [{ direction: 'sent' }, pick(sent)],
  ];

const eachOf =
  (label: string, pick: (stats: WebSocketServerStats) => object): Read =>
  (stats) =>
    Object.entries(pick(stats)).map(([key, value]) => [{ [label]: key }, Number(value)]);

/** Every metric; docs/metrics.md has the same table. */
export const prometheusRows: readonly Row[] = [
  {
    kind: 'gauge',
    name: 'connections',
    help: 'Connections now, by state.',
    labels: ['state'],
    read: eachOf('state', ({ connections: { open, closing, blocked } }) => ({
      open,
      closing,
      blocked,
    })),
  },
  {
    kind: 'counter',
    name: 'connections_opened_total',
    help: 'Connections opened.',
    labels: [],
    read: alone(({ connections }) => connections.total),
  },
  {
    kind: 'gauge',
    name: 'handshakes_pending',
    help: 'TCP connections that are not upgraded yet.',
    labels: [],
    read: alone(({ handshakes }) => handshakes.pending),
  },
  {
    kind: 'counter',
    name: 'handshakes_total',
    help: 'TCP connections accepted.',
    labels: [],
    read: alone(({ handshakes }) => handshakes.total),
  },
  {
    kind: 'counter',
    name: 'refusals_total',
    help: 'Connections refused, by reason.',
    labels: ['reason'],
    read: eachOf('reason', ({ refusals }) => refusals),
  },
  {
    kind: 'counter',
    name: 'messages_total',
    help: 'Messages, by direction.',
    labels: ['direction'],
    read: bothWays(({ messages }) => messages),
  },
  {
    kind: 'counter',
    name: 'bytes_total',
    help: 'Bytes of frames with their headers, by direction.',
    labels: ['direction'],
    read: bothWays(({ bytes }) => bytes),
  },
  {
    kind: 'gauge',
    name: 'queued_bytes',
    help: 'Bytes that wait now, by direction.',
    labels: ['direction'],
    read: bothWays(({ queuedBytes }) => queuedBytes),
  },
  {
    kind: 'counter',
    name: 'compressed_bytes_total',
    help: 'Payload bytes of compressed messages on the wire, by direction.',
    labels: ['direction'],
    read: bothWays(({ compressedBytes }) => compressedBytes),
  },
  {
    kind: 'counter',
    name: 'inflated_bytes_total',
    help: 'Payload bytes of the same messages without compression, by direction.',
    labels: ['direction'],
    read: bothWays(({ inflatedBytes }) => inflatedBytes),
  },
  {
    kind: 'counter',
    name: 'rates_total',
    help: 'Waits, thrown away messages and closed connections because of rates.',
    labels: ['what'],
    read: eachOf('what', ({ rates }) => rates),
  },
  {
    kind: 'counter',
    name: 'tls_connections_total',
    help: 'Connections opened over TLS, by version.',
    labels: ['version'],
    read: ({ tls }) => [
      [{ version: '1.2' }, tls.version12],
      [{ version: '1.3' }, tls.version13],
    ],
  },
  {
    kind: 'counter',
    name: 'tls_resumed_total',
    help: 'Connections opened that resumed a TLS session.',
    labels: [],
    read: alone(({ tls }) => tls.resumed),
  },
  {
    kind: 'counter',
    name: 'thread_total',
    help: 'Turns and sleeps of the engine thread, and how often it has woken JavaScript.',
    labels: ['what'],
    read: eachOf('what', ({ thread }) => thread),
  },
  {
    kind: 'gauge',
    name: 'lag_seconds',
    help: 'What the last question for these numbers had to wait for, by thread.',
    labels: ['thread'],
    read: ({ lag }) => [
      [{ thread: 'engine' }, lag.engineMs / 1000],
      [{ thread: 'javascript' }, lag.javascriptMs / 1000],
    ],
  },
  {
    kind: 'gauge',
    name: 'memory_bytes',
    help: 'Bytes that the engine thread holds beside its connections, by purpose.',
    labels: ['what'],
    read: eachOf('what', ({ memory }) => memory),
  },
];

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
