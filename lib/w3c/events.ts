/**
 * The events that Node 20 lacks as globals: `CloseEvent` (WebSockets standard §6) and `ErrorEvent` (HTML
 * standard §8.1.4.6). `Event` and `MessageEvent` are Node's.
 */

type EventInit = NonNullable<ConstructorParameters<typeof Event>[1]>;

/** Fields of a `CloseEvent`. */
export interface CloseEventInit extends EventInit {
  /** Default false. */
  wasClean?: boolean | undefined;
  /** 0–65535. Default 0. */
  code?: number | undefined;
  /** Default `''`. */
  reason?: string | undefined;
}

/** How a connection ended (WebSockets standard §6). */
export class CloseEvent extends Event {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, init: CloseEventInit = {}) {
    super(type, init);
    this.#wasClean = Boolean(init.wasClean);
    this.#code = Number(init.code ?? 0) & 0xffff;
    this.#reason = `${init.reason ?? ''}`;
  }

  /** Whether both sides exchanged close frames. */
  get wasClean(): boolean {
    return this.#wasClean;
  }

  /** The code of the peer's close frame; 1005 if it had none, 1006 if no legal one came. */
  get code(): number {
    return this.#code;
  }

  /** The reason of the peer's close frame, else `''`. */
  get reason(): string {
    return this.#reason;
  }
}

/** Fields of an `ErrorEvent`. */
export interface ErrorEventInit extends EventInit {
  /** Default `''`. */
  message?: string | undefined;
  /** Default undefined. */
  error?: unknown;
}

/** An `error` event that says what happened; a page is told nothing but the type. */
export class ErrorEvent extends Event {
  readonly #message: string;
  readonly #error: unknown;

  constructor(type: string, init: ErrorEventInit = {}) {
    super(type, init);
    this.#message = `${init.message ?? ''}`;
    this.#error = init.error;
  }

  /** What happened, in words that are free to change. */
  get message(): string {
    return this.#message;
  }

  /** The error, with its `cause`; the signal's reason if that ended the connection. */
  get error(): unknown {
    return this.#error;
  }
}

for (const [event, names] of [
  [CloseEvent, ['wasClean', 'code', 'reason']],
  [ErrorEvent, ['message', 'error']],
] as const) {
  for (const name of names) Object.defineProperty(event.prototype, name, { enumerable: true });
  Object.defineProperty(event.prototype, Symbol.toStringTag, {
    value: event.name,
    configurable: true,
  });
}
