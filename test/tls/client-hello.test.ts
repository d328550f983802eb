/**
 * How large a ClientHello, and a client's certificates, may announce themselves to be: OpenSSL takes memory for all of it
 * as soon as its header has come, nine bytes. Hellos are made here byte by byte (RFC 8446 §4.1.2), since no client makes
 * such ones.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT, within } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { RawPeer } from '../helpers/peers.js';

const certificates = certificatesOfFile();
/** More than that ends the connection; a real one has 2 KiB. */
const MOST = 16_384;
const Type = { changeCipherSpec: 20, handshake: 22 } as const;
/** What records say that they are of: hellos, whose version is not agreed on, of 1.0. */
const TLS10 = 0x301;
const TLS12 = 0x303;
const CLIENT_HELLO = 1;
const CERTIFICATE = 11;
const Alert = { illegalParameter: 47, decodeError: 50 } as const;
const MOST_OF_CERTIFICATES = 32_768;
const X25519 = 0x1d;

function number(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
}

/** With its length before it. */
function vector(lengthBytes: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([number(content.length, lengthBytes), content]);
}

function record(type: number, content: Uint8Array, version = TLS10): Buffer {
  return Buffer.concat([Buffer.of(type), number(version, 2), vector(2, content)]);
}

/** The header of a ClientHello of so many bytes, in records of so many of its own. */
function header(announced: number, step = 4): Buffer {
  const bytes = Buffer.concat([Buffer.of(CLIENT_HELLO), number(announced, 3)]);
  return inRecords(bytes, step);
}

function inRecords(message: Buffer, step: number, version = TLS10): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += step) {
    records.push(record(Type.handshake, message.subarray(at, at + step), version));
  }
  return Buffer.concat(records);
}

/** Of TLS 1.3, in records of 16 KiB. `size`: filled up to so many bytes (RFC 7685). */
function clientHello({ shares = [], size }: { shares?: readonly Buffer[]; size?: number }): Buffer {
  const extension = (type: number, content: Uint8Array) =>
    Buffer.concat([number(type, 2), vector(2, content)]);
  const extensions = [
    extension(10, vector(2, number(X25519, 2))),
    extension(13, vector(2, Buffer.from('080404030804', 'hex'))),
    extension(43, vector(1, Buffer.of(3, 4))),
    extension(51, vector(2, ...shares)),
  ];
  const body = (...more: Buffer[]) =>
    Buffer.concat([
      Buffer.of(3, 3),
      randomBytes(32),
      vector(1, randomBytes(32)),
      vector(2, Buffer.of(0x13, 1)),
      vector(1, Buffer.of(0)),
      vector(2, ...extensions, ...more),
    ]);
  const padding = size === undefined ? [] : [extension(21, Buffer.alloc(size - body().length - 4))];
  const message = Buffer.concat([Buffer.of(CLIENT_HELLO), vector(3, body(...padding))]);
  return inRecords(message, MOST);
}

const share = () => Buffer.concat([number(X25519, 2), vector(2, randomBytes(32))]);

async function connect(): Promise<RawPeer> {
  const server = await TestServer.start({
    serverCert: certificates.server,
    limits: { handshakeTimeoutMs: 600_000 },
  });
  return RawPeer.connect(server);
}

/** Writes this; the type of the record that answers it. */
async function answerTo(peer: RawPeer, bytes: Buffer): Promise<number | undefined> {
  const answer = once(peer.socket, 'data');
  peer.write(bytes);
  const [records]: Buffer[] = await within(answer, 'an answer');
  return records?.[0];
}

describe('a ClientHello', PATIENT, () => {
  it.each([
    ['in one record', header(MOST + 1)],
    ['in records of one byte', header(MOST + 1, 1)],
    ['as large as OpenSSL takes', header(131_000)],
  ])('ends the connection if it announces too much, %s', async (_how, bytes) => {
    const peer = await connect();

    peer.write(bytes);

    expect((await peer.readBytesToEnd()).bytes).toHaveLength(0);
  });

  it('ends it byte by byte, at the last of its header', async () => {
    const peer = await connect();
    const bytes = header(MOST + 1);

    await peer.writeInPieces(bytes.subarray(0, -1), 1);
    expect(peer.ended).toBeUndefined();
    peer.write(bytes.subarray(-1));

    expect((await peer.readBytesToEnd()).bytes).toHaveLength(0);
  });

  it('ends it if it is the second one', async () => {
    const peer = await connect();
    // A server that got no share that it can use asks for one.
    expect(await answerTo(peer, clientHello({}))).toBe(Type.handshake);

    peer.write(Buffer.concat([record(Type.changeCipherSpec, Buffer.of(1)), header(131_000)]));

    await peer.readBytesToEnd();
  });

  it('is answered if it is as large as may be', async () => {
    const peer = await connect();

    const hello = clientHello({ shares: [share()], size: MOST });

    expect(await answerTo(peer, hello)).toBe(Type.handshake);
  });
});

/** A client of TLS 1.2 that says hello, hears the server out, and then announces certificates of so many bytes. */
async function announceCertificates(bytes: number) {
  const { server, caPath } = certificates;
  const { port } = await TestServer.start({
    serverCert: server,
    clientCertificates: 'ask',
    caPath,
    limits: { handshakeTimeoutMs: 600_000 },
  });
  const socket = connectTcp(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let said = false;
  const hello = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (!said) socket.write(chunk);
      said = true;
      done();
    },
  });
  const client = connectTls({ socket: hello, maxVersion: 'TLSv1.2' });
  client.on('error', () => undefined);
  onTestFinished(() => void client.destroy());
  await within(once(socket, 'readable'), 'what the server says');
  socket.read();
  const announcement = Buffer.concat([Buffer.of(CERTIFICATE), number(bytes, 3)]);
  socket.write(record(Type.handshake, announcement, TLS12));
  return socket;
}

/** The alert that ends it. */
async function lastWord(socket: Socket): Promise<number | undefined> {
  const heard: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void heard.push(chunk));
  await within(once(socket, 'close'), 'the end');
  return Buffer.concat(heard).at(-1);
}

describe('the certificates of a client', PATIENT, () => {
  it('end the connection if they announce too much', async () => {
    const socket = await announceCertificates(MOST_OF_CERTIFICATES + 1);

    expect(await lastWord(socket)).toBe(Alert.illegalParameter);
  });

  it('are looked at if they are as large as may be', async () => {
    const socket = await announceCertificates(MOST_OF_CERTIFICATES);

    socket.write(inRecords(Buffer.alloc(MOST_OF_CERTIFICATES, 1), MOST, TLS12));

    expect(await lastWord(socket)).toBe(Alert.decodeError);
  });
});
