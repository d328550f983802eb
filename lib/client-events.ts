/**
 * The events of the client: their names, their arguments and the order of those that come together.
 */

import type { ResponseHeaders, WebSocketOpenInfo, WebSocketOpenResult } from './client-types.js';
import { type BusinessError, clientErrorEvent, type ErrorCause } from './errors.js';
import { responseHeaders } from './headers.js';
import { callIsolated, type Listeners, throwLater } from './listeners.js';
import { textBeforeNul } from './message-text.js';
import type { Profile } from './profile.js';
import type { Message, OpenInfo } from './transport.js';
import type { CloseResult } from './types.js';

/** Listeners as they are called: some with an error in front that never is one (§2.5). */
export type ClientSlots = {
  open: (error: undefined, value: WebSocketOpenResult) => unknown;
  openInfo: (error: undefined, value: WebSocketOpenInfo) => unknown;
  message: (error: undefined, value: Message | undefined) => unknown;
  dataEnd: (value: undefined) => unknown;
  headerReceive: (value: ResponseHeaders) => unknown;
  close: (error: undefined, value: CloseResult) => unknown;
  error: (value: BusinessError<string>) => unknown;
};

export const clientEventNames: readonly (keyof ClientSlots)[] = [
  'open',
  'openInfo',
  'message',
  'dataEnd',
  'headerReceive',
  'close',
  'error',
];

/** Raises the events of one client. */
export class ClientEvents {
  readonly #current: Listeners<ClientSlots>['current'];
  readonly #profile: Profile;

  constructor(listeners: Listeners<ClientSlots>, profile: Profile) {
    this.#current = listeners.current;
    this.#profile = profile;
  }

  /** `headerReceive`, `open`, `openInfo`. */
  opened({ message, protocol, headers }: OpenInfo): void {
    const info = { status: 101, message };
    if (this.#current.headerReceive !== undefined) {
      callIsolated(this.#current.headerReceive, responseHeaders(headers, this.#profile));
    }
    callIsolated(this.#current.open, undefined, { ...info });
    callIsolated(this.#current.openInfo, undefined, protocol === '' ? info : { ...info, protocol });
  }

  /** `message`, then `dataEnd`; neither without a `message` listener (C34). */
  message(data: Message): void {
    const { message } = this.#current;
    if (message === undefined) return;
    try {
      message(undefined, this.#asReported(data));
    } catch (error) {
      throwLater(error);
    }
    const { dataEnd } = this.#current;
    if (dataEnd !== undefined) dataEnd(undefined);
  }

  #asReported(data: Message): Message | undefined {
    if (typeof data === 'string') {
      return this.#profile.textEndsAtNul ? textBeforeNul(data) : data;
    }
    return this.#profile.emptyBinaryIsUndefined && data.byteLength === 0 ? undefined : data;
  }

  error(httpStatus: number, cause: ErrorCause): void {
    callIsolated(this.#current.error, clientErrorEvent(httpStatus, cause, this.#profile));
  }

  closed(code: number, reason: string): void {
    callIsolated(this.#current.close, undefined, { code, reason });
  }
}
