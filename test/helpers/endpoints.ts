/**
 * The product's clients and servers as the tests hold them: everything that they raise is recorded in
 * order, any event can be awaited with a deadline, and whatever a test leaves open is closed when it
 * has finished.
 */

import { webSocket } from 'ohos-websocket';
import { expect, onTestFinished } from 'vitest';
import { Changes, within } from './deadline.js';

export type Client = ReturnType<typeof webSocket.createWebSocket>;
export type Server = ReturnType<typeof webSocket.createWebSocketServer>;
export type ClientOptions = webSocket.WebSocketRequestOptions;
export type ServerConfig = webSocket.WebSocketServerConfig;
export type ClientAddress = webSocket.WebSocketConnection;

export interface Recorded {
  readonly event: string;
  /** Exactly what the handler was called with. */
  readonly args: readonly unknown[];
}

/** What an endpoint raised, in order. `next` takes the events of each name one by one. */
export class EventLog {
  readonly entries: Recorded[] = [];
  readonly #owner: string;
  readonly #changes = new Changes();
  readonly #taken = new Map<string, number>();
  #onEntry: (entry: Recorded) => void = ignore;

  constructor(owner: string) {
    this.#owner = owner;
  }

  add(event: string, args: readonly unknown[]): void {
    this.entries.push({ event, args });
    this.#onEntry({ event, args });
    this.#changes.notify();
  }

  /** Tells of every event from now on, for tests that must not go on after some of them. */
  onEntry(told: (entry: Recorded) => void): void {
    this.#onEntry = told;
  }

  /** Arguments of the first event of this name that no `next` has taken yet. */
  async next(event: string): Promise<readonly unknown[]> {
    const index = this.#taken.get(event) ?? 0;
    this.#taken.set(event, index + 1);
    const args = await this.#changes.until(
      () => this.all(event)[index],
      `event '${event}' no. ${index + 1} of the ${this.#owner}`,
    );
    return args;
  }

  /** The last argument of the next event of this name: its value. */
  async value<T>(event: string): Promise<T> {
    return (await this.next(event)).at(-1) as T;
  }

  /** Waits until this many events of this name were raised. */
  async count(event: string, atLeast: number): Promise<void> {
    await this.#changes.until(
      () => (this.all(event).length >= atLeast ? true : undefined),
      `${atLeast} events '${event}' of the ${this.#owner}`,
    );
  }

  /** Arguments of every event of this name. */
  all(event: string): (readonly unknown[])[] {
    return this.entries.filter((entry) => entry.event === event).map((entry) => entry.args);
  }

  /** Values (last arguments) of every event of this name. */
  values(event: string): unknown[] {
    return this.all(event).map((args) => args.at(-1));
  }

  /** Names of all events, in order. */
  get names(): string[] {
    return this.entries.map((entry) => entry.event);
  }
}

const CLIENT_EVENTS = [
  'headerReceive',
  'open',
  'openInfo',
  'message',
  'dataEnd',
  'close',
  'error',
] as const;
const SERVER_EVENTS = ['connect', 'messageReceive', 'close', 'error'] as const;

export class TestClient {
  readonly ws: Client;
  readonly log: EventLog;

  /** Records every event but those in `without`. */
  constructor({ without = [] }: { without?: readonly string[] } = {}) {
    this.ws = webSocket.createWebSocket();
    this.log = new EventLog('client');
    for (const event of CLIENT_EVENTS) {
      if (!without.includes(event)) listen(this.ws, event, this.log);
    }
    onTestFinished(() => this.ws.close().then(ignore, ignore));
  }

  /** Connects and waits until the connection is open. */
  static async open(url: string, options?: ClientOptions): Promise<TestClient> {
    const client = new TestClient();
    await client.open(url, options);
    return client;
  }

  async open(url: string, options?: ClientOptions): Promise<void> {
    await this.connect(url, options);
    await this.log.next('open');
  }

  /** Connects; the outcome is an event. */
  async connect(url: string, options?: ClientOptions): Promise<void> {
    const created = options ? this.ws.connect(url, options) : this.ws.connect(url);
    const result = await within(created, 'connect to settle');
    if (result !== true) throw new Error(`connect resolved ${String(result)}`);
  }

  send(data: string | ArrayBuffer | ArrayBufferView): Promise<boolean> {
    return within(this.ws.send(data as ArrayBuffer), 'a client send to settle');
  }

  close(options?: webSocket.WebSocketCloseOptions): Promise<boolean> {
    const closed = options ? this.ws.close(options) : this.ws.close();
    return within(closed, 'a client close to settle');
  }

  nextMessage(): Promise<string | ArrayBuffer> {
    return this.log.value('message');
  }

  nextClose(): Promise<{ code: number; reason: string }> {
    return this.log.value('close');
  }

  nextError(): Promise<{ code: number; data: string; message?: string; cause?: unknown }> {
    return this.log.value('error');
  }
}

export interface ReceivedMessage {
  readonly data: string | ArrayBuffer;
  readonly clientConnection: ClientAddress;
}

export interface ServerClose {
  readonly connection: ClientAddress;
  readonly code: number;
  readonly reason: string;
}

/** Limits that no test reaches by accident. */
const ROOMY = { maxConcurrentClientsNumber: 1000, maxConnectionsForOneClient: 1000 } as const;

