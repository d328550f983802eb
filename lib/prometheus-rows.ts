/** The metrics of `ohos-websocket/prometheus`, and how each is read from a server's numbers. */

import type { WebSocketServerStats } from './server-stats.js';

type Labels = Readonly<Record<string, string>>;

/** Values of one metric in a snapshot: with the labels that it has besides `server`. */
type Read = (stats: WebSocketServerStats) => readonly (readonly [Labels, number])[];

export interface PrometheusRow {
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
export const prometheusRows: readonly PrometheusRow[] = [
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
    help: 'Turns and sleeps of the engine, and how often it has woken JavaScript.',
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
    help: 'Bytes that the engine holds beside its connections, by purpose.',
    labels: ['what'],
    read: eachOf('what', ({ memory }) => memory),
  },
];
