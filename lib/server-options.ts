/**
 * The configuration of a server, read and checked in netstack's order (§3.1). Does no I/O: whether
 * files exist is checked later.
 */

import { readBinaryType } from './binary-type.js';
import { readDeflate } from './deflate.js';
import { type BusinessError, businessError, type ErrorName, parameterError } from './errors.js';
import { readProtocols } from './headers.js';
import { readServerHeartbeat } from './heartbeat.js';
import { readLimits } from './limits.js';
import { type Addresses, isAddressOfTcp, listenProblem, readListen, tcpAddress } from './listen.js';
import { readAllowedOrigins } from './origins.js';
import type { Profile } from './profile.js';
import { readBackPressure } from './send-queue.js';
import type { RatePolicy } from './server-config-types.js';
import { filesOfTls, readTls } from './server-tls.js';
import type { ServerConfig } from './transport.js';
import { readTrustedProxies } from './trusted-proxies.js';
import { isFunction, isText, mismatch } from './validate.js';

const MAX_THREADS = 64;

/** The one subprotocol that netstack's server knows (S3). */
const DEFAULT_PROTOCOL = 'lws_server';

/** Reads the configuration. Returns the error instead if `start` has to reject. */
export function readServerConfig(
  config: Record<string, unknown>,
  profile: Profile,
  hasIpv6: () => boolean,
): ServerConfig | BusinessError {
  const protocols = serverProtocols(config.protocol, profile);
  if (typeof protocols === 'string') return parameterError(protocols);
  const limits = readLimits(config.limits, 'server');
  if (typeof limits === 'string') return parameterError(limits);
  const { ratePolicy = 'delay' } = config;
  if (!isRatePolicy(ratePolicy)) {
    const expected = "'delay', 'refuse' or 'close'";
    return parameterError(mismatch('ratePolicy', expected, JSON.stringify(ratePolicy)));
  }
  const heartbeat = readServerHeartbeat(config.heartbeat);
  if (typeof heartbeat === 'string') return parameterError(heartbeat);
  const backPressure = readBackPressure(config.backPressure);
  if (typeof backPressure === 'object') return parameterError(backPressure.problem);
  const binaryType = readBinaryType(config.binaryType);
  if (typeof binaryType === 'object') return parameterError(binaryType.problem);
  const { threads = 0 } = config;
  if (!isThreads(threads)) {
    return parameterError(mismatch('threads', `an integer of 0–${MAX_THREADS}`, threads));
  }
  const allowedOrigins = readAllowedOrigins(config.allowedOrigins);
  if (typeof allowedOrigins === 'string') return parameterError(allowedOrigins);
  const deflate = profile.compresses ? readDeflate(config.permessageDeflate) : undefined;
  if (typeof deflate === 'string') return parameterError(deflate);

  const tls = readTls(config);
  if (typeof tls === 'string') return parameterError(tls);
  const gatewayProblem = profile.hasGateway ? gatewayMismatch(config) : gatewayOption(config);
  if (gatewayProblem !== undefined) return parameterError(gatewayProblem);
  const trustedProxies = readTrustedProxies(config.trustedProxies, config.proxyHeader);
  if (typeof trustedProxies === 'string') return parameterError(trustedProxies);
  const problem = listenProblem(config);
  if (problem !== undefined) return parameterError(problem);

  const listen =
    config.listen === undefined
      ? serverAddress(config, profile, hasIpv6)
      : readListen(config.listen);
  if ('refused' in listen) return refusal(listen.refused, listen.why);
  const maxClients = serverLimit(config.maxConcurrentClientsNumber, profile);
  const maxConnectionsPerClient = serverLimit(config.maxConnectionsForOneClient, profile);
  if (maxClients === undefined || maxConnectionsPerClient === undefined) {
    return refusal('other', `a limit is not of 0–${profile.maxLimit}`);
  }
  return {
    listen: listen.addresses,
    rules: profile.rules,
    protocols,
    maxClients,
    maxConnectionsPerClient,
    connectRateLimit: rateLimit(config.connectRateLimit, profile),
    limits,
    heartbeat,
    ratePolicy,
    backPressure,
    binaryType,
    threads,
    admissionName: '',
    holds: false,
    allowedOrigins,
    deflate,
    tls,
    trustedProxies,
    asksUpgrades: config.onUpgrade !== undefined,
    keepsHeaders: config.keepHeaders === true,
  };
}

