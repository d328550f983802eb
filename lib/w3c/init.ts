/**
 * The second argument of the constructor: subprotocols, or the options that the standard does not have. Reads
 * and checks; what is wrong throws.
 */

import { TOKEN } from '../headers.js';
import { type ConnectOptions, readOptions } from '../options.js';
import { documented } from '../profile.js';
import type { WebSocketRequestOptions } from '../types.js';
import { isObject, mismatch } from '../validate.js';
import { syntaxError } from './url.js';

/**
 * Beyond the standard, and optional. Options of the native client; those without a comment here mean what they
 * mean in `connect` of `ohos-websocket`.
 */
export interface WebSocketInit
  extends Omit<
    WebSocketRequestOptions,
    'header' | 'protocol' | 'pingInterval' | 'backPressure' | 'binaryType'
  > {
  /** As the second argument of the standard's constructor. Default: none. */
  protocols?: string | readonly string[] | undefined;
  /**
   * Further headers of the request: an object, a `Headers`, or pairs. TypeError for a name or value that HTTP
   * does not allow and for headers of the handshake itself.
   */
  headers?: object | undefined;
  /**
   * When it aborts, the connection ends as by `close()`. Aborted before the connection was open, the `error`
   * event has its reason; aborted already, nothing is sent at all.
   */
  signal?: AbortSignal | undefined;
  /**
   * Seconds between two pings, 0–30 000; 0, the default, sends none, as browsers do. See `pongTimeout`.
   */
  pingInterval?: number | undefined;
}

/** The same, checked. */
export interface ReadInit {
  readonly protocols: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly options: ConnectOptions;
}

/**
 * Throws a "SyntaxError" DOMException for bad subprotocols, a TypeError for other bad options. `authorization`
 * is the header of the URL's user, if it has one; an own header replaces it.
 */
export function readInit(given: unknown, authorization: string | undefined): ReadInit {
  const isList = !isObject(given) || isIterable(given);
  const { protocols, headers, signal, ...rest }: Record<string, unknown> = isList
    ? { protocols: given }
    : given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(mismatch('signal', 'an AbortSignal', signal));
  }
  if (headers !== undefined && !isObject(headers)) {
    throw new TypeError(mismatch('headers', 'an object', headers));
  }
  const names = readProtocols(protocols);
  const header = { ...(authorization && { authorization }), ...lowerCased(headers) };
  const options = readOptions(
    // Senders of this API look at `bufferedAmount`.
    {
      pingInterval: 0,
      ...rest,
      backPressure: 'wait',
      binaryType: 'arraybuffer',
      protocol: names.join(', '),
      header,
    },
    documented,
  );
  if (typeof options === 'string') throw new TypeError(options);
  return { protocols: names, signal, options };
}

function lowerCased(headers: object = {}): Record<string, unknown> {
  const pairs = isIterable(headers) ? [...headers] : Object.entries(headers);
  return Object.fromEntries(
    (pairs as [string, unknown][]).map(([name, value]) => [`${name}`.toLowerCase(), value]),
  );
}

/** A string or an iterable of them; each once in any case, and a token (RFC 6455 §4.1). */
function readProtocols(given: unknown): readonly string[] {
  const names = given === undefined ? [] : isIterable(given) ? [...given] : [given];
  const protocols = names.map((name) => `${name}`);
  const bad = protocols.find((name) => !TOKEN.test(name));
  if (bad !== undefined) throw syntaxError(`not a subprotocol: ${JSON.stringify(bad)}`);
  const distinct = new Set(protocols.map((name) => name.toLowerCase()));
  if (distinct.size !== protocols.length) throw syntaxError('a subprotocol is there twice');
  return protocols;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return isObject(value) && Symbol.iterator in value;
}
