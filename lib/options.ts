/**
 * The options of `connect`, read and checked, and put together with the URL into what the engine
 * takes. Does no I/O: whether files exist is checked later, in the order that netstack checks
 * (§2.2).
 */

import { readBinaryType } from './binary-type.js';
import { type DeflateConfig, readDeflate } from './deflate.js';
import { type BusinessError, businessError } from './errors.js';
import { type RequestHeaders, readHeaders, readProtocols } from './headers.js';
import { type Heartbeat, readHeartbeat } from './heartbeat.js';
import { type Limits, readLimits } from './limits.js';
import type { Profile } from './profile.js';
import { isExcluded, type ProxyChoice, type ProxyServer, readProxy } from './proxy.js';
import { readBackPressure } from './send-queue.js';
import { type ReadVariable, systemProxy } from './system-proxy.js';
import type { ClientConfig, Trust } from './transport.js';
import type { BackPressure, BinaryType } from './types.js';
import { parseUrl, type Target } from './url.js';
import { isObject, isText, mismatch } from './validate.js';

/** Longest `protocol` in bytes; netstack's buffer, which it overflows, has one more (C13). */
const MAX_PROTOCOL_BYTES = 1023;

/** Options with all defaults filled in. */
export interface ConnectOptions {
  readonly headers: RequestHeaders;
  readonly heartbeat: Heartbeat;
  readonly proxy: ProxyChoice | undefined;
  readonly protocol: string;
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
  readonly keyPassword: string;
  readonly trust: Trust;
  readonly minTlsVersion: number | undefined;
  readonly originHasPort: boolean;
  readonly limits: Limits;
  readonly backPressure: BackPressure;
  readonly binaryType: BinaryType;
  readonly deflate: DeflateConfig | undefined;
}

/**
 * Reads the options. What has a wrong type counts as missing, except where §2.2 names an error
 * (C17): a string returned is the reason for a 401. `netstackTls` allows lax TLS where the profile
 * has it.
 */
export function readOptions(
  options: Record<string, unknown>,
  profile: Profile,
  netstackTls = false,
): ConnectOptions | string {
  const headers = readHeaders(options.header, profile);
  if (typeof headers === 'string') return headers;
  const proxy = isGiven(options, 'proxy', profile) ? readProxy(options.proxy, profile) : 'system';
  if (typeof proxy === 'object' && 'problem' in proxy) return proxy.problem;
  const protocol = isGiven(options, 'protocol', profile) ? options.protocol : '';
  if (typeof protocol !== 'string') return mismatch('protocol', 'a string', protocol);
  const problem = protocolProblem(protocol);
  if (problem !== undefined) return problem;
  const limits = readLimits(options.limits, 'client');
  if (typeof limits === 'string') return limits;
  const backPressure = readBackPressure(options.backPressure);
  if (typeof backPressure === 'object') return backPressure.problem;
  const binaryType = readBinaryType(options.binaryType);
  if (typeof binaryType === 'object') return binaryType.problem;
  const deflate = profile.compresses ? readDeflate(options.permessageDeflate) : undefined;
  if (typeof deflate === 'string') return deflate;

  const cert = isObject(options.clientCert) ? options.clientCert : {};
  const hasCert = isText(cert.certPath);
  return {
    headers,
    proxy,
    protocol,
    heartbeat: readHeartbeat(options.pingInterval, options.pongTimeout, profile),
    caPath: textOr(options.caPath),
    certPath: textOr(cert.certPath),
    keyPath: hasCert ? textOr(cert.keyPath) : '',
    keyPassword: hasCert ? textOr(cert.keyPassword) : '',
    trust: trustOf(options.skipServerCertVerification === true, profile.laxTls && netstackTls),
    minTlsVersion: minTlsVersion(options.minSupportTlsProtocol, profile),
    originHasPort: options.supportOriginPort === true,
    limits,
    backPressure,
    binaryType,
    deflate,
  };
}

/** Whether an option is there; netstack sees a property that is undefined (C7). */
function isGiven(options: Record<string, unknown>, name: string, profile: Profile): boolean {
  return profile.undefinedIsOmitted ? options[name] !== undefined : name in options;
}

