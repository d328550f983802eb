/**
 * The connection of one `WebSocket`, from its constructor to its end: waits for files and addresses, hands
 * over to the engine, keeps what is sent in order (the bytes of a Blob come later), counts what has not left
 * yet, and reports in the standard's terms. Knows nothing of events and states; those are in `web-socket.ts`.
 */

import { BusinessError, type ErrorCause, endCause, fileError, inWords } from '../errors.js';
import { setImmediate } from '../later.js';
import { clientConfig, filesOf, hostToResolve, requestTo } from '../options.js';
import { firstMissing } from '../platform.js';
import { literalAddress, resolve } from '../resolve.js';
import type { Surroundings } from '../surroundings.js';
import type {
  ClientHandler,
  CloseInfo,
  Connection,
  EngineFailure,
  Message,
  OpenInfo,
} from '../transport.js';
import type { ReadInit } from './init.js';
import { isBadPort, targetOf } from './url.js';

/** How a connection ended. */
export interface Ending {
  /** As the peer's close frame said; 1005 for an empty one, 1006 if no legal one came. */
  readonly code: number;
  readonly reason: string;
  /** Why it did not end cleanly; undefined if it did. */
  readonly error: unknown;
}

/** What is reported, in this order: `onOpen`, `onMessage` …, `onEnd`; or `onEnd` alone. */
export interface LinkOwner {
  onOpen(protocol: string, extensions: string): void;
  onMessage(data: Message): void;
  /** The last word. */
  onEnd(ending: Ending): void;
}

/** A message whose bytes are there, or will be. */
type Outgoing = string | Uint8Array | Promise<ArrayBuffer>;

const ABNORMAL_CODE = 1006;
const PROTOCOL_ERROR = 1002;
const INTERNAL_ERROR = 1011;
const NO_STATUS = 1005;
const NO_BODY = 0;

export class Link implements ClientHandler {
  readonly #owner: LinkOwner;
  readonly #surroundings: Surroundings;
  readonly #url: URL;
  readonly #init: ReadInit;
  #connection: Connection | undefined;
  /** What ended it from our side, for the report. */
  #failure: unknown;
  /** What waits behind a Blob, closing included, in order. */
  #waiting: (() => void | Promise<void>)[] = [];
  #ended = false;
  /** Bytes that `send` took so far, that the engine has of them, and that are known to have left. */
  #queuedBytes = 0;
  #writtenBytes = 0;
  #leftBytes = 0;
  #isCounting = false;

  constructor(owner: LinkOwner, surroundings: Surroundings, url: URL, init: ReadInit) {
    this.#owner = owner;
    this.#surroundings = surroundings;
    this.#url = url;
    this.#init = init;
    void this.#begin();
  }

  /** Bytes of `send` that have not left this process. */
  get bufferedBytes(): number {
    return this.#queuedBytes - this.#leftBytes;
  }

  // ------------------------------------------------------------------------------------------ connecting

