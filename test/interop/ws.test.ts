/**
 * Proves that we and the npm package `ws` understand one another, in both roles, plain and over TLS:
 * text, binary, every length form, fragments, pings, close codes and abrupt ends. `ws` runs with its
 * defaults, so it offers permessage-deflate and has to live with our not taking it.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { certificatesOfFile, readPair } from '../helpers/certificates.js';
import { Changes, PATIENT, within } from '../helpers/deadline.js';
import { bytesOf, TestClient, TestServer } from '../helpers/endpoints.js';

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000, 5_242_864];

const certificates = certificatesOfFile();

const transports = [
  ['plain', false],
  ['TLS', true],
] as const;

describe.each(transports)('our client and the server of ws (%s)', (_name, secure) => {
  describe('together', PATIENT, () => {
    it('exchange text and binary of every size', async () => {
      const { url } = await startWs(secure, (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      const client = await openOurs(url);

      for (const size of SIZES) {
        const text = 'wörd '.repeat(size).slice(0, Math.floor(size / 2));
        const bytes = Buffer.alloc(size, 'bytes');
        await client.send(text);
        await client.send(bytes);
        expect((await client.nextMessage()) === text).toBe(true);
        expect(bytesOf(await client.nextMessage()).equals(bytes)).toBe(true);
      }
    });

    it('exchange fragments', async () => {
      const { url } = await startWs(secure, (socket) => {
        socket.send('one ', { fin: false });
        socket.ping('between');
        socket.send('two ', { fin: false });
        socket.send('three', { fin: true });
        socket.send(Buffer.alloc(100_000, 1), { fin: false });
        socket.send(Buffer.alloc(100_000, 2), { fin: true });
      });
      const client = await openOurs(url);

      expect(await client.nextMessage()).toBe('one two three');
      const bytes = bytesOf(await client.nextMessage());
      expect(bytes.equals(Buffer.alloc(200_000, 1).fill(2, 100_000))).toBe(true);
    });

    it('answer pings: theirs by us, ours by them', async () => {
      const changes = new Changes();
      const pongs: string[] = [];
      let pings = 0;
      const { url } = await startWs(secure, (socket) => {
        socket.on('pong', (data) => {
          pongs.push(data.toString());
          changes.notify();
        });
        socket.on('ping', () => {
          pings++;
          changes.notify();
        });
        for (let i = 0; i < 5; i++) socket.ping(`ping ${i}`);
      });
      const client = await openOurs(url, { pingInterval: 1, pongTimeout: 1 });

      await changes.until(() => (pongs.length === 5 ? true : undefined), 'five pongs');
      expect(pongs).toEqual(['ping 0', 'ping 1', 'ping 2', 'ping 3', 'ping 4']);
      await changes.until(() => (pings === 3 ? true : undefined), 'three pings of our heartbeat');
      expect(client.log.names).toEqual(['headerReceive', 'open', 'openInfo']);
    });

    it.each([
      [1000, 'normal'],
      [1001, 'away'],
      [1011, 'ünexpected'],
      [1012, 'restart'],
      [1014, 'gateway'],
      [3000, ''],
      [4999, 'private'],
    ])('tell their close %i %j', async (code, reason) => {
      const { url, closed } = await startWs(secure, (socket) => socket.close(code, reason));
      const client = await openOurs(url);

      expect(await client.nextClose()).toEqual({ code, reason: reason || 'The link is down' });
      expect(await closed).toEqual({ code, reason });
      expect(client.log.names).not.toContain('error');
    });

    it('tell their close without a code', async () => {
      const { url, closed } = await startWs(secure, (socket) => socket.close());
      const client = await openOurs(url);

      expect(await client.nextClose()).toEqual({ code: 1000, reason: 'The link is down' });
      expect((await closed).code).toBe(1005);
    });

    it.each([
      [undefined, 1000, 'CLOSE_NORMAL'],
      [{ code: 1003, reason: 'ünable' }, 1003, 'ünable'],
    ])('tell our close %j', async (options, code, reason) => {
      const { url, closed } = await startWs(secure, () => undefined);
      const client = await openOurs(url);

      await client.close(options);

      expect(await closed).toEqual({ code, reason });
      expect(await client.nextClose()).toEqual({ code, reason });
    });

    it('notice when theirs is terminated', async () => {
      const { url } = await startWs(secure, (socket) => socket.terminate());
      const client = await openOurs(url);

      expect(await client.nextClose()).toEqual({ code: 0, reason: 'The link is down' });
    });

    it('agree on a subprotocol', async () => {
      const { url } = await startWs(secure, () => undefined);

      const client = await openOurs(url, { protocol: 'first, second' });

      expect(await client.log.value('openInfo')).toMatchObject({ protocol: 'first' });
    });
  });
});

describe.each(transports)('a client of ws and our server (%s)', (_name, secure) => {
  describe('together', PATIENT, () => {
    it('exchange text and binary of every size', async () => {
      const server = await startOurs(secure, 'echo');
      const client = await openWs(server, secure);

      for (const size of SIZES) {
        const text = 'wörd '.repeat(size).slice(0, Math.floor(size / 2));
        const bytes = Buffer.alloc(size, 'bytes');
        client.socket.send(text);
        client.socket.send(bytes);
        const first = await client.nextMessage();
        expect(!first.isBinary && first.data.toString() === text).toBe(true);
        const second = await client.nextMessage();
        expect(second.isBinary && second.data.equals(bytes)).toBe(true);
      }
    });

    it('exchange fragments', async () => {
      const server = await startOurs(secure);
      const { socket } = await openWs(server, secure);

      socket.send('one ', { fin: false });
      socket.ping('between');
      socket.send('two', { fin: true });
      socket.send(Buffer.alloc(100_000, 1), { fin: false });
      socket.send(Buffer.alloc(100_000, 2), { fin: true });

      expect((await server.nextMessage()).data).toBe('one two');
      const bytes = bytesOf((await server.nextMessage()).data);
      expect(bytes.equals(Buffer.alloc(200_000, 1).fill(2, 100_000))).toBe(true);
    });

    it('answer pings', async () => {
      const server = await startOurs(secure);
      const { socket } = await openWs(server, secure);
      const pong = once(socket, 'pong');

      socket.ping('are you there');

      const [data] = await within(pong, 'a pong');
      expect(String(data)).toBe('are you there');
    });

    it.each([
      [1000, 'normal'],
      [1001, 'away'],
      [1011, 'ünexpected'],
      [1013, 'later'],
      [3000, ''],
      [4999, 'private'],
    ])('tell their close %i %j', async (code, reason) => {
      const server = await startOurs(secure);
      const client = await openWs(server, secure);

      client.socket.close(code, reason);

      expect(await server.nextClose()).toMatchObject({
        code,
        reason: reason || 'The link is down',
      });
      expect(await client.closed).toEqual({ code, reason });
      expect(server.log.names).not.toContain('error');
    });

    it('tell their close without a code', async () => {
      const server = await startOurs(secure);
      const client = await openWs(server, secure);

      client.socket.close();

      expect(await server.nextClose()).toMatchObject({ code: 1000, reason: 'The link is down' });
      expect((await client.closed).code).toBe(1005);
    });

    it('tell our close and our stop', async () => {
      const server = await startOurs(secure);
      const first = await openWs(server, secure);
      const connection = await server.nextConnect();
      const second = await openWs(server, secure);

      await server.close(connection, { code: 1003, reason: 'ünable' });
      expect(await first.closed).toEqual({ code: 1003, reason: 'ünable' });
      await server.stop();
      expect(await second.closed).toEqual({ code: 1001, reason: 'server is going away' });
    });

    it('notice when theirs is terminated', async () => {
      const server = await startOurs(secure);
      const { socket } = await openWs(server, secure);

      socket.terminate();

      expect(await server.nextClose()).toMatchObject({ code: 0, reason: 'The link is down' });
    });

    it('agree on a subprotocol', async () => {
      const server = await startOurs(secure, 'silent', 'second');

      const { socket } = await openWs(server, secure, ['first', 'second']);

      expect(socket.protocol).toBe('second');
    });

    it('tell a refusal by its status', async () => {
      const server = await TestServer.start({ maxConnectionsForOneClient: 0 });
      const socket = new WsClient(server.url());

      const [error] = await within(once(socket, 'error'), 'ws to be refused');

      expect((error as Error).message).toContain('503');
    });
  });
});

interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A server of ws; `closed` is how its first connection ends. */
async function startWs(
  secure: boolean,
  onConnection: (socket: WsClient) => void,
): Promise<{ url: string; closed: Promise<Closed> }> {
  const base = secure ? https.createServer(readPair(certificates.server)) : http.createServer();
  const server = new WsServer({ server: base });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    base.close();
  });
  const closed = new Promise<Closed>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
      onConnection(socket);
    });
  });
  base.listen(0, '127.0.0.1');
  await within(once(base, 'listening'), 'ws to listen');
  const { port } = base.address() as AddressInfo;
  const url = secure ? `wss://localhost:${port}/` : `ws://127.0.0.1:${port}/`;
  return { url, closed: within(closed, 'the connection of ws to close', 30_000) };
}

