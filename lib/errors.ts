/**
 * Everything that a user sees as an error: the table of codes and texts, `BusinessError`, and the
 * values of `error` events. The only file that makes them.
 *
 * Rejections have netstack's code and text, word for word, in both profiles, since applications and
 * their support look for exactly these; what really happened is in `cause`.
 */

import type { EngineFailure, Phase } from './transport.js';

/** Codes and texts (API reference, error codes; texts as in netstack, §4). */
export const errorTable = {
  /** `connect`: the host has no address. */
  connectFailed: { code: -1, text: 'Websocket connect failed' },
  /**
   * `send` without a usable connection; code and text do not belong together, but ship so (C30).
   */
  notConnected: { code: -1, text: 'Websocket Unknown Other Error' },
  /** Only where `setPolicy` withholds it: no permission is needed outside OpenHarmony. */
  permissionDenied: { code: 201, text: 'Permission denied' },
  parameter: { code: 401, text: 'Parameter error' },
  url: { code: 2302001, text: 'Websocket url error' },
  fileMissing: { code: 2302002, text: 'Websocket certificate file does not exist' },
  alreadyConnected: { code: 2302003, text: 'Websocket connection already exist' },
  badAddress: { code: 2302004, text: "Can't listen to the given NIC" },
  badPort: { code: 2302005, text: "Can't listen to the given Port" },
  noSuchConnection: { code: 2302006, text: 'websocket connection does not exist' },
  portOccupied: { code: 2302007, text: 'Websocket port already occupied' },
  /** Only where `setPolicy` lists domains: atomic services exist on OpenHarmony only. */
  domainDenied: { code: 2302998, text: 'It is not allowed to access this domain' },
  other: { code: 2302999, text: 'Websocket Unknown Other Error' },
} as const;

export type ErrorName = keyof typeof errorTable;

/** `code` of every `error` event, whatever happened (C2, S19). */
export const EVENT_CODE = 200;

/** Details of an error, for people and logs: not part of OpenHarmony's API, and free to change. */
export interface ErrorCause {
  /** Where it failed; `arguments` and `files` fail before anything is tried. */
  readonly phase: Phase | 'arguments' | 'files' | 'state';
  /** `errno` of the operating system or the resolver, else `''`. */
  readonly errno: string;
  /** What was wrong, in words. */
  readonly detail: string;
}

/**
 * An error with a numeric `code`, as `@kit.BasicServicesKit` defines it. `code` and `message` are
 * own and enumerable, in this order, so that `JSON.stringify` gives what it gives on OpenHarmony
 * (C1).
 */
export class BusinessError<T = void> extends Error {
  // Never written here: ported code may read it.
  /** Only of `error` events of a client: the HTTP status of the answer, or `'0'`. */
  declare data: T;
  /** One of the codes of `docs/errors.md`. */
  declare code: number;

  /** Makes an error, as `@kit.BasicServicesKit` does; `cause` is *beyond OHOS*. */
  constructor(code: number, message: string, cause?: ErrorCause) {
    super();
    define(this, 'code', code, true);
    define(this, 'message', message, true);
    if (cause !== undefined) define(this, 'cause', cause, false);
    // Again, since the stack that Error made does not begin with the message.
    Error.captureStackTrace(this, BusinessError);
  }
}
define(BusinessError.prototype, 'name', 'BusinessError', false);

function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

/** Makes the error of one row of the table. */
export function businessError(name: ErrorName, cause?: ErrorCause): BusinessError {
  const { code, text } = errorTable[name];
  return new BusinessError(code, text, cause);
}

/** 401, with the reason in `cause`. */
export function parameterError(detail: string): BusinessError {
  return businessError('parameter', { phase: 'arguments', errno: '', detail });
}

/** An error that the state of the object raised, with the reason in `cause`. */
export function stateError(name: ErrorName, detail: string): BusinessError {
  return businessError(name, { phase: 'state', errno: '', detail });
}

