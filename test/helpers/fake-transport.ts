/**
 * The transport and the platform as the unit tests hold them: every request is recorded, and the
 * test plays the engine. No native code, no sockets, no files, no clock.
 */

import type { BusinessError } from '../../lib/errors.js';
import type { Platform } from '../../lib/platform.js';
import type {
  ClientConfig,
  ClientHandler,
  CloseInfo,
  Connection,
  EngineFailure,
  HoldingListener,
  OpenInfo,
  Publisher,
  ServerConfig,
  ServerConnectionHandler,
  ServerHandler,
  Transport,
  UpgradeAnswer,
} from '../../lib/transport.js';

export class FakePublisher implements Publisher {
  readonly published: { topic: number; data: unknown; except: unknown }[] = [];
  /** What `publish` returns next: a promise where the engine has to catch up. */
  pending: Promise<void> | undefined;

  publish(
    topic: number,
    data: string | ArrayBuffer | ArrayBufferView,
    except: Connection | undefined,
  ): Promise<void> | undefined {
    this.published.push({ topic, data, except });
    return this.pending;
  }
}

export class FakeConnection implements Connection {
  readonly publisher: Publisher;
  readonly sent: unknown[] = [];
  readonly closes: { code: number; reason: string; wireCode: number }[] = [];
  /** The other calls, in words. */
  readonly calls: string[] = [];
  /** What `send` returns next: a promise where the queue is above its mark. */
  pending: Promise<void> | undefined;

  constructor(publisher: Publisher = new FakePublisher()) {
    this.publisher = publisher;
  }

  send(data: string | ArrayBuffer | ArrayBufferView): Promise<void> | undefined {
    this.sent.push(data);
    return this.pending;
  }

  /** Topics by number. */
  readonly topics = new Set<number>();

  subscribe(topic: number): void {
    this.topics.add(topic);
  }

  unsubscribe(topic: number): void {
    this.topics.delete(topic);
  }

  drained(): Promise<void> {
    return this.pending ?? Promise.resolve();
  }

  queuedBytes(): number {
    return 0;
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  ping(payload: Uint8Array): void {
    this.calls.push(`ping ${Buffer.from(payload)}`);
  }

  terminate(code: number, reason: string): void {
    this.calls.push(`terminate ${code} ${reason}`);
  }

  close(code: number, reason: string, wireCode: number): void {
    this.closes.push({ code, reason, wireCode });
  }
}

/** One `connect` that reached the engine. */
export interface FakeClient {
  readonly config: ClientConfig;
  readonly handler: ClientHandler;
  readonly connection: FakeConnection;
}

/** One `listen` that reached the engine. */
export interface FakeServer {
  readonly config: ServerConfig;
  readonly handler: ServerHandler;
  readonly stops: { code: number; reason: string; drainMs?: number }[];
  /** Every call of `watch`: pings, pongs. */
  readonly watches: [boolean, boolean][];
  /** Every call of `answerUpgrade`. */
  readonly answers: [number, UpgradeAnswer][];
  /** Calls of `accept`, `prepareReload` and `endReload`, in words. */
  readonly calls: string[];
  /** What the next steps of a reload come to. */
  readonly outcomes: (EngineFailure | 'gone' | undefined)[];
}

export class FakeTransport implements Transport {
  readonly clients: FakeClient[] = [];
  readonly servers: FakeServer[] = [];
  /** Thrown by every request, as an engine that cannot be loaded does. */
  broken: Error | undefined;

  connect(config: ClientConfig, handler: ClientHandler): Connection {
    if (this.broken !== undefined) throw this.broken;
    const connection = new FakeConnection();
    this.clients.push({ config, handler, connection });
    return connection;
  }

  listen(config: ServerConfig, handler: ServerHandler): HoldingListener {
    if (this.broken !== undefined) throw this.broken;
    const stops: FakeServer['stops'] = [];
    const watches: FakeServer['watches'] = [];
    const answers: FakeServer['answers'] = [];
    const calls: FakeServer['calls'] = [];
    const outcomes: FakeServer['outcomes'] = [];
    this.servers.push({ config, handler, stops, watches, answers, calls, outcomes });
    const step = (call: string) => {
      calls.push(call);
      return Promise.resolve(outcomes.shift());
    };
    return {
      stop(code, reason, drainMs) {
        stops.push(drainMs === undefined ? { code, reason } : { code, reason, drainMs });
      },
      accept: () => void calls.push('accept'),
      prepareReload: () => step('prepare'),
      endReload: (take) => step(take ? 'take' : 'forget'),
      stats: () => Promise.resolve(undefined),
      answerUpgrade: (id, answer) => void answers.push([id, answer]),
      watch: (pings, pongs) => void watches.push([pings, pongs]),
    };
  }

  /** The newest request of a client. */
  get client(): FakeClient {
    return newest(this.clients);
  }

  /** The newest request of a server. */
  get server(): FakeServer {
    return newest(this.servers);
  }
}

function newest<T>(requests: readonly T[]): T {
  const request = requests.at(-1);
  if (request === undefined) throw new Error('nothing has reached the engine');
  return request;
}

/** Knows the names and files that it is told of; asked for others, fails as Node does. */
export class FakePlatform implements Platform {
  readonly names = new Map<string, readonly string[]>();
  readonly files = new Set<string>();
  readonly variables = new Map<string, string>();
  ipv6 = true;
  /** While set, look-ups wait for it. */
  gate: Promise<void> = Promise.resolve();

  async lookup(hostname: string): Promise<readonly string[]> {
    await this.gate;
    const found = this.names.get(hostname);
    if (found !== undefined) return found;
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
  }

  async exists(path: string): Promise<boolean> {
    await this.gate;
    return this.files.has(path);
  }

  readonly readVariable = (name: string): string | undefined => this.variables.get(name);

  readonly hasIpv6 = (): boolean => this.ipv6;
}

export function accepted(
  server: FakeServer,
  ip: string,
  port: number,
  publisher?: Publisher,
): {
  readonly connection: FakeConnection;
  readonly handler: ServerConnectionHandler;
} {
  const connection = new FakeConnection(publisher);
  return { connection, handler: server.handler.onAccepted(connection, ip, port, undefined) };
}

export const openInfo: OpenInfo = { message: 'Switching Protocols', protocol: '', headers: [] };

export const failure: EngineFailure = {
  kind: 'network',
  phase: 'connect',
  errno: 'ECONNREFUSED',
  detail: 'connection refused',
};

export const cleanClose: CloseInfo = { code: 1000, reason: 'bye', abnormal: false };

export const brokenClose: CloseInfo = {
  code: 0,
  reason: 'The link is down',
  abnormal: true,
  failure: { kind: 'network', phase: 'established', errno: 'ECONNRESET', detail: '' },
};

/** Waits until everything that was under way in JavaScript has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** The error that a call rejects with; fails if it does not. */
export async function rejection(call: unknown): Promise<BusinessError> {
  const outcome = await Promise.resolve(call).then(
    (value) => ({ value }),
    (error: BusinessError) => ({ error }),
  );
  if ('error' in outcome) return outcome.error;
  throw new Error(`resolved with ${String(outcome.value)}`);
}
