/**
 * A listener on this side of the rings: what it asks of its engine, who waits for the answers, and who hears of
 * what comes. What it wants of the engine it writes as records, and it reads those that are about it.
 */
import {
  toDetails,
  toDrainReport,
  toFailure,
  toPeer,
  toStats,
  toUpgradeInfo,
} from './engine-answers.js';
import { type EngineConnection, MAX_REASON_BYTES, type RecordWriter } from './engine-connection.js';
import { answerStrings, encodeRequest, tlsStrings } from './engine-requests.js';
import {
  DETAILED,
  Down,
  decodeStrings,
  encodeStrings,
  type RareRecord,
  SECURE,
  Up,
  WATCH_PINGS,
  WATCH_PONGS,
} from './records.js';
import type { EngineStats } from './server-stats.js';
import type {
  EngineFailure,
  HoldingListener,
  ServerConfig,
  ServerHandler,
  TlsConfig,
  UpgradeAnswer,
} from './transport.js';

/** What it wants of its engine. */
export interface ListenerEngine extends RecordWriter {
  /** The engine knows this listener no more. */
  onListenerEnded(id: number): void;
}

export class EngineListener implements HoldingListener {
  readonly config: ServerConfig;
  readonly #engine: ListenerEngine;
  readonly #id: number;
  readonly #handler: ServerHandler;
  #isGone = false;
  /** Wait for answers to the steps of a reload, in the order of the questions. */
  readonly #reloads: ((failure: EngineFailure | 'gone' | undefined) => void)[] = [];
  /** Wait for answers about its counters, in the order of the questions. */
  readonly #asked: ((stats: EngineStats | undefined) => void)[] = [];

  constructor(engine: ListenerEngine, id: number, config: ServerConfig, handler: ServerHandler) {
    this.#engine = engine;
    this.#id = id;
    this.config = config;
    this.#handler = handler;
  }

  stop(code: number, reason: string, drainMs?: number): void {
    const onWire = Buffer.from(reason, 'utf8').subarray(0, MAX_REASON_BYTES);
    if (drainMs === undefined) this.#post(Down.stop, onWire, code);
    else this.#post(Down.drain, onWire, code, drainMs);
  }

  accept(): void {
    this.#post(Down.accept);
  }

  prepareReload(tls: TlsConfig): Promise<EngineFailure | 'gone' | undefined> {
    return this.#reload(Down.reload, encodeRequest(tlsStrings(tls)), 0);
  }

  endReload(take: boolean): Promise<EngineFailure | 'gone' | undefined> {
    return this.#reload(Down.reloadEnd, undefined, take ? 1 : 0);
  }

  #reload(
    kind: number,
    strings: Uint8Array | undefined,
    arg: number,
  ): Promise<EngineFailure | 'gone' | undefined> {
    if (this.#isGone) return Promise.resolve('gone');
    return new Promise((resolve) => {
      this.#reloads.push(resolve);
      this.#post(kind, strings, 0, arg);
    });
  }

  stats(): Promise<EngineStats | undefined> {
    if (this.#isGone) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#post(Down.statsRequest);
    });
  }

  answerUpgrade(request: number, answer: UpgradeAnswer): void {
    const status = 'status' in answer ? answer.status : 0;
    this.#post(Down.upgradeAnswer, encodeStrings(answerStrings(answer)), status, request);
  }

  watch(pings: boolean, pongs: boolean): void {
    this.#post(Down.watch, undefined, 0, (pings ? WATCH_PINGS : 0) | (pongs ? WATCH_PONGS : 0));
  }

  #post(kind: number, payload?: Uint8Array, aux?: number, arg?: number): void {
    if (!this.#isGone) this.#engine.post(kind, this.#id, payload, aux, arg);
  }

  // ------------------------------------------------------------------------------ what the engine tells

  /** A connection was let in. */
  onAccepted(connection: EngineConnection, { flags, aux, payload }: RareRecord): void {
    const known = flags & DETAILED ? toDetails(decodeStrings(payload)) : toPeer(payload);
    const { ip, details, certificate } = known;
    const port = ip.startsWith('unix:') ? nextLocalPort() : aux;
    connection.handler = this.#handler.onAccepted(connection, ip, port, details, certificate);
  }

  onRecord({ kind, flags, aux, arg, payload }: RareRecord): void {
    switch (kind) {
      case Up.listening: {
        const strings = decodeStrings(payload);
        const failure = strings[0] === '' ? undefined : toFailure(strings);
        if (failure !== undefined) this.#end();
        this.#handler.onStarted(failure === undefined ? strings.slice(1).map(Number) : [], failure);
        return;
      }
      case Up.refused: {
        const [ip = '', detail = ''] = decodeStrings(payload);
        this.#handler.onRefused(ip, aux, detail);
        return;
      }
      case Up.upgradeRequest: {
        const secure = (flags & SECURE) !== 0;
        this.#handler.onUpgrade(toUpgradeInfo(arg, aux, secure, decodeStrings(payload)));
        return;
      }
      case Up.upgradeEnded:
        this.#handler.onUpgradeEnded(arg);
        return;
      case Up.reloaded:
        this.#reloads.shift()?.(
          payload.length === 0 ? undefined : toFailure(decodeStrings(payload)),
        );
        return;
      case Up.stats:
        this.#asked.shift()?.(toStats(decodeStrings(payload)));
        return;
      case Up.stopped:
        this.#end();
        this.#handler.onStopped(
          payload.length === 0 ? undefined : toDrainReport(decodeStrings(payload)),
        );
        return;
    }
  }

  #end(): void {
    this.#isGone = true;
    for (const resolve of this.#asked) resolve(undefined);
    for (const resolve of this.#reloads) resolve('gone');
    this.#engine.onListenerEnded(this.#id);
  }
}

let localPort = 0;

/** For the port of a connection over a path: one that no other has had, so that who comes later is not taken for it. */
function nextLocalPort(): number {
  localPort += 1;
  return localPort;
}
