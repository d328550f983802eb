// What is measured: the rows of the table, and where each is to arrive. To add a row, add an entry
// here; a new kind of traffic is a mode of the load generator (load/workload.cpp) as well.

/**
 * @typedef {object} Metric
 * @property {string} unit
 * @property {number} digits behind the point
 * @property {boolean} lowerIsBetter
 * @property {boolean} isRate of something that takes CPU time each
 * @property {(sample: import('./sample.mjs').Sample) => number} of in that unit
 */

/** @satisfies {Readonly<Record<string, Metric>>} */
export const METRICS = {
  messages: {
    unit: 'msg/s',
    digits: 0,
    lowerIsBetter: false,
    isRate: true,
    of: ({ rate }) => rate,
  },
  deliveries: {
    unit: 'deliveries/s',
    digits: 0,
    lowerIsBetter: false,
    isRate: true,
    of: ({ rate }) => rate,
  },
  connections: {
    unit: 'conn/s',
    digits: 0,
    lowerIsBetter: false,
    isRate: true,
    of: ({ rate }) => rate,
  },
  latency: {
    unit: 'µs (p99)',
    digits: 0,
    lowerIsBetter: true,
    isRate: false,
    of: ({ latencyUs }) => latencyUs?.p99 ?? Number.NaN,
  },
  memory: {
    unit: 'KB/conn',
    digits: 2,
    lowerIsBetter: true,
    isRate: false,
    of: ({ connectionBytes }) => (connectionBytes ?? Number.NaN) / 1000,
  },
  idleCpu: {
    unit: 'cores',
    digits: 4,
    lowerIsBetter: true,
    isRate: false,
    of: ({ measuredCores }) => measuredCores,
  },
  timers: {
    unit: 'ms late (p99)',
    digits: 2,
    lowerIsBetter: true,
    isRate: false,
    of: ({ timersMs }) => timersMs?.p99 ?? Number.NaN,
  },
};

/** @typedef {keyof typeof METRICS} MetricName */

/**
 * Where a row is to arrive: a ratio of two contestants, or a number of one.
 *
 * @typedef {object} Goal
 * @property {string} of
 * @property {string} [against]
 * @property {MetricName} metric
 * @property {number} [atLeast]
 * @property {number} [atMost]
 */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} title
 * @property {'echo' | 'paced' | 'fanout' | 'publish' | 'idle' | 'churn' | 'client'} mode `client`: the clients
 *   are compared, against one server; else a mode of the load generator, and servers are
 * @property {'text' | 'unicode' | 'binary'} kind
 * @property {number} size bytes of a message
 * @property {number} connections
 * @property {number} inflight messages under way on each connection; `fanout`, `publish`: in all; `paced`:
 *   messages that leave together
 * @property {boolean} tls
 * @property {'one' | undefined} cores instead of what --cores says
 * @property {string | undefined} paceOf `paced`: the rate is half of what this server can do
 * @property {number} repeats so many times the rounds of the others
 * @property {boolean} timers whether the servers run a timer meanwhile
 * @property {MetricName} metric what is compared
 * @property {readonly string[]} contestants the first is compared with each of the others
 * @property {string} ceiling the contestant that shows how much can be had at all
 * @property {readonly Goal[]} goals
 * @property {boolean} extra only measured when asked for with --row
 * @property {boolean} quick part of the quick comparison of two commits
 */

/**
 * @param {number} bytes
 * @returns {string}
 */
