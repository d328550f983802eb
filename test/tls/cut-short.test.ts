/**
 * What OpenSSL complains of is told of the connection that it is about. A server that just ends TCP has sent no
 * alert; and the complaints of one connection, which OpenSSL keeps for the whole thread, end no other one, of ours or
 * of Node's.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { moreCertificatesOfFile, readPair } from '../helpers/certificates.js';
import { Changes, PATIENT, within } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { RawListener, RawPeer } from '../helpers/peers.js';

const all = moreCertificatesOfFile();
const OUR_CA = { ca: readFileSync(all.caPath), servername: 'localhost' };
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await within(once(server, 'listening'), 'a listener to listen');
  return (server.address() as AddressInfo).port;
}

interface Held {
  wanted: boolean;
  spoils: boolean;
  rest: (() => void) | undefined;
  readonly changes: Changes;
}

/** Lets TLS through, byte for byte; what goes towards one side can be held up within a record, or be spoiled. */
class Relay {
  readonly port: number;
  readonly #held: Held;

  private constructor(port: number, held: Held) {
    this.port = port;
    this.#held = held;
  }

  static async to(target: number, towards: 'server' | 'client'): Promise<Relay> {
    const held: Held = { wanted: false, spoils: false, rest: undefined, changes: new Changes() };
    const pass = (from: Socket, into: Socket, mayHold: boolean) =>
      from.on('data', (bytes: Buffer) => {
        if (mayHold && held.spoils) bytes[bytes.length - 1] = ~(bytes.at(-1) ?? 0);
        if (!mayHold || !held.wanted) return void into.write(bytes);
        // The header of a record, and some of what it announces.
        into.write(bytes.subarray(0, 8));
        held.rest = () => into.write(bytes.subarray(8));
        held.changes.notify();
      });
    const port = await listen((socket) => {
      const onwards = net.connect({ port: target, host: '127.0.0.1', noDelay: true });
      onwards.on('error', () => undefined);
      onTestFinished(() => void onwards.destroy());
      socket.setNoDelay(true);
      pass(socket, onwards, towards === 'server');
      pass(onwards, socket, towards === 'client');
    });
    return new Relay(port, held);
  }

  /** What comes next cannot be read. */
  spoil(): void {
    this.#held.spoils = true;
  }

  /** What comes next stops within its first record. */
  hold(): void {
    this.#held.wanted = true;
  }

  async holds(): Promise<void> {
    await this.#held.changes.until(() => this.#held.rest, 'the relay to hold a record');
  }

  letGo(): void {
    this.#held.wanted = false;
    this.#held.rest?.();
  }
}

describe.each(versions)('a server that ends TCP in the middle, over %s', PATIENT, (version) => {
  it.each([
    ['before its handshake', 'connection', 'end'],
    ['before its handshake, by a reset', 'connection', 'reset'],
    ['right behind its handshake', 'secure', 'end'],
    ['right behind its handshake, by a reset', 'secure', 'reset'],
    ['behind the request', 'data', 'end'],
    ['behind the request, by a reset', 'data', 'reset'],
  ] as const)('%s, has sent no alert', async (_what, when, how) => {
    const port = await listen((socket) => {
      const end = () => (how === 'end' ? socket.end() : socket.resetAndDestroy());
      if (when === 'connection') {
        socket.once('data', end);
        return;
      }
      const secure = new TLSSocket(socket, {
        isServer: true,
        ...readPair(all.server),
        minVersion: version,
        maxVersion: version,
      });
      secure.on('error', () => undefined);
      secure.once(when, end);
    });
    const client = new TestClient();

    await client.connect(`wss://localhost:${port}/`, { caPath: all.caPath });

    const error = await client.nextError();
    expect(error).toMatchObject({ code: 200, data: '0' });
    // Reading or writing may be the first to see it.
    expect((error.cause as { detail: string }).detail).toMatch(/^(?!.*alert)./);
  });
});

