/**
 * The snapshot of a server: its shape, and how it is made from what the engine answers, a flat list
 * of names (`sent.bytes`) and numbers that `native/src/engine/server_listener.cpp` writes.
 */

/** One direction of a server's connections. */
export interface WebSocketServerTraffic {
  /** Whole messages; sent ones when the engine has taken them. Pings, pongs and closes do not count. */
  readonly messages: number;
  /** Bytes of all frames with their headers, as the socket or TLS takes and gives them. */
  readonly bytes: number;
  /**
   * Bytes that wait now. Sent: frames that the sockets do not take. Received: what JavaScript has
   * not dealt with, of all endpoints of the thread.
   */
  readonly queuedBytes: number;
  /** Payload bytes of the compressed messages, as they are on the wire. */
  readonly compressedBytes: number;
  /** The same messages without compression. */
  readonly inflatedBytes: number;
  /** `inflatedBytes / compressedBytes`; 1 while there were none. */
  readonly compressionRatio: number;
}

/** Why somebody was not let in, and how often. */
export interface WebSocketServerRefusals {
  /** Not an upgrade request by the rules of RFC 6455 §4.2.1. */
  readonly request: number;
  /** Above `limits.headerBytes` or `limits.headerLines`. */
  readonly head: number;
  /** Above `limits.handshakeTimeoutMs`. */
  readonly timeout: number;
  /** Above `limits.handshakes`. */
  readonly handshakes: number;
  /** Not of `allowedOrigins`. */
  readonly origin: number;
  /** Above `limits.connections`. */
  readonly connections: number;
  /** Above `maxConcurrentClientsNumber`. */
  readonly clients: number;
  /** Above `maxConnectionsForOneClient`. */
  readonly connectionsOfClient: number;
  /** Above `limits.connectionsPerMinute`, or by `connectRateLimit`. */
  readonly rate: number;
  /** The server was stopping, or JavaScript was 100,000 events behind. */
  readonly busy: number;
  /** By `onUpgrade`, or because it failed. */
  readonly hook: number;
}

/**
 * Beyond OHOS. What a server has done since its `start` and what it holds, all of one moment
 * between two turns of its thread. Whole numbers but for the ratios and `lag`.
 */
export interface WebSocketServerStats {
  /** Of WebSockets. */
  readonly connections: {
    /** Open now. */
    readonly open: number;
    /** Closed for the application and not yet for TCP. */
    readonly closing: number;
    /** Whose sockets take no more now: slow readers. */
    readonly blocked: number;
    /** Opened since `start`. */
    readonly total: number;
  };
  /** Of what comes before them. */
  readonly handshakes: {
    /** TCP connections that are not upgraded yet, and have not ended. */
    readonly pending: number;
    /** TCP connections accepted since `start`. */
    readonly total: number;
  };
  /** Who was not let in since `start`. */
  readonly refusals: WebSocketServerRefusals;
  /** From all connections since `start`. */
  readonly received: WebSocketServerTraffic;
  /** To all connections since `start`. */
  readonly sent: WebSocketServerTraffic;
  /** What came above a rate of `limits`, by `ratePolicy`. */
  readonly rates: {
    /** How often a connection was made to wait. */
    readonly delays: number;
    /** Messages that were thrown away. */
    readonly refusedMessages: number;
    /** Connections that were closed with 1008. */
    readonly closedConnections: number;
  };
  /** Connections opened by TLS version, and those that resumed a TLS session. */
  readonly tls: {
    /** TLS 1.2. */
    readonly version12: number;
    /** TLS 1.3. */
    readonly version13: number;
    /** Either, by a session of before. */
    readonly resumed: number;
  };
  /** The thread that serves all endpoints of this environment, since it was started. */
  readonly thread: {
    /** Turns of its loop. */
    readonly turns: number;
    /** Turns in which it waited for something to do; each is one wake. */
    readonly sleeps: number;
    /** How often it has woken JavaScript. */
    readonly doorbells: number;
  };
  /** What the question itself had to wait for: milliseconds, in fractions. */
  readonly lag: {
    /** From the call until the engine came to it. */
    readonly engineMs: number;
    /** From there until JavaScript had the answer. */
    readonly javascriptMs: number;
  };
  /** Bytes that the thread holds beside its connections. */
  readonly memory: {
    /** The two rings to and from JavaScript. */
    readonly rings: number;
    /** Blocks kept for sending. */
    readonly sendBlocks: number;
    /** What sockets are read into. */
    readonly readBuffer: number;
    /** Kept for a moment for the next large messages, of the whole process; 32 MiB at most. */
    readonly payloads: number;
    /** Of the whole process, as `compressionBytes()`. */
    readonly compression: number;
  };
}

/** What several threads of a server have counted together. */
export function sumOfStats(each: readonly EngineStats[]): EngineStats {
  const sum = new Map<string, number>();
  for (const stats of each) {
    for (const [name, value] of stats) {
      const before = sum.get(name) ?? 0;
      sum.set(name, OF_PROCESS.has(name) ? Math.max(before, value) : before + value);
    }
  }
  return sum;
}

/** What the engine answers: its names and numbers. */
export type EngineStats = ReadonlyMap<string, number>;

/** The moment of the snapshot, in microseconds of `process.hrtime`; not part of what is handed out. */
const TAKEN_AT = 'thread.now';

/** These are the same for each thread of a server, but for the moment. */
const OF_PROCESS: ReadonlySet<string> = new Set([
  TAKEN_AT,
  'memory.payloads',
  'memory.compression',
]);

/** `askedUs` and `answeredUs` are moments of the same clock. */
export function toServerStats(
  flat: EngineStats,
  askedUs: number,
  answeredUs: number,
): WebSocketServerStats {
  const stats: Record<string, Record<string, number>> = {};
  for (const [name, value] of flat) {
    if (name === TAKEN_AT) continue;
    const [group = '', key = ''] = name.split('.');
    stats[group] = { ...stats[group], [key]: value };
  }
  for (const traffic of [stats.received, stats.sent]) {
    if (traffic !== undefined) traffic.compressionRatio = ratioOf(traffic);
  }
  const takenUs = flat.get(TAKEN_AT) ?? askedUs;
  stats.lag = {
    engineMs: Math.max(takenUs - askedUs, 0) / 1000,
    javascriptMs: Math.max(answeredUs - takenUs, 0) / 1000,
  };
  return stats as unknown as WebSocketServerStats;
}

function ratioOf({ inflatedBytes = 0, compressedBytes = 0 }: Record<string, number>): number {
  return compressedBytes === 0 ? 1 : inflatedBytes / compressedBytes;
}

/** Now, in microseconds of `process.hrtime`. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