function protocolProblem(protocol: string): string | undefined {
  if (Buffer.byteLength(protocol) > MAX_PROTOCOL_BYTES) {
    return `protocol is longer than ${MAX_PROTOCOL_BYTES} bytes`;
  }
  const names = readProtocols(protocol);
  return typeof names === 'string' ? names : undefined;
}

/** C14, C15. */
function trustOf(skips: boolean, isLax: boolean): Trust {
  if (isLax) return skips ? 'laxSkip' : 'lax';
  return skips ? 'skip' : 'verify';
}

/** What is no version changes nothing (C17). */
function minTlsVersion(version: unknown, profile: Profile): number | undefined {
  const lowest = profile.asksForTls10 ? 0 : 1;
  return typeof version === 'number' &&
    Number.isInteger(version) &&
    version >= lowest &&
    version <= 3
    ? version
    : undefined;
}

function textOr(value: unknown): string {
  return isText(value) ? value : '';
}

/** The files that must exist. An empty key path is one that does not. */
export function filesOf({ caPath, certPath, keyPath }: ConnectOptions): readonly string[] {
  const ca = caPath === '' ? [] : [caPath];
  return certPath === '' ? ca : [...ca, certPath, keyPath];
}

/** What a connection is made from, but for the addresses. */
export interface ConnectRequest {
  readonly target: Target;
  readonly options: ConnectOptions;
  /** The proxy to go through; then it is the one to be resolved, and it resolves the target. */
  readonly proxy: ProxyServer | undefined;
}

/** Joins URL and options. Returns the error instead if they cannot be used together or at all. */
export function makeRequest(
  url: string,
  options: ConnectOptions,
  profile: Profile,
  read: ReadVariable,
): ConnectRequest | BusinessError {
  const target = parseUrl(url, profile);
  return typeof target === 'string'
    ? businessError('url', { phase: 'arguments', errno: '', detail: target })
    : requestTo(target, options, profile, read);
}

/** The same for a URL that has been read already. */
export function requestTo(
  target: Target,
  options: ConnectOptions,
  profile: Profile,
  read: ReadVariable,
): ConnectRequest | BusinessError {
  const proxy = effectiveProxy(target, options.proxy, profile, read);
  return typeof proxy === 'string'
    ? businessError('other', { phase: 'proxy', errno: '', detail: proxy })
    : { target, options, proxy };
}

function effectiveProxy(
  target: Target,
  choice: ProxyChoice | undefined,
  profile: Profile,
  read: ReadVariable,
): ProxyServer | string | undefined {
  if (choice === 'system') return systemProxy(target, read);
  const isDirect = choice === undefined || isExcluded(target.hostname, choice.exclusions, profile);
  return isDirect ? undefined : choice;
}

/** The host whose addresses are needed. A target without a name is not sent to a proxy either. */
export function hostToResolve({ target, proxy }: ConnectRequest): string {
  return target.hostname === '' ? '' : (proxy?.host ?? target.hostname);
}

/** Makes the engine's configuration; the addresses are those of `hostToResolve`. */
export function clientConfig(
  { target, options, proxy }: ConnectRequest,
  addresses: readonly string[],
  profile: Profile,
): ClientConfig {
  const { headers, heartbeat, proxy: _, originHasPort, ...rest } = options;
  const scheme = target.tls ? 'https' : 'http';
  return {
    ...rest,
    ...heartbeat,
    addresses: proxy === undefined ? addresses : [],
    proxy: proxy && { addresses, port: proxy.port, user: proxy.user, password: proxy.password },
    caAddsToSystem: profile.caAddsToSystem,
    rules: profile.rules,
    port: target.port,
    tls: target.tls,
    host: target.host,
    // The dot of an absolute name is no part of what a certificate names.
    serverName: target.hostname.replace(/\.$/, ''),
    path: target.path,
    origin: headers.origin ?? `${scheme}://${originHasPort ? target.host : target.bareHost}`,
    headers: headers.lines,
  };
}