export class TestServer {
  readonly server: Server;
  readonly log: EventLog;

  /** Records every event but those in `without`. */
  constructor({ without = [] }: { without?: readonly string[] } = {}) {
    this.server = webSocket.createWebSocketServer();
    this.log = new EventLog('server');
    for (const event of SERVER_EVENTS) {
      if (!without.includes(event)) listen(this.server, event, this.log);
    }
    onTestFinished(() =>
      within(this.server.stop(), 'a server to stop').then(ignore, ignoreRefusal),
    );
  }

  /** A server on 127.0.0.1 and a free port, with roomy limits. */
  static async start(config: Partial<ServerConfig> = {}): Promise<TestServer> {
    const server = new TestServer();
    await server.start(config);
    return server;
  }

  /** The same, sending every message back. */
  static async startEcho(config: Partial<ServerConfig> = {}): Promise<TestServer> {
    const echo = new TestServer({ without: ['messageReceive'] });
    const { server } = echo;
    server.on('messageReceive', ({ data, clientConnection }) => {
      server
        .send(data, clientConnection)
        .catch((error: unknown) => echo.log.add('failed', [error]));
    });
    await echo.start(config);
    return echo;
  }

  async start(config: Partial<ServerConfig> = {}): Promise<void> {
    const whole = { serverIP: '127.0.0.1', serverPort: 0, ...ROOMY, ...config };
    await within(this.server.start(whole), 'a server to start');
  }

  get port(): number {
    const { port } = this.server;
    if (port === undefined) throw new Error('the server does not tell its port');
    return port;
  }

  url(path = '/'): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  send(data: string | ArrayBuffer | ArrayBufferView, to: ClientAddress): Promise<boolean> {
    return within(this.server.send(data as ArrayBuffer, to), 'a server send to settle');
  }

  close(connection: ClientAddress, options?: webSocket.WebSocketCloseOptions): Promise<boolean> {
    const closed = options ? this.server.close(connection, options) : this.server.close(connection);
    return within(closed, 'a server close to settle');
  }

  stop(): Promise<boolean> {
    return within(this.server.stop(), 'a server to stop');
  }

  list(): Promise<ClientAddress[]> {
    return within(
      Promise.resolve(this.server.listAllConnections()),
      'listAllConnections to settle',
    );
  }

  nextConnect(): Promise<ClientAddress> {
    return this.log.value('connect');
  }

  nextMessage(): Promise<ReceivedMessage> {
    return this.log.value('messageReceive');
  }

  async nextClose(): Promise<ServerClose> {
    const [connection, close] = await this.log.next('close');
    const { code, reason } = close as { code: number; reason: string };
    return { connection: connection as ClientAddress, code, reason };
  }
}

/** What a promise rejects with; fails if it does not. */
export async function rejection(promise: unknown): Promise<Error & { code?: unknown }> {
  const outcome = within(Promise.resolve(promise), 'a call to settle').then(
    (value) => new Error(`expected a rejection, got ${String(value)}`),
    (error: Error) => Object.assign(new Error('rejected'), { rejectedWith: error }),
  );
  const settled = await outcome;
  if (!('rejectedWith' in settled)) throw settled;
  return settled.rejectedWith as Error & { code?: unknown };
}

/** Calls a method with arguments that its type may not allow. */
export function callWith(object: object, method: string, args: readonly unknown[]): unknown {
  const member: unknown = Reflect.get(object, method);
  if (typeof member !== 'function') throw new Error(`no method '${method}'`);
  return Reflect.apply(member, object, args);
}

/** A callback for the callback forms, and what it was called with. */
export function callback(): { fn: (...args: unknown[]) => void; called: Promise<unknown[]> } {
  let resolve: (args: unknown[]) => void = ignore;
  const called = new Promise<unknown[]>((settle) => {
    resolve = settle;
  });
  return {
    fn: (...args) => resolve(args),
    called: within(called, 'a callback to be called'),
  };
}

/** Has messages of these sizes echoed, closes, and sees both sides closed. */
export async function echoAndClose(
  client: TestClient,
  server: TestServer,
  sizes: readonly number[],
): Promise<void> {
  for (const size of sizes) {
    const bytes = Buffer.alloc(size, 'size');
    await client.send(bytes);
    expect(bytesOf(await client.nextMessage()).equals(bytes)).toBe(true);
  }
  const close = { code: 1001, reason: 'enough' };
  await client.close(close);
  expect(await client.nextClose()).toEqual(close);
  expect(await server.nextClose()).toMatchObject(close);
}

/** Bytes of a binary message, for comparing. */
export function bytesOf(data: unknown): Buffer {
  if (!(data instanceof ArrayBuffer))
    throw new Error(`expected an ArrayBuffer, got ${typeof data}`);
  return Buffer.from(data);
}

/** The bytes as an ArrayBuffer of their own. */
export function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

function listen(endpoint: Client | Server, event: string, log: EventLog): void {
  callWith(endpoint, 'on', [event, (...args: unknown[]) => log.add(event, args)]);
}

function ignore(): void {
  // The outcome does not matter.
}

/** A server that is stopped already refuses a second `stop`; nothing else is ignored. */
function ignoreRefusal(error: unknown): void {
  if ((error as { code?: unknown }).code !== 2302999) throw error;
}