  async #begin(): Promise<void> {
    // Nothing is reported before the constructor has returned.
    await undefined;
    const problem = this.#failure ?? (await this.#connect());
    if (problem !== undefined) this.#endUnconnected(problem);
  }

  /** Reaches the engine, or says why not. */
  async #connect(): Promise<Error | undefined> {
    const { profile, transport, platform, settings } = this.#surroundings;
    const { options } = this.#init;
    const target = targetOf(this.#url);
    const request = requestTo(target, options, profile, platform.readVariable);
    const denied = settings.denied() ?? settings.domainDenied(target.hostname);
    if (denied !== undefined) return denied;
    if (request instanceof BusinessError) return request;
    if (isBadPort(target.port)) {
      return errorOf({ phase: 'arguments', errno: '', detail: `port ${target.port} is blocked` });
    }
    const missing = await firstMissing(filesOf(options), platform);
    if (missing !== undefined) return fileError(missing);
    const host = hostToResolve(request);
    const found = literalAddress(host) ?? (await resolve(host, platform));
    if ('kind' in found) return errorOf(found);
    if (this.#failure !== undefined) return undefined;
    try {
      this.#connection = transport.connect(clientConfig(request, found, profile), this);
      return undefined;
    } catch (error) {
      return errorOf({ phase: 'connect', errno: '', detail: String(error) });
    }
  }

  #endUnconnected(error: unknown): void {
    if (!this.#ended) this.#end({ code: ABNORMAL_CODE, reason: '', error });
  }

  onStarted(failure: EngineFailure | undefined): void {
    if (failure !== undefined) this.#endUnconnected(this.#failure ?? errorOf(failure));
  }

  onConnectFailed(httpStatus: number, failure: EngineFailure): void {
    this.#endUnconnected(this.#failure ?? errorOf(failure, httpStatus));
  }

  onOpened({ protocol, headers }: OpenInfo): void {
    if (this.#failure !== undefined) return;
    const { protocols } = this.#init;
    const isAgreed = protocols.length === 0 ? protocol === '' : protocols.includes(protocol);
    if (!isAgreed) {
      const detail = `the server chose the subprotocol ${JSON.stringify(protocol)}`;
      this.fail(errorOf({ phase: 'handshake', errno: '', detail }), PROTOCOL_ERROR);
      return;
    }
    const extensions = headers.filter(([name]) => name === 'sec-websocket-extensions');
    this.#owner.onOpen(protocol, extensions.map(([, value]) => value).join(', '));
  }

  // ------------------------------------------------------------------------------------------ messages

  onMessage(data: Message): void {
    this.#owner.onMessage(data);
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  /** Counts bytes that were sent when they could no longer leave. */
  count(bytes: number): void {
    this.#queuedBytes += bytes;
  }

  /** Sends behind everything sent before. The memory is the caller's again on return. */
  send(data: Outgoing, bytes: number): void {
    this.#queuedBytes += bytes;
    if (data instanceof Promise) {
      // It may fail while another one is awaited.
      data.catch(() => undefined);
      this.#inTurn(async () => this.#write(await data, bytes));
    } else if (this.#waiting.length > 0) {
      const kept = typeof data === 'string' ? data : data.slice();
      this.#inTurn(() => this.#write(kept, bytes));
    } else {
      this.#write(data, bytes);
    }
  }

  #write(data: string | ArrayBuffer | Uint8Array, bytes: number): void {
    // Not awaited: this API has `bufferedAmount` for senders to look at.
    void this.#connection?.send(data);
    this.#writtenBytes += bytes;
    if (!this.#isCounting) void this.#countLeft();
  }

  /** Runs a step behind those that wait, at once if there are none. */
  #inTurn(step: () => void | Promise<void>): void {
    this.#waiting.push(step);
    if (this.#waiting.length === 1) void this.#work();
  }

  async #work(): Promise<void> {
    for (let step = this.#waiting[0]; step !== undefined; step = this.#waiting[0]) {
      try {
        await step();
      } catch (error) {
        const detail = `the Blob cannot be read: ${String(error)}`;
        this.#waiting = [];
        this.fail(errorOf({ phase: 'established', errno: '', detail }), INTERNAL_ERROR);
        return;
      }
      this.#waiting.shift();
    }
  }

  /** Asks when what was written has left, again until nothing is left. */
  async #countLeft(): Promise<void> {
    this.#isCounting = true;
    while (this.#leftBytes < this.#writtenBytes) {
      const written = this.#writtenBytes;
      await this.#connection?.drained();
      // What had not left then never will: the number stays.
      if (this.#ended) return;
      this.#leftBytes = written;
    }
    this.#isCounting = false;
  }

  // ------------------------------------------------------------------------------------------ ending

  /** The closing handshake, behind everything sent; without a code the frame is empty. */
  close(code: number | undefined, reason: string): void {
    this.#inTurn(() => {
      this.#connection?.close(code ?? NO_STATUS, reason, code ?? NO_BODY);
    });
  }

  /** Ends a connection because of what happened on our side, or before it was open. */
  fail(error: unknown, code: number = PROTOCOL_ERROR): void {
    this.#failure ??= error;
    if (this.#connection !== undefined) {
      this.#connection.close(code, '', code);
      return;
    }
    setImmediate(() => this.#endUnconnected(this.#failure));
  }

  onClosed({ peer, abnormal, failure }: CloseInfo): void {
    const isClean = peer !== undefined && !abnormal && this.#failure === undefined;
    const error = isClean ? undefined : (this.#failure ?? errorOf(endCause(failure)));
    const { code, reason } = isClean ? peer : { code: ABNORMAL_CODE, reason: '' };
    this.#end({ code, reason, error });
  }

  #end(ending: Ending): void {
    this.#ended = true;
    this.#waiting = [];
    this.#owner.onEnd(ending);
  }
}

/** An error with `cause`, an `ErrorCause`. */
function errorOf({ phase, errno, detail }: ErrorCause, httpStatus = 0): Error {
  const cause: ErrorCause = { phase, errno, detail };
  return new Error(inWords(httpStatus, cause), { cause });
}
