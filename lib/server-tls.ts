/**
 * TLS of a server: its certificates, by host name or for everybody, and what it asks of its clients'.
 * Reads and checks options; does no I/O.
 */

import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Certificate, ClientCertificates, TlsConfig } from './transport.js';
import { isObject, isText, mismatch } from './validate.js';

const MAX_CERTIFICATES = 1000;
const MAX_HOST_CHARS = 253;
const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

const clientCertificates: ReadonlySet<unknown> = new Set(['none', 'ask', 'demand']);

/** Reads the options of `start`; undefined is a server without TLS. A string is the reason for a 401. */
export function readTls(config: Record<string, unknown>): TlsConfig | undefined | string {
  const { serverCert, certificates, clientCertificates: clients = 'none', caPath } = config;
  if (!isCertificate(serverCert)) {
    const needs = { certificates, clientCertificates: config.clientCertificates, caPath };
    const [name] = Object.entries(needs).find(([, value]) => value !== undefined) ?? [];
    return name === undefined ? undefined : `${name} without serverCert`;
  }
  if (!clientCertificates.has(clients)) {
    return mismatch('clientCertificates', "'none', 'ask' or 'demand'", JSON.stringify(clients));
  }
  if (clients === 'none' ? caPath !== undefined : !isText(caPath)) {
    return 'clientCertificates and caPath need one another';
  }
  const more = readCertificates(certificates);
  if (typeof more === 'string') return more;
  return {
    certificates: [toCertificate(serverCert), ...more],
    clientCertificates: clients as ClientCertificates,
    caPath: isText(caPath) ? caPath : '',
  };
}

/** Reads what takes the place of parts of a configuration. A string is the reason for a 401. */
export function readReplacement(given: unknown, now: TlsConfig): TlsConfig | string {
  if (given === undefined) return now;
  if (!isObject(given)) return mismatch('certificates', 'an object', given);
  const { serverCert, certificates, caPath, ...rest } = given;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return `${unknown} is nothing that can be exchanged`;
  if (serverCert !== undefined && !isCertificate(serverCert)) {
    return mismatch('serverCert', 'certPath and keyPath', serverCert);
  }
  if (caPath !== undefined && (!isText(caPath) || now.clientCertificates === 'none')) {
    return mismatch('caPath', 'a path, of a server that asks for client certificates', caPath);
  }
  const more =
    certificates === undefined ? now.certificates.slice(1) : readCertificates(certificates);
  if (typeof more === 'string') return more;
  const [first] = now.certificates;
  const everybodys = serverCert === undefined ? first : toCertificate(serverCert);
  return {
    certificates: everybodys === undefined ? more : [everybodys, ...more],
    clientCertificates: now.clientCertificates,
    caPath: isText(caPath) ? caPath : now.caPath,
  };
}

/** The files that must exist. An empty key path is one that does not. */
export function filesOfTls({ certificates, caPath }: TlsConfig): readonly string[] {
  const files = certificates.flatMap(({ certPath, keyPath }) => [certPath, keyPath]);
  return caPath === '' ? files : [...files, caPath];
}

function isCertificate(value: unknown): value is Record<string, unknown> {
  return isObject(value) && isText(value.certPath);
}

function toCertificate(
  { certPath, keyPath, keyPassword }: Record<string, unknown>,
  hosts: readonly string[] = [],
): Certificate {
  return {
    hosts,
    certPath: String(certPath),
    keyPath: isText(keyPath) ? keyPath : '',
    keyPassword: isText(keyPassword) ? keyPassword : '',
  };
}

function readCertificates(given: unknown): readonly Certificate[] | string {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length > MAX_CERTIFICATES) {
    return mismatch('certificates', `an array of at most ${MAX_CERTIFICATES}`, given);
  }
  const seen = new Set<string>();
  const certificates: Certificate[] = [];
  for (const [n, entry] of given.entries()) {
    const what = `certificates[${n}]`;
    if (!isCertificate(entry) || !isText(entry.keyPath)) {
      return mismatch(what, 'hosts, certPath and keyPath', entry);
    }
    if (!Array.isArray(entry.hosts) || entry.hosts.length === 0) {
      return mismatch(`${what}.hosts`, 'an array of host names', entry.hosts);
    }
    const hosts: string[] = [];
    for (const given of entry.hosts) {
      const host = toHost(given);
      if (host === undefined) return mismatch(`${what}.hosts`, 'host names', JSON.stringify(given));
      if (seen.has(host)) return `${what}.hosts: ${host} has a certificate already`;
      seen.add(host);
      hosts.push(host);
    }
    certificates.push(toCertificate(entry, hosts));
  }
  return certificates;
}

/** As clients name it in their handshake (RFC 6066 §3): in lower case, and never an address. */
function toHost(given: unknown): string | undefined {
  if (!isText(given)) return undefined;
  const [, wildcard = '', name = ''] = /^(\*\.)?(.*)$/s.exec(given) ?? [];
  const host = wildcard + domainToASCII(name).toLowerCase();
  return HOST.test(host) && host.length <= MAX_HOST_CHARS && isIP(name) === 0 ? host : undefined;
}