describe('a connection whose record has come in part', PATIENT, () => {
  const failures: readonly (readonly [what: string, fail: () => Promise<void>])[] = [
    [
      'a handshake with our server that takes too long',
      async () => {
        const server = await TestServer.start({
          serverCert: all.server,
          limits: { handshakeTimeoutMs: 100 },
        });
        const peer = await RawPeer.connect({ port: server.port });
        await peer.readToEnd();
      },
    ],
    [
      'a handshake with our server that is nonsense',
      async () => {
        const server = await TestServer.start({ serverCert: all.server });
        const peer = await RawPeer.connect({ port: server.port });
        peer.write('this is no TLS at all\r\n\r\n');
        await peer.readToEnd();
      },
    ],
    [
      'a peer of our server that just ends TCP',
      async () => {
        const server = await TestServer.start({ serverCert: all.server });
        const peer = await RawPeer.open({ port: server.port, tls: OUR_CA });
        peer.socket.destroy();
        await server.nextClose();
      },
    ],
    [
      'a record to our server that cannot be read',
      async () => {
        const server = await TestServer.start({ serverCert: all.server });
        const relay = await Relay.to(server.port, 'server');
        const peer = await RawPeer.open({ port: relay.port, tls: OUR_CA });
        relay.spoil();
        peer.sendText('spoiled');
        await server.nextClose();
      },
    ],
    [
      'a refused request with more behind it',
      async () => {
        const server = await TestServer.start({ serverCert: all.server });
        const peer = await RawPeer.connect({ port: server.port, tls: OUR_CA });
        peer.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
        expect((await peer.readHead()).status).toBe(426);
        peer.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await peer.readToEnd();
      },
    ],
    [
      'a handshake of our client that it gives up',
      async () => {
        const listener = await RawListener.listen();
        const client = new TestClient();
        await client.connect(`wss://localhost:${listener.port}/`, { caPath: all.caPath });
        const peer = await listener.accept();
        await client.close();
        await peer.readToEnd();
      },
    ],
    [
      'a certificate that our client refuses',
      async () => {
        const listener = await RawListener.listen({ tls: readPair(all.selfSigned) });
        const client = new TestClient();
        await client.connect(`wss://localhost:${listener.port}/`, { caPath: all.caPath });
        await client.nextError();
      },
    ],
  ];

  it.each(failures)('of our server, outlives %s', async (_what, fail) => {
    const server = await TestServer.startEcho({ serverCert: all.server });
    const relay = await Relay.to(server.port, 'server');
    const peer = await RawPeer.open({ port: relay.port, tls: OUR_CA });
    const sameThread = await plainPair();
    await fail();

    relay.hold();
    peer.sendText('in two parts');
    await relay.holds();
    await sameThread();

    expect(server.log.names).toEqual(['connect']);
    relay.letGo();
    expect(await peer.expectText()).toBe('in two parts');
  });

  it.each(failures)('of our client, outlives %s', async (_what, fail) => {
    const listener = await RawListener.listen({ tls: readPair(all.server) });
    const relay = await Relay.to(listener.port, 'client');
    const client = new TestClient();
    await client.connect(`wss://localhost:${relay.port}/`, { caPath: all.caPath });
    const peer = await listener.acceptOpen();
    await client.log.next('open');
    const sameThread = await plainPair();
    await fail();

    relay.hold();
    peer.sendText('in two parts');
    await relay.holds();
    await sameThread();

    expect(client.log.names).not.toContain('close');
    relay.letGo();
    expect(await client.nextMessage()).toBe('in two parts');
  });

  it.each(failures)("of Node's own TLS, outlives %s", async (_what, fail) => {
    const listener = await RawListener.listen({ tls: readPair(all.server) });
    const opening = RawPeer.open({ port: listener.port, tls: OUR_CA });
    const server = await listener.acceptOpen();
    const client = await opening;
    await fail();

    for (const text of ['one', 'two']) {
      client.sendText(text);
      expect(await server.expectText()).toBe(text);
      server.sendText(text);
      expect(await client.expectText()).toBe(text);
    }
  });

  /** A way to know that the engine's thread has read what came before: it answers what comes after. */
  async function plainPair(): Promise<() => Promise<void>> {
    const server = await TestServer.startEcho();
    const peer = await RawPeer.open({ port: server.port });
    return async () => {
      peer.sendText('and you?');
      expect(await peer.expectText()).toBe('and you?');
    };
  }
});
