/**
 * One connection of a client, from an accepted `connect` to its last event: waits for files and
 * addresses, hands over to the engine, keeps messages until then, and turns what the engine reports
 * into events. The object of the application, which outlives it, is in `web-socket.ts`.
 */

import type { ClientEvents } from './client-events.js';
import type { Closing } from './close-codes.js';
import type { Outcome } from './completion.js';
import {
  type BusinessError,
  businessError,
  causeOf,
  connectErrorName,
  type ErrorCause,
  endCause,
  failureError,
  fileError,
} from './errors.js';
import { setImmediate } from './later.js';
import { type ConnectRequest, clientConfig, filesOf, hostToResolve } from './options.js';
import { firstMissing, type Platform } from './platform.js';
import type { Profile } from './profile.js';
import { literalAddress, resolve } from './resolve.js';
import { byteLength, SendQueue } from './send-queue.js';
import type { ClientState } from './state.js';
import type {
  ClientHandler,
  CloseInfo,
  Connection,
  EngineFailure,
  Message,
  OpenInfo,
  Transport,
} from './transport.js';
import type { WebSocketData } from './types.js';

/** What a connection needs from the object it belongs to. */
export interface ClientContext {
  readonly profile: Profile;
  readonly transport: Transport;
  readonly platform: Platform;
  readonly events: ClientEvents;
  /** The connection is over; the object may connect again, from the events that follow too. */
  release(): void;
}

export class ClientConnection implements ClientHandler {
  state: Exclude<ClientState, 'idle'> = 'connecting';
  readonly #context: ClientContext;
  readonly #request: ConnectRequest;
  readonly #outcome: Outcome;
  /** The engine's side; undefined while files and addresses are awaited. */
  #connection: Connection | undefined;
  /** The same, once messages may go to it directly; until then they gather in `#early`. */
  #direct: Connection | undefined;
  #early: Early[] = [];
  readonly #earlyQueue: SendQueue;
  /** What `close` asked for. */
  #closing: Closing | undefined;

  /** `outcome` is that of the `connect` call. */
  constructor(context: ClientContext, request: ConnectRequest, outcome: Outcome) {
    this.#context = context;
    this.#request = request;
    this.#outcome = outcome;
    this.#earlyQueue = new SendQueue(request.options);
  }

  /** Starts. Reaches the engine before it returns, if there is nothing to wait for. */
  begin(): void {
    const addresses = literalAddress(hostToResolve(this.#request));
    if (addresses !== undefined && filesOf(this.#request.options).length === 0) {
      this.#launch(addresses);
    } else {
      void this.#prepare();
    }
  }

  async #prepare(): Promise<void> {
    const { platform } = this.#context;
    const host = hostToResolve(this.#request);
    const missing = await firstMissing(filesOf(this.#request.options), platform);
    if (this.state !== 'connecting') return;
    if (missing !== undefined) {
      this.#refuse(fileError(missing));
      return;
    }
    const found = literalAddress(host) ?? (await resolve(host, platform));
    if (this.state !== 'connecting') return;
    if ('kind' in found) this.#refuseUnresolved(found);
    else this.#launch(found);
  }

  /** As netstack has it, a proxy without an address is as good as a target without one. */
  #refuseUnresolved(found: EngineFailure): void {
    const failure: EngineFailure =
      this.#request.proxy === undefined
        ? found
        : { ...found, phase: 'proxy', detail: `the proxy: ${found.detail}` };
    this.#refuse(failureError(connectErrorName(found), failure));
    this.#raiseLater(() => this.#raiseRejected(causeOf(failure)));
  }

  #launch(addresses: readonly string[]): void {
    const { transport, profile } = this.#context;
    if (this.#request.target.port === 0) {
      this.#outcome.accept();
      this.#raiseLater(() => {
        if (this.state === 'connecting') this.onConnectFailed(0, unusablePort);
      });
      return;
    }
    try {
      this.#connection = transport.connect(clientConfig(this.#request, addresses, profile), this);
    } catch (error) {
      // The engine could not even be loaded. No call throws, so this is a rejection like any other.
      this.#refuse(businessError('other', { phase: 'connect', errno: '', detail: String(error) }));
      return;
    }
    if (profile.flushesAtOpen) this.#sendDirectly(this.#connection);
  }

  /** Ends before the engine has begun. */
  #refuse(error: BusinessError): void {
    this.#release();
    this.#outcome.reject(error);
  }