function openOurs(url: string, options = {}): Promise<TestClient> {
  return TestClient.open(url, { caPath: certificates.caPath, ...options });
}

function startOurs(
  secure: boolean,
  what: 'echo' | 'silent' = 'silent',
  protocol = '',
): Promise<TestServer> {
  const config = { protocol, ...(secure ? { serverCert: certificates.server } : {}) };
  return what === 'echo' ? TestServer.startEcho(config) : TestServer.start(config);
}

async function openWs(
  server: TestServer,
  secure: boolean,
  protocols: string[] = [],
): Promise<{
  socket: WsClient;
  closed: Promise<Closed>;
  nextMessage(): Promise<{ data: Buffer; isBinary: boolean }>;
}> {
  const url = secure ? `wss://localhost:${server.port}/` : server.url();
  const socket = new WsClient(url, protocols, { ca: readFileSync(certificates.caPath) });
  onTestFinished(() => socket.terminate());
  const changes = new Changes();
  const waiting: { data: Buffer; isBinary: boolean }[] = [];
  socket.on('message', (data, isBinary) => {
    waiting.push({ data: data as Buffer, isBinary });
    changes.notify();
  });
  const closed = new Promise<Closed>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await within(once(socket, 'open'), 'ws to connect');
  return {
    socket,
    // Bounded by whoever awaits something of our side first.
    closed,
    nextMessage: () => changes.until(() => waiting.shift(), 'a message at ws'),
  };
}
