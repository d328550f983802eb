/** Clients and servers over the fake transport, with everything that they raise in a log. */

import { documented, type Profile } from '../../lib/profile.js';
import { Settings } from '../../lib/settings.js';
import type { WebSocket, WebSocketConnection, WebSocketServer } from '../../lib/types.js';
import { createWebSocketModule } from '../../lib/web-socket-module.js';
import { type FakeClient, FakePlatform, FakeTransport, openInfo } from './fake-transport.js';

export const url = 'ws://127.0.0.1:9001/';

/** An address that no test accepts unless it says so. */
export const nobody: WebSocketConnection = { clientIP: '127.0.0.1', clientPort: 1 };

interface Fakes {
  readonly transport: FakeTransport;
  readonly platform: FakePlatform;
  readonly settings: Settings;
  /** `[event, ...arguments]` of every event, in order. */
  readonly log: unknown[][];
}

export interface TestedClient extends Fakes {
  readonly ws: WebSocket;
}

export interface TestedServer extends Fakes {
  readonly server: WebSocketServer;
}

interface Emitter {
  on(event: string, listener: (...args: unknown[]) => void): void;
}

function record(emitter: unknown, events: readonly string[], log: unknown[][]): void {
  for (const event of events) {
    (emitter as Emitter).on(event, (...args) => log.push([event, ...args]));
  }
}

/** A client that has done nothing yet. */
export function newClient(profile: Profile = documented): TestedClient {
  const transport = new FakeTransport();
  const platform = new FakePlatform();
  const settings = new Settings();
  const ws = createWebSocketModule(profile, transport, { platform, settings }).createWebSocket();
  const log: unknown[][] = [];
  const events = ['open', 'openInfo', 'message', 'dataEnd', 'headerReceive', 'close', 'error'];
  record(ws, events, log);
  return { transport, platform, settings, ws, log };
}

/** A client whose connection is open; the log begins afterwards. */
export function openClient(profile: Profile = documented): TestedClient & FakeClient {
  const tested = newClient(profile);
  void tested.ws.connect(url);
  const { client } = tested.transport;
  client.handler.onStarted(undefined);
  client.handler.onOpened(openInfo);
  tested.log.length = 0;
  return { ...tested, ...client };
}

/** A server that has done nothing yet. */
export function newServer(profile: Profile = documented): TestedServer {
  const transport = new FakeTransport();
  const platform = new FakePlatform();
  const settings = new Settings();
  const server = createWebSocketModule(profile, transport, {
    platform,
    settings,
  }).createWebSocketServer();
  const log: unknown[][] = [];
  record(server, ['connect', 'messageReceive', 'close', 'error'], log);
  return { transport, platform, settings, server, log };
}

/** A server that listens on port 9001. */
export async function runningServer(profile: Profile = documented): Promise<TestedServer> {
  const tested = newServer(profile);
  const started = tested.server.start({ serverPort: 9001 });
  tested.transport.server.handler.onStarted([9001], undefined);
  await started;
  return tested;
}

/** Calls a method with arguments of any type. */
export function call<T extends object>(target: T, method: keyof T, ...args: unknown[]): unknown {
  return (target[method] as (...args: unknown[]) => unknown).apply(target, args);
}