function sizeName(bytes) {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024}MiB`;
  return bytes >= 1024 ? `${bytes / 1024}KiB` : `${bytes}B`;
}

/**
 * @param {Pick<Row, 'name' | 'title'> & Partial<Row>} row
 * @param {...Goal} goals
 * @returns {Row}
 */
function row(row, ...goals) {
  return {
    mode: 'echo',
    kind: 'text',
    size: 64,
    connections: 64,
    inflight: 1,
    tls: false,
    cores: undefined,
    paceOf: undefined,
    repeats: 1,
    timers: false,
    metric: 'messages',
    contestants: ['ours', 'uws', 'ws'],
    ceiling: 'lws',
    extra: false,
    quick: false,
    ...row,
    goals,
  };
}

/**
 * @param {Row['kind']} kind
 * @param {number} size
 * @param {number} connections
 * @param {number} inflight
 * @param {Partial<Row>} [more]
 * @param {...Goal} goals
 * @returns {Row}
 */
function echo(kind, size, connections, inflight, more = {}, ...goals) {
  const crowd = connections > 64 ? `-${connections}conns` : '';
  const message = `${kind}-${sizeName(size)}-x${inflight}${crowd}`;
  const name = `${more.tls ? 'tls-' : ''}${message}${more.cores ? '-one-core' : ''}`;
  const how = `${more.tls ? ' over TLS 1.3' : ''}${more.cores ? ', server on one core' : ''}`;
  const count = connections.toLocaleString('en-US');
  const title = `echo ${sizeName(size)} ${kind}, ${count} connections, ${inflight} in flight${how}`;
  return row({ name, title, kind, size, connections, inflight, ...more }, ...goals);
}

/**
 * @param {number} atLeast
 * @param {string} [against]
 * @param {string} [of]
 * @returns {Goal} a ratio of rates
 */
function faster(atLeast, against = 'uws', of = 'ours') {
  return { of, against, metric: 'messages', atLeast };
}

const KIB = 1024;
const MIB = 1024 * KIB;
const WITH_BUN = ['ours', 'uws', 'ws', 'bun', 'lws'];
const WITH_LWS = ['ours', 'uws', 'ws', 'lws'];
/** And what JavaScript leaves to anybody, where bare libwebsockets, with its queue of messages, says little. */
const WITH_ADDON = [...WITH_LWS, 'ceiling-addon'];
const CROWD = 8000;
const DELIVERIES = /** @type {const} */ ('deliveries');

/** @type {readonly Row[]} */
export const ROWS = [
  echo('text', 64, 64, 16, { contestants: WITH_BUN, quick: true }, faster(1.5)),
  echo(
    'binary',
    64,
    64,
    16,
    { contestants: [...WITH_ADDON, 'ours-views'], repeats: 3, quick: true },
    faster(1.1),
    faster(1.6, 'uws', 'ours-views'),
  ),
  echo('text', 64, 64, 1, { contestants: WITH_ADDON, repeats: 3 }, faster(1.1)),
  echo('text', 64, 5000, 1, { contestants: WITH_LWS }, faster(1.3)),
  echo(
    'binary',
    16 * KIB,
    64,
    4,
    { contestants: [...WITH_BUN, 'ours-views', 'ceiling-addon'], repeats: 3, quick: true },
    faster(1.5),
  ),
  echo('binary', MIB, 8, 2, { contestants: WITH_BUN }, faster(1.1)),
  echo('text', 64, 64, 16, { tls: true, contestants: WITH_LWS }, faster(1.3)),
  echo('binary', 16 * KIB, 64, 4, { tls: true, contestants: WITH_LWS }, faster(1.3)),
  // Over TLS, µWebSockets.js 3.0.6 ends a connection on which a large message arrives while one that
  // was sent in a message's handler is leaving. Sent in a task of its own it gets through.
  echo(
    'binary',
    MIB,
    8,
    2,
    { tls: true, contestants: ['ours', 'uws-deferred', 'ws', 'lws'] },
    faster(1.3, 'uws-deferred'),
  ),
  echo('text', 64, 64, 16, { cores: 'one', contestants: WITH_LWS }, faster(0.9), faster(3, 'ws')),

  ...[64, 4 * KIB].map((size) =>
    row(
      {
        name: `fanout-${sizeName(size)}`,
        title: `one message of ${sizeName(size)} to 1,000 clients by send in a loop, 2 in flight`,
        mode: 'fanout',
        size,
        connections: 1000,
        inflight: 2,
        metric: 'deliveries',
        quick: size === 64,
      },
      { of: 'ours', against: 'uws', metric: 'deliveries', atLeast: 1.3 },
    ),
  ),

  // A window as of somebody who publishes without waiting; at 4 KiB to a crowd one that the kernel has memory for
  // (1 GiB on the way). With fewer in flight there are fewer messages in a system call, whoever makes it: the extra
  // rows.
  ...[
    { size: 64, connections: 1000, inflight: 64 },
    { size: 64, connections: CROWD, inflight: 64 },
    { size: 4 * KIB, connections: 1000, inflight: 64 },
    { size: 4 * KIB, connections: CROWD, inflight: 32 },
    { size: 64, connections: 1000, inflight: 2, extra: true },
    { size: 64, connections: 1000, inflight: 16, extra: true },
    { size: 4 * KIB, connections: 1000, inflight: 16, extra: true },
    { size: 4 * KIB, connections: CROWD, inflight: 16, extra: true },
  ].map(({ size, connections, inflight, extra = false }) =>
    row(
      {
        name: `publish-${sizeName(size)}-x${inflight}-${connections}conns`,
        title: `${sizeName(size)} published to ${connections.toLocaleString('en-US')} subscribers, ${inflight} in flight`,
        mode: 'publish',
        size,
        connections,
        inflight,
        metric: 'deliveries',
        extra,
      },
      ...(extra
        ? []
        : [
            { of: 'ours', against: 'uws', metric: DELIVERIES, atLeast: 2 },
            { of: 'ours', against: 'ws', metric: DELIVERIES, atLeast: 10 },
          ]),
    ),
  ),

  ...[false, true].map((tls) =>
    row(
      {
        name: tls ? 'tls-churn' : 'churn',
        title: `connections opened and closed${tls ? ' over TLS 1.3' : ''}, 64 at a time`,
        mode: 'churn',
        tls,
        metric: 'connections',
        contestants: WITH_LWS,
        repeats: 3,
      },
      { of: 'ours', against: 'uws', metric: 'connections', atLeast: 1 },
    ),
  ),

  row(
    {
      name: `idle-${CROWD}`,
      title: `${CROWD.toLocaleString('en-US')} idle connections: memory of each, CPU`,
      mode: 'idle',
      connections: CROWD,
      metric: 'memory',
      contestants: WITH_LWS,
    },
    { of: 'ours', metric: 'memory', atMost: 2.5 },
    { of: 'ours', metric: 'idleCpu', atMost: 0.001 },
  ),

  row(
    {
      name: 'latency-text-64B',
      title: 'p99 latency, 64 B text, 64 connections, at half of µWebSockets.js’s saturation',
      mode: 'paced',
      paceOf: 'uws',
      repeats: 10, // what one run says may be five times what the next one does
      metric: 'latency',
      contestants: WITH_LWS,
    },
    { of: 'ours', against: 'uws', metric: 'latency', atMost: 1 },
  ),
  row(
    {
      name: 'timers-text-64B-x16',
      title: 'p99 delay of a timer in the server, 64 B text, at half of our saturation',
      mode: 'paced',
      inflight: 16,
      paceOf: 'ours',
      timers: true,
      metric: 'timers',
      contestants: ['ours', 'uws'],
    },
    { of: 'ours', metric: 'timers', atMost: 10 },
  ),

  // ws gives Buffers over the memory in which it received: what is like it is compared, and with ArrayBuffers beside.
  ...[
    { kind: /** @type {const} */ ('text'), size: 64, atLeast: 4, ours: ['ours'] },
    {
      kind: /** @type {const} */ ('binary'),
      size: 16 * KIB,
      atLeast: 2,
      ours: ['ours-views', 'ours'],
    },
  ].map(({ kind, size, atLeast, ours }) =>
    row(
      {
        name: `client-${kind}-${sizeName(size)}`,
        title: `clients: echo ${sizeName(size)} ${kind} of a µWebSockets.js server, 64 connections, 16 in flight, each on a core`,
        mode: 'client',
        cores: 'one', // else it is a matter of chance whether the two share one
        kind,
        size,
        inflight: 16,
        // libwebsockets' own client goes through what comes byte by byte: it is beside the others, but no ceiling.
        contestants: [...ours, 'ws', 'lws', 'ceiling'],
        ceiling: 'ceiling',
        repeats: kind === 'binary' ? 9 : 1, // it stands at its goal, and one round may say 1.4 and another 2.7
      },
      faster(atLeast, 'ws', ours[0]),
    ),
  ),

  row({
    name: 'threads-text-64B-x16',
    title: 'two engine threads against one, echo 64 B text, 64 connections, 16 in flight',
    inflight: 16,
    contestants: ['ours-2-threads', 'ours'],
  }),

  echo('binary', 64, 64, 1, { extra: true }),
  echo('text', 16 * KIB, 64, 1, { extra: true }),
  echo('text', 16 * KIB, 64, 16, { extra: true }),
  echo('binary', 16 * KIB, 64, 1, { extra: true }),
  echo('binary', 16 * KIB, 64, 16, { extra: true }),
  echo('text', MIB, 8, 1, { extra: true }),
  echo('text', MIB, 8, 2, { extra: true }),
  echo('binary', MIB, 8, 1, { extra: true }),
  echo('binary', MIB, 8, 1, { extra: true, tls: true }),
  echo('unicode', 64, 64, 16, { extra: true }),
  echo('unicode', 16 * KIB, 64, 16, { extra: true }),
  echo('unicode', MIB, 8, 1, { extra: true }),
];
