/** What the engine is told, as the strings of its records: requests to connect and to listen, and answers. */
import type { DeflateConfig } from './deflate.js';
import type { Limits } from './limits.js';
import { encodeStrings } from './records.js';
import type {
  ClientConfig,
  ListenAddress,
  ProxyConfig,
  ServerConfig,
  TlsConfig,
  UpgradeAnswer,
} from './transport.js';

/** The largest record of a connect or listen; the engine's header memory is far smaller. */
const MAX_REQUEST_BYTES = 256 * 1024;

/** A request has to fit into the ring, wherever that stands. */
export function encodeRequest(strings: readonly string[]): Buffer {
  const bytes = encodeStrings(strings);
  if (bytes.length > MAX_REQUEST_BYTES) throw new Error('the request is too large');
  return bytes;
}

export function answerStrings(answer: UpgradeAnswer): string[] {
  const isRefusal = 'status' in answer;
  const first = isRefusal
    ? [answer.body]
    : [flag(answer.protocol !== undefined), answer.protocol ?? ''];
  return [...first, ...answer.headers.flat()];
}

export function clientStrings(config: ClientConfig): string[] {
  return [
    ...config.addresses.flatMap((address) => ['address', address]),
    ...['port', String(config.port), 'tls', flag(config.tls), 'host', config.host],
    ...['serverName', config.serverName, 'path', config.path, 'origin', config.origin],
    ...['protocol', config.protocol],
    ...config.headers.flatMap(([name, value]) => ['header', name, value]),
    ...['caPath', config.caPath, 'certPath', config.certPath, 'keyPath', config.keyPath],
    ...['keyPassword', config.keyPassword, 'caAddsToSystem', flag(config.caAddsToSystem)],
    ...['trust', config.trust, 'rules', config.rules],
    ...['lendsBinary', flag(config.binaryType === 'view')],
    ...(config.minTlsVersion === undefined ? [] : ['minTlsVersion', String(config.minTlsVersion)]),
    ...(config.proxy === undefined ? [] : proxyStrings(config.proxy)),
    ...limitStrings(config.limits),
    ...limitStrings({
      pingIntervalMs: config.pingIntervalSeconds * 1000,
      pongTimeoutMs: config.pongTimeoutSeconds * 1000,
    }),
    ...deflateStrings(config.deflate),
  ];
}

function proxyStrings(proxy: ProxyConfig): string[] {
  return [
    ...proxy.addresses.flatMap((address) => ['proxyAddress', address]),
    ...['proxyPort', String(proxy.port), 'proxyUser', proxy.user],
    ...['proxyPassword', proxy.password],
  ];
}

export function serverStrings(config: ServerConfig): string[] {
  return [
    ...config.listen.flatMap(listenStrings),
    ...['rules', config.rules, 'lendsBinary', flag(config.binaryType === 'view')],
    ...tlsStrings(config.tls),
    ...config.protocols.flatMap((protocol) => ['protocol', protocol]),
    ...['maxClients', String(config.maxClients)],
    ...['maxConnectionsPerClient', String(config.maxConnectionsPerClient)],
    ...['connectRateLimit', flag(config.connectRateLimit)],
    ...config.trustedProxies.networks.flatMap((network) => ['trustedProxy', network]),
    ...['proxyHeader', config.trustedProxies.header],
    ...['asksUpgrades', flag(config.asksUpgrades), 'keepsHeaders', flag(config.keepsHeaders)],
    ...['admissionName', config.admissionName, 'holds', flag(config.holds)],
    ...limitStrings(config.limits),
    ...limitStrings({ ...config.heartbeat }),
    ...['ratePolicy', config.ratePolicy],
    ...originStrings(config.allowedOrigins),
    ...deflateStrings(config.deflate),
  ];
}

export function tlsStrings(tls: TlsConfig | undefined): string[] {
  if (tls === undefined) return [];
  const { certificates, clientCertificates, caPath } = tls;
  return [
    ...certificates.flatMap(({ hosts, certPath, keyPath, keyPassword }) => [
      ...['certificate', certPath, keyPath, keyPassword, String(hosts.length), ...hosts],
    ]),
    ...['clientCertificates', clientCertificates, 'caPath', caPath],
  ];
}

function listenStrings(address: ListenAddress): string[] {
  const options = Object.entries(address).filter(([, value]) => value !== undefined);
  return [
    ...['listen', ''],
    ...options.flatMap(([name, value]) => [
      ...['listenOption', name, typeof value === 'boolean' ? flag(value) : String(value)],
    ]),
  ];
}

function limitStrings(limits: Limits): string[] {
  return Object.entries(limits).flatMap(([name, value]) => ['limit', name, String(value)]);
}

/** An empty list is not the same as none. */
function originStrings(origins: readonly string[] | undefined): string[] {
  if (origins === undefined) return [];
  return ['allowedOrigins', '', ...origins.flatMap((origin) => ['allowedOrigin', origin])];
}

function deflateStrings(config: DeflateConfig | undefined): string[] {
  return Object.entries(config ?? {}).flatMap(([name, value]) => ['deflate', name, String(value)]);
}

function flag(value: boolean): string {
  return value ? '1' : '0';
}
