/**
 * The upgrade requests of one run of a server that its hook decides on: asks, reads the decision, and keeps the
 * data of those who were let in until their connection is there. A decision that cannot be carried out, or is
 * none, is answered with 500: nobody comes in by a mistake.
 */

import { X509Certificate } from 'node:crypto';
import { TOKEN } from './headers.js';
import type { UpgradeAnswer, UpgradeInfo } from './transport.js';
import type { UpgradeHeaders, UpgradeHook, UpgradeRequest } from './upgrade-types.js';
import { isObject, mismatch } from './validate.js';

const MAX_HEADER_BYTES = 16_384;
const MAX_BODY_BYTES = 65_536;
const FORBIDDEN = 403;
/** How a hook is answered for that has failed. */
export const HOOK_FAILED = 500;
const FAILED: UpgradeAnswer = { status: HOOK_FAILED, headers: [], body: '' };

const handshakeHeader =
  /^(?:connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i;
const forbiddenInValue = /[\0-\x08\x0a-\x1f\x7f]/;

/** What the hook has decided: the answer, and the data of the connection. */
interface Decision {
  readonly answer: UpgradeAnswer;
  readonly data?: unknown;
}

export interface UpgradeDesk {
  answer(id: number, answer: UpgradeAnswer): void;
  /** The hook threw, or decided what is no decision. */
  failed(request: UpgradeInfo, error: unknown): void;
}

export class Upgrades {
  readonly #hook: UpgradeHook;
  readonly #desk: UpgradeDesk;
  /** Asked, and not decided on. */
  readonly #asked = new Map<number, Request>();
  /** Let in, and not connected yet: the data. */
  readonly #letIn = new Map<number, unknown>();

  constructor(hook: UpgradeHook, desk: UpgradeDesk) {
    this.#hook = hook;
    this.#desk = desk;
  }

  ask(info: UpgradeInfo): void {
    const request = new Request(info);
    this.#asked.set(info.id, request);
    let result: unknown;
    try {
      result = this.#hook(request);
    } catch (error) {
      this.#fail(info, error);
      return;
    }
    if (!isThenable(result)) this.#decide(info, request, result);
    else void this.#await(info, request, result);
  }

  async #await(info: UpgradeInfo, request: Request, result: PromiseLike<unknown>): Promise<void> {
    try {
      this.#decide(info, request, await result);
    } catch (error) {
      this.#fail(info, error);
    }
  }

  #decide(info: UpgradeInfo, request: Request, given: unknown): void {
    // Its client has gone meanwhile, or the time is up.
    if (!this.#asked.has(info.id)) return;
    const decision = readDecision(given, request);
    if (typeof decision === 'string') {
      this.#fail(info, new TypeError(decision));
      return;
    }
    this.#asked.delete(info.id);
    if (!('status' in decision.answer)) this.#letIn.set(info.id, decision.data);
    this.#desk.answer(info.id, decision.answer);
  }

  #fail(info: UpgradeInfo, error: unknown): void {
    if (!this.#asked.delete(info.id)) return;
    this.#desk.answer(info.id, FAILED);
    this.#desk.failed(info, error);
  }

  /** The engine has given the request up. */
  ended(id: number): void {
    const request = this.#asked.get(id);
    this.#asked.delete(id);
    this.#letIn.delete(id);
    request?.abort();
  }

  /** The server is gone, and all requests with it. */
  end(): void {
    for (const id of [...this.#asked.keys()]) this.ended(id);
    this.#letIn.clear();
  }

  /** The connection of an accepted request is there: its data. */
  take(id: number): unknown {
    const data = this.#letIn.get(id);
    this.#letIn.delete(id);
    return data;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value.then === 'function';
}

/** The request as the hook sees it; what costs something is made when it is asked for. */
class Request implements UpgradeRequest {
  readonly #info: UpgradeInfo;
  #query: URLSearchParams | undefined;
  #headers: Record<string, string> | undefined;
  #certificate: X509Certificate | undefined;
  readonly #controller = new AbortController();

  constructor(info: UpgradeInfo) {
    this.#info = info;
  }

  get method(): string {
    return this.#info.method;
  }

  get path(): string {
    return splitTarget(this.#info.target).path;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(splitTarget(this.#info.target).query);
    return this.#query;
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= joinHeaders(this.#info.headers);
    return this.#headers;
  }

  get protocols(): readonly string[] {
    const offered = this.headers['sec-websocket-protocol'] ?? '';
    return offered
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
  }

  get remoteAddress(): string {
    return this.#info.remoteAddress;
  }

  get clientIP(): string {
    return this.#info.ip;
  }

  get clientPort(): number {
    return this.#info.port;
  }

  get secure(): boolean {
    return this.#info.secure;
  }

  get peerCertificate(): X509Certificate | undefined {
    const { certificate } = this.#info;
    if (certificate !== '') this.#certificate ??= new X509Certificate(certificate);
    return this.#certificate;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller.abort();
  }
}

/** A target is a path with a query, or a whole URL (RFC 9112 §3.2). */
function splitTarget(target: string): { path: string; query: string } {
  const local = target.startsWith('/') ? target : target.replace(/^[^:]*:\/\/[^/?]*/, '');
  const mark = local.indexOf('?');
  return mark < 0
    ? { path: local || '/', query: '' }
    : { path: local.slice(0, mark) || '/', query: local.slice(mark + 1) };
}

/** Headers as an object. */
export function joinHeaders(lines: readonly (readonly [string, string])[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of lines) {
    const known = headers[name];
    headers[name] =
      known === undefined ? value : `${known}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}

/** Reads a decision. A string says what is wrong with it. */
function readDecision(given: unknown, request: UpgradeRequest): Decision | string {
  if (given === true) return { answer: { protocol: undefined, headers: [] } };
  if (given === false) return { answer: { status: FORBIDDEN, headers: [], body: '' } };
  if (!isObject(given) || typeof given.accept !== 'boolean') {
    return mismatch('the decision of onUpgrade', 'a boolean, or an object with `accept`', given);
  }
  const headers = readHeaders(given.headers);
  if (typeof headers === 'string') return headers;
  return given.accept ? readAcceptance(given, headers, request) : readRefusal(given, headers);
}

function readAcceptance(
  { protocol, data }: Record<string, unknown>,
  headers: readonly (readonly [string, string])[],
  { protocols }: UpgradeRequest,
): Decision | string {
  if (protocol !== undefined && typeof protocol !== 'string') {
    return mismatch('protocol', 'a string', protocol);
  }
  if (protocol !== undefined && protocol !== '' && !protocols.includes(protocol)) {
    return `the client does not offer the subprotocol ${JSON.stringify(protocol)}`;
  }
  return { answer: { protocol, headers }, data };
}

function readRefusal(
  { status = FORBIDDEN, body = '' }: Record<string, unknown>,
  headers: readonly (readonly [string, string])[],
): Decision | string {
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 300 || status > 599) {
    return mismatch('status', 'an integer of 300–599', status);
  }
  if (typeof body !== 'string') return mismatch('body', 'a string', body);
  const size = Buffer.byteLength(body);
  if (size > MAX_BODY_BYTES) return `a body of ${size} bytes; the limit is ${MAX_BODY_BYTES}`;
  return { answer: { status, headers, body } };
}

function readHeaders(given: unknown): readonly (readonly [string, string])[] | string {
  if (given === undefined) return [];
  if (!isObject(given)) return mismatch('headers', 'an object', given);
  const lines: [string, string][] = [];
  let size = 0;
  for (const [name, value] of Object.entries(given as UpgradeHeaders)) {
    if (value === undefined) continue;
    if (!TOKEN.test(name)) return `not a header name: ${JSON.stringify(name)}`;
    if (handshakeHeader.test(name)) return `header ${name} is made by the handshake`;
    for (const line of Array.isArray(value) ? value : [value]) {
      if (typeof line !== 'string') return mismatch(`header ${name}`, 'a string', line);
      if (forbiddenInValue.test(line)) return `header ${name} contains a control character`;
      size += name.length + Buffer.byteLength(line) + 4;
      lines.push([name, line]);
    }
  }
  return size <= MAX_HEADER_BYTES
    ? lines
    : `headers of ${size} bytes; the limit is ${MAX_HEADER_BYTES}`;
}
