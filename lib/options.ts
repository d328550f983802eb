/**
 * The options of `connect`, read and checked, and put together with the URL into what the engine
 * takes. Does no I/O: whether files exist is checked later, in the order that netstack checks
 * (§2.2).
 */

import { type BusinessError, businessError } from './errors.js';
import { type RequestHeaders, readHeaders, readProtocols } from './headers.js';
import { type Heartbeat, readHeartbeat } from './heartbeat.js';
import type { Profile } from './profile.js';
import { isExcluded, type ProxyServer, readProxy } from './proxy.js';
import type { ClientConfig, Trust } from './transport.js';
import { parseUrl, type Target } from './url.js';
import { isObject, isText, mismatch } from './validate.js';

/** Longest `protocol` in bytes; netstack's buffer, which it overflows, has one more (C13). */
const MAX_PROTOCOL_BYTES = 1023;

/** Options with all defaults filled in. */
export interface ConnectOptions {
  readonly headers: RequestHeaders;
  readonly heartbeat: Heartbeat;
  readonly proxy: ProxyServer | undefined;
  readonly protocol: string;
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
  readonly keyPassword: string;
  readonly trust: Trust;
  readonly originHasPort: boolean;
}

/**
 * Reads the options. What has a wrong type counts as missing, except where §2.2 names an error
 * (C17): a string returned is the reason for a 401.
 */
export function readOptions(
  options: Record<string, unknown>,
  profile: Profile,
): ConnectOptions | string {
  const headers = readHeaders(options.header, profile);
  if (typeof headers === 'string') return headers;
  const proxy = isGiven(options, 'proxy', profile) ? readProxy(options.proxy) : undefined;
  if (typeof proxy === 'string') return proxy;
  const protocol = isGiven(options, 'protocol', profile) ? options.protocol : '';
  if (typeof protocol !== 'string') return mismatch('protocol', 'a string', protocol);
  const problem = protocolProblem(protocol);
  if (problem !== undefined) return problem;

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
    trust: options.skipServerCertVerification === true ? 'skip' : 'verify',
    originHasPort: options.supportOriginPort === true,
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
}

/** Joins URL and options. Returns the error instead if they cannot be used together or at all. */
export function makeRequest(
  url: string,
  options: ConnectOptions,
  profile: Profile,
): ConnectRequest | BusinessError {
  const target = parseUrl(url, profile);
  if (typeof target === 'string') {
    return businessError('url', { phase: 'arguments', errno: '', detail: target });
  }
  const { proxy } = options;
  if (proxy !== undefined && !isExcluded(target.hostname, proxy, profile)) {
    const detail = 'connections through a proxy are not supported yet';
    return businessError('other', { phase: 'proxy', errno: '', detail });
  }
  return { target, options };
}

/** Makes the engine's configuration. */
export function clientConfig(
  { target, options }: ConnectRequest,
  addresses: readonly string[],
): ClientConfig {
  const { headers, heartbeat, proxy: _, originHasPort, ...rest } = options;
  const scheme = target.tls ? 'https' : 'http';
  return {
    ...rest,
    ...heartbeat,
    addresses,
    caAddsToSystem: false,
    minTlsVersion: undefined,
    proxy: undefined,
    rules: 'documented',
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
