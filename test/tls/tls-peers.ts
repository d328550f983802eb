/**
 * TLS as others speak it, in both roles: Node's `tls` and the `openssl` command, behind one interface,
 * so that a table of situations runs against each of them.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { ConnectionOptions, SecureVersion, TLSSocket, TlsOptions } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import { type CertificateFiles, readPair, startOpenssl } from '../helpers/certificates.js';
import { Changes } from '../helpers/deadline.js';
import type { TestClient } from '../helpers/endpoints.js';
import {
  acceptFor,
  ByteQueue,
  encodeFrame,
  Head,
  Opcode,
  type PeerRole,
  RawListener,
  RawPeer,
  SAMPLE_KEY,
  upgradeAnswer,
  upgradeRequest,
} from '../helpers/peers.js';

export const hasIpv6: boolean = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');

/** An open WebSocket connection over TLS. */
export interface TlsPeer {
  sendText(text: string): void;
  /** The next frame, which has to be a text message. */
  expectText(): Promise<string>;
}

export interface TlsServerPeer {
  readonly port: number;
  /** The next connection, upgraded. */
  acceptOpen(): Promise<TlsPeer>;
}

export interface TlsServerOptions {
  readonly files: CertificateFiles & { readonly chainPath?: string };
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Speaks this version only. */
  readonly version?: SecureVersion | undefined;
  /** With `version`: what it offers up to TLS 1.2, in OpenSSL's words. */
  readonly ciphers?: string | undefined;
  /** Demands a client certificate of the CA in this PEM file. */
  readonly clientCaPath?: string;
}

export interface TlsClientOptions {
  readonly port: number;
  readonly caPath: string;
  /** Default `localhost`. */
  readonly name?: string;
  /** Speaks this version only. */
  readonly version?: SecureVersion;
}

/** Who the other side is. */
export interface TlsKind {
  readonly name: string;
  serve(options: TlsServerOptions): Promise<TlsServerPeer>;
  /** Connects and upgrades. Rejects with the reason if TLS fails. */
  connect(options: TlsClientOptions): Promise<TlsPeer>;
}

/** Lets TLS 1.0 and 1.1 through, which OpenSSL refuses by default. */
const ANY_LEVEL = 'DEFAULT:@SECLEVEL=0';

function only(
  version: SecureVersion | undefined,
  ciphers: string = ANY_LEVEL,
): TlsOptions & ConnectionOptions {
  return version === undefined ? {} : { minVersion: version, maxVersion: version, ciphers };
}

const nodeTls: TlsKind = {
  name: "Node's tls",

  serve({ files, host, version, ciphers, clientCaPath }) {
    const verify = clientCaPath === undefined ? {} : verifyingClients(clientCaPath);
    return RawListener.listen({
      ...(host === undefined ? {} : { host }),
      tls: { ...readPair(files), ...only(version, ciphers), ...verify },
    });
  },

  connect({ port, caPath, name = 'localhost', version }) {
    const tls = { ca: readFileSync(caPath), servername: name, ...only(version) };
    return RawPeer.open({ port, tls });
  },
};

function verifyingClients(caPath: string): TlsOptions {
  return { ca: readFileSync(caPath), requestCert: true, rejectUnauthorized: true };
}

const opensslCommand: TlsKind = {
  name: 'openssl',

  async serve({ files, host = '127.0.0.1', version, ciphers, clientCaPath }) {
    const address = host.includes(':') ? `[${host}]` : host;
    const peer = new OpensslPeer('server', [
      ...['s_server', '-accept', `${address}:0`, '-naccept', '1'],
      ...['-cert', files.certPath, '-key', files.keyPath],
      ...(files.chainPath === undefined ? [] : ['-cert_chain', files.chainPath]),
      ...onlyFlags(version, ciphers),
      ...(clientCaPath === undefined
        ? []
        : ['-Verify', '3', '-verify_return_error', '-CAfile', clientCaPath]),
    ]);
    const port = await peer.port();
    return { port, acceptOpen: () => peer.acceptUpgrade() };
  },

  async connect({ port, caPath, name = 'localhost', version }) {
    const peer = new OpensslPeer('client', [
      ...['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-CAfile', caPath],
      ...['-servername', name, '-verify_hostname', name, '-verify_return_error'],
      ...onlyFlags(version),
    ]);
    return peer.upgrade();
  },
};

function onlyFlags(version: SecureVersion | undefined, ciphers: string = ANY_LEVEL): string[] {
  if (version === undefined) return [];
  const flag = { TLSv1: '-tls1', 'TLSv1.1': '-tls1_1', 'TLSv1.2': '-tls1_2', 'TLSv1.3': '-tls1_3' };
  return [flag[version], '-cipher', ciphers];
}

export const tlsKinds: readonly TlsKind[] = [nodeTls, opensslCommand];

/** A connection to our server whose keys can be renewed, which Node's `tls` has no call for; without a request. */
export function connectRenewing(port: number, caPath: string): RenewingPeer {
  return new OpensslPeer('client', [
    ...['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-no_ign_eof', '-tls1_3'],
    ...['-CAfile', caPath, '-servername', 'localhost', '-verify_return_error'],
  ]);
}