/** 2302002 for a file that is not there. */
export function fileError(path: string): BusinessError {
  return businessError('fileMissing', {
    phase: 'files',
    errno: 'ENOENT',
    detail: `no such file: ${path}`,
  });
}

/** 401 of `on` and `off`; netstack's code is a string there (C6). */
export function listenerError(code: 401 | '401', detail: string): BusinessError {
  const error = parameterError(detail);
  define(error, 'code', code, true);
  return error;
}

/** Which row a failure of the engine belongs to, when it keeps a call from succeeding. */
const failureNames = {
  config: 'other',
  file: 'fileMissing',
  key: 'other',
  addressInUse: 'portOccupied',
  addressNotLocal: 'badAddress',
  permission: 'portOccupied',
  network: 'connectFailed',
} as const satisfies Record<EngineFailure['kind'], ErrorName>;

/** Name of the error that a failed `connect` rejects with. */
export function connectErrorName(failure: EngineFailure): ErrorName {
  return failureNames[failure.kind];
}

/** Name of the error that a failed `start` rejects with (S17). */
export function startErrorName(
  failure: EngineFailure,
  profile: { readonly reportsForeignAddress: boolean },
): ErrorName {
  const { kind } = failure;
  const occupied =
    kind === 'network' || (kind === 'addressNotLocal' && !profile.reportsForeignAddress);
  return occupied ? 'portOccupied' : failureNames[kind];
}

/** Makes the error of a call that the engine could not do. */
export function failureError(name: ErrorName, failure: EngineFailure): BusinessError {
  return businessError(name, causeOf(failure));
}

/** The part of a failure that is for people. */
export function causeOf({ phase, errno, detail }: EngineFailure): ErrorCause {
  return { phase, errno, detail };
}

/** The same for a connection that has ended, where the engine may not know why. */
export function endCause(failure: EngineFailure | undefined): ErrorCause {
  return failure === undefined
    ? { phase: 'established', errno: '', detail: 'the connection ended without a close frame' }
    : causeOf(failure);
}

/** The row of the profile that error events depend on. */
interface EventProfile {
  readonly explainsErrorEvents: boolean;
}

/**
 * Value of the client's `error` event: `{ code: 200, data: '<HTTP status or 0>' }` (C2) with a
 * `message` beside. It has all parts of a BusinessError but is a plain object, as on OpenHarmony:
 * tools that print an Error show its message only, and `data` is what people look for here.
 */
export function clientErrorEvent(
  httpStatus: number,
  cause: ErrorCause,
  profile: EventProfile,
): BusinessError<string> {
  const message = inWords(httpStatus, cause);
  const event = { code: EVENT_CODE, data: String(httpStatus) };
  return plainEvent(event, message, cause, profile) as BusinessError<string>;
}

/** `handshake: HTTP status 404, …`; without a status (0) only what is known of the cause. */
export function inWords(httpStatus: number, cause: ErrorCause): string {
  const answer = httpStatus === 0 ? [] : [`HTTP status ${httpStatus}`];
  const why = [cause.errno, cause.detail].filter((part) => part !== '');
  const what = [...answer, why.join(' ') || 'failed'].join(', ');
  return `${cause.phase}: ${what}`;
}

/** Value of the server's `error` event: `{ code: 200 }` (S19) with a `message` beside. */
export function serverErrorEvent(
  message: string,
  cause: ErrorCause,
  profile: EventProfile,
): BusinessError {
  return profile.explainsErrorEvents
    ? new BusinessError(EVENT_CODE, message, cause)
    : (plainEvent({ code: EVENT_CODE }, message, cause, profile) as BusinessError);
}

function plainEvent(
  event: object,
  message: string,
  cause: ErrorCause,
  { explainsErrorEvents }: EventProfile,
): object {
  define(event, 'message', message, explainsErrorEvents);
  define(event, 'name', 'BusinessError', false);
  define(event, 'cause', cause, false);
  return event;
}