/** The options that decide who may come in: what is wrong with them. */
function gatewayMismatch({ onUpgrade, keepHeaders }: Record<string, unknown>): string | undefined {
  if (onUpgrade !== undefined && !isFunction(onUpgrade)) {
    return mismatch('onUpgrade', 'a function', onUpgrade);
  }
  return keepHeaders === undefined || typeof keepHeaders === 'boolean'
    ? undefined
    : mismatch('keepHeaders', 'a boolean', keepHeaders);
}

/** Ignoring one of them would let somebody in. */
function gatewayOption(config: Record<string, unknown>): string | undefined {
  const names = ['onUpgrade', 'keepHeaders', 'trustedProxies', 'proxyHeader'];
  const given = names.find((name) => config[name] !== undefined);
  return given === undefined ? undefined : `${given} is an option of the documented profile`;
}

function isThreads(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_THREADS;
}

function isRatePolicy(value: unknown): value is RatePolicy {
  return value === 'delay' || value === 'refuse' || value === 'close';
}

function refusal(name: ErrorName, detail: string): BusinessError {
  return businessError(name, { phase: 'arguments', errno: '', detail });
}

/** `serverIP` and `serverPort` (API reference). */
function serverAddress(
  { serverIP, serverPort: givenPort }: Record<string, unknown>,
  profile: Profile,
  hasIpv6: () => boolean,
): Addresses {
  // A zone (`fe80::1%eth0`) is no part of an address here, as in netstack.
  if (isText(serverIP) && !isAddressOfTcp(serverIP)) {
    const why = mismatch('serverIP', 'an IP address', serverIP);
    return { refused: 'badAddress', why };
  }
  const port = serverPort(givenPort, profile);
  if (port === undefined) {
    const why = mismatch('serverPort', 'an integer of 0–65535', givenPort);
    return { refused: 'badPort', why };
  }
  const everywhere = profile.listensOnIpv6 && hasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'];
  const ips = isText(serverIP) ? [serverIP] : everywhere;
  return { addresses: ips.map((ip) => tcpAddress(ip, port)) };
}

function serverProtocols(protocol: unknown, profile: Profile): readonly string[] | string {
  return profile.honoursServerProtocol && isText(protocol)
    ? readProtocols(protocol)
    : [DEFAULT_PROTOCOL];
}

function serverPort(port: unknown, profile: Profile): number | undefined {
  if (port === undefined) return 0;
  const whole = profile.strictServerPort || typeof port !== 'number' ? port : Math.trunc(port);
  if (typeof whole !== 'number') return profile.strictServerPort ? undefined : 0;
  return Number.isInteger(whole) && whole >= 0 && whole <= 65535 ? whole : undefined;
}

/** A limit; undefined if it is out of range. */
function serverLimit(limit: unknown, profile: Profile): number | undefined {
  if (typeof limit !== 'number' || Number.isNaN(limit)) return profile.missingLimit;
  if (limit === Number.POSITIVE_INFINITY && profile.maxLimit > 10) return profile.maxLimit;
  const whole = Math.trunc(limit);
  return whole >= 0 && whole <= profile.maxLimit ? whole : undefined;
}

function rateLimit(given: unknown, profile: Profile): boolean {
  return typeof given === 'boolean' ? given : profile.connectRateLimit;
}

/** The files that must exist. */
export function filesOf({ tls }: ServerConfig): readonly string[] {
  return tls === undefined ? [] : filesOfTls(tls);
}