export interface RenewingPeer extends TlsPeer {
  upgrade(): Promise<RenewingPeer>;
  /** Takes new keys, and demands that our side does. */
  renewKeys(): Promise<void>;
}

/** `openssl s_server` with one connection, or `openssl s_client`: its pipes carry what TLS protects. */
class OpensslPeer implements RenewingPeer {
  readonly #role: PeerRole;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #changes = new Changes();
  readonly #queue = new ByteQueue();
  /** What the command itself said, before the first byte of HTTP. */
  #preface = '';
  #errors = '';
  #inHttp = false;
  #hasExited = false;

  constructor(role: PeerRole, args: readonly string[]) {
    this.#role = role;
    this.#process = startOpenssl(...args);
    onTestFinished(() => void this.#process.kill());
    this.#process.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString('latin1');
      this.#changes.notify();
    });
    // Of no interest when the command has ended.
    this.#process.stdin.on('error', () => undefined);
    this.#process.on('close', () => {
      this.#hasExited = true;
      this.#changes.notify();
    });
  }

  #take(chunk: Buffer): void {
    if (this.#inHttp) {
      this.#queue.push(chunk);
    } else {
      this.#preface += chunk.toString('latin1');
      const http = this.#preface.search(this.#role === 'server' ? /^GET \//m : /^HTTP\//m);
      if (http >= 0) {
        this.#inHttp = true;
        this.#queue.push(Buffer.from(this.#preface.slice(http), 'latin1'));
      }
    }
    this.#changes.notify();
  }

  #until<T>(look: () => T | undefined, what: string): Promise<T> {
    return this.#changes.until(() => {
      const found = look();
      if (found === undefined && this.#hasExited) {
        throw new Error(`openssl ended while waiting for ${what}: ${this.#errors}`);
      }
      return found;
    }, `${what} from openssl`);
  }

  /** As a server: where it listens. */
  port(): Promise<number> {
    return this.#until(() => {
      const port = /^ACCEPT .*:(\d+)\r?$/m.exec(this.#preface)?.[1];
      return port === undefined ? undefined : Number(port);
    }, 'the port');
  }

  async #head(): Promise<Head> {
    return new Head(await this.#until(() => this.#queue.takeHead(), 'the head of a message'));
  }

  async acceptUpgrade(): Promise<this> {
    const key = (await this.#head()).header('sec-websocket-key') ?? '';
    this.#process.stdin.write(upgradeAnswer(key));
    return this;
  }

  async upgrade(): Promise<this> {
    this.#process.stdin.write(upgradeRequest());
    const answer = await this.#head();
    if (answer.header('sec-websocket-accept') !== acceptFor(SAMPLE_KEY)) {
      throw new Error(`the upgrade was answered '${answer.startLine}'`);
    }
    return this;
  }

  /** By a command letter, which has to come alone: after an answer to what was sent before. */
  async renewKeys(): Promise<void> {
    const before = this.#errors.length;
    this.#process.stdin.write('K\n');
    const renewed = () => this.#errors.includes('KEYUPDATE', before) || undefined;
    await this.#until(renewed, 'new keys');
  }

  sendText(text: string): void {
    const frame = { opcode: Opcode.text, payload: text };
    this.#process.stdin.write(encodeFrame(frame, this.#role === 'client'));
  }

  async expectText(): Promise<string> {
    const frame = await this.#until(() => this.#queue.takeFrame(), 'a frame');
    if (frame.opcode !== Opcode.text) throw new Error(`awaited a text, got ${frame.opcode}`);
    return frame.payload.toString('utf8');
  }
}

/** The name in the certificate that a client of Node's `tls` server has shown. */
export function clientName(peer: TlsPeer): unknown {
  return ((peer as RawPeer).socket as TLSSocket).getPeerCertificate().subject?.CN;
}

/** Demands that the attempt ends with an error that TLS caused, of which the detail tells. */
export async function expectTlsFailure(client: TestClient, why: RegExp): Promise<void> {
  const opened = opposite(client, 'open').then(() => {
    throw new Error('the connection opened');
  });
  const error = await Promise.race([client.nextError(), opened]);
  expect(error).toMatchObject({ code: 200, data: '0' });
  expect(error.cause).toMatchObject({ phase: 'tls', detail: expect.stringMatching(why) });
  expect(error.message).toMatch(why);
  expect(client.log.names).toEqual(['error']);
}

/** Demands that the attempt succeeds and that both sides understand each other. */
export async function expectTalk(client: TestClient, server: TlsServerPeer): Promise<TlsPeer> {
  const failed = opposite(client, 'error').then((event) => {
    throw new Error(`the connection failed: ${(event as Error).message}`);
  });
  const both = Promise.all([server.acceptOpen(), client.log.next('open')]);
  const [peer] = await Promise.race([both, failed]);
  await client.send('from the client');
  expect(await peer.expectText()).toBe('from the client');
  peer.sendText('from the server');
  expect(await client.nextMessage()).toBe('from the server');
  return peer;
}

/** The next event of this name, if it comes: it says more than the deadline of the one awaited. */
async function opposite(client: TestClient, event: string): Promise<unknown> {
  await client.log.count(event, client.log.all(event).length + 1);
  return client.log.values(event).at(-1);
}