  #release(): void {
    this.#context.release();
    const early = this.#early;
    this.#early = [];
    this.#earlyQueue.clear();
    for (const { onTaken } of early) onTaken?.();
  }

  /** Events of our own making come in a turn of their own, as those of the engine do. */
  #raiseLater(raise: () => void): void {
    setImmediate(raise);
  }

  #raiseRejected(cause: ErrorCause): void {
    const { profile, events } = this.#context;
    for (let n = 0; n < profile.errorEventsOfRejectedConnect; n++) events.error(0, cause);
  }

  /** Sends, or keeps a copy until it can. Returns what `Connection.send` does. */
  send(data: WebSocketData): Promise<void> | undefined {
    if (this.#direct !== undefined) return this.#direct.send(data);
    if (this.state === 'open' && this.#connection !== undefined) {
      return this.#sendDirectly(this.#connection).send(data);
    }
    return this.#keep(data);
  }

  /** The same rules as the engine's connection has, with nothing to know of what has left. */
  #keep(data: WebSocketData): Promise<void> | undefined {
    const queue = this.#earlyQueue;
    const refusal = queue.refusal(data);
    if (refusal !== undefined) {
      if (queue.closes) this.close(TOO_MUCH_WAITS);
      return Promise.reject(refusal);
    }
    const mustWait = !queue.refuses && queue.isAbove();
    queue.add(byteLength(data));
    if (!mustWait) {
      this.#early.push({ data: copyOf(data), onTaken: undefined });
      return undefined;
    }
    return new Promise((resolve) => {
      this.#early.push({ data: copyOf(data), onTaken: resolve });
    });
  }

  #sendDirectly(connection: Connection): Connection {
    const early = this.#early;
    this.#early = [];
    this.#direct = connection;
    this.#earlyQueue.clear();
    for (const { data, onTaken } of early) {
      const pending = connection.send(data, true);
      onTaken?.(pending);
    }
    return connection;
  }

  /** Closes, or ends the attempt; `close` is the last event either way. */
  close(closing: Closing): void {
    this.#closing = closing;
    this.state = 'closing';
    if (this.#connection !== undefined) {
      this.#connection.close(closing.code, closing.reason, closing.wireCode);
      return;
    }
    this.#outcome.accept();
    this.#raiseLater(() => this.#end(closing.code, closing.reason));
  }

  onStarted(failure: EngineFailure | undefined): void {
    if (failure === undefined) {
      this.#outcome.accept();
      return;
    }
    const name = connectErrorName(failure);
    this.#refuse(failureError(name, failure));
    if (this.#closing !== undefined) {
      this.#context.events.closed(this.#closing.code, this.#closing.reason);
    } else if (name === 'connectFailed') {
      this.#raiseRejected(causeOf(failure));
    }
  }

  onOpened(info: OpenInfo): void {
    // `close` may have been called while this was under way: then the object never was open.
    if (this.state !== 'connecting') return;
    this.state = 'open';
    this.#context.events.opened(info);
  }

  onConnectFailed(httpStatus: number, failure: EngineFailure): void {
    if (this.#closing !== undefined) {
      this.#end(this.#closing.code, this.#closing.reason);
      return;
    }
    this.#release();
    this.#context.events.error(httpStatus, causeOf(failure));
  }

  onMessage(data: Message): void {
    if (this.state === 'open') this.#context.events.message(data);
  }

  onClosed({ code, reason, abnormal, failure }: CloseInfo): void {
    // Not open for what the `error` handler may call, nor free to connect before `close` (C23).
    this.state = 'closing';
    if (abnormal) this.#context.events.error(0, endCause(failure));
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    this.#outcome.accept();
    this.#release();
    this.#context.events.closed(code, reason);
  }
}

/** A message that the engine does not have yet, and whoever waits for it to be taken. */
interface Early {
  readonly data: WebSocketData;
  readonly onTaken: ((pending?: Promise<void>) => void) | undefined;
}

const TOO_MUCH_WAITS: Closing = { code: 1008, reason: 'too much waits to be sent', wireCode: 1008 };

const unusablePort: EngineFailure = {
  kind: 'network',
  phase: 'connect',
  errno: '',
  detail: 'port 0 cannot be connected to',
};

/** The caller may reuse its memory when `send` has returned. */
function copyOf(data: WebSocketData): WebSocketData {
  if (typeof data === 'string') return data;
  if (!ArrayBuffer.isView(data)) return data.slice(0);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
