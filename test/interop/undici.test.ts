/**
 * Proves that undici's WebSocket, the one that browsers' code meets in Node, understands our server,
 * plain and over TLS: text, binary, every length form, close codes of both sides, subprotocols.
 * Undici has no server; its client runs with its defaults.
 */

import { readFileSync } from 'node:fs';
import { Agent, WebSocket as UndiciClient } from 'undici';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { Changes, PATIENT } from '../helpers/deadline.js';
import { bytesOf, TestServer } from '../helpers/endpoints.js';
import { RawPeer } from '../helpers/peers.js';

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000, 5_242_864];

const certificates = certificatesOfFile();
const agent = new Agent({ connect: { ca: readFileSync(certificates.caPath) } });
afterAll(() => agent.destroy());

describe.each([
  ['plain', false],
  ['TLS', true],
] as const)('undici and our server (%s)', (_name, secure) => {
  describe('together', PATIENT, () => {
    it('exchange text and binary of every size', async () => {
      const server = await TestServer.startEcho(config());
      const client = await open(server);

      for (const size of SIZES) {
        const text = 'wörd '.repeat(size).slice(0, Math.floor(size / 2));
        const bytes = Buffer.alloc(size, 'bytes');
        client.socket.send(text);
        client.socket.send(bytes);
        expect((await client.next('message')) === text).toBe(true);
        expect(bytesOf(await client.next('message')).equals(bytes)).toBe(true);
      }
    });

    it('keep the order of a burst in both directions', async () => {
      const server = await TestServer.startEcho(config());
      const client = await open(server);

      for (let i = 0; i < 1000; i++) client.socket.send(`${i}`);

      for (let i = 0; i < 1000; i++) expect(await client.next('message')).toBe(`${i}`);
    });

    it.each([
      [1000, 'normal'],
      [3000, ''],
      [4999, 'prívate'],
    ])('tell their close %i %j', async (code, reason) => {
      const server = await TestServer.start(config());
      const client = await open(server);

      client.socket.close(code, reason);

      expect(await server.nextClose()).toMatchObject({
        code,
        reason: reason || 'The link is down',
      });
      expect(await client.next('close')).toEqual({ code, reason, wasClean: true });
      expect(server.log.names).not.toContain('error');
    });

    it('tell their close without a code, which browsers send', async () => {
      const server = await TestServer.start(config());
      const leaving = await open(server);
      const staying = await open(server);

      leaving.socket.close();

      expect(await server.nextClose()).toMatchObject({ code: 1000, reason: 'The link is down' });
      expect(await leaving.next('close')).toMatchObject({ wasClean: true });
      staying.socket.send('unharmed');
      expect((await server.nextMessage()).data).toBe('unharmed');
    });

    it('tell our close and our stop', async () => {
      const server = await TestServer.start(config());
      const first = await open(server);
      const connection = await server.nextConnect();
      const second = await open(server);

      await server.close(connection, { code: 1003, reason: 'ünable' });
      expect(await first.next('close')).toEqual({ code: 1003, reason: 'ünable', wasClean: true });
      await server.stop();
      expect(await second.next('close')).toEqual({
        code: 1001,
        reason: 'server is going away',
        wasClean: true,
      });
    });

    it('agree on a subprotocol', async () => {
      const server = await TestServer.start({ ...config(), protocol: 'second' });

      const { socket } = await open(server, ['first', 'second']);

      expect(socket.protocol).toBe('second');
    });

    it('live beside a raw peer that breaks the rules', async () => {
      const server = await TestServer.startEcho(config());
      const client = await open(server);
      const bad = await RawPeer.open({
        port: server.port,
        ...(secure ? { tls: { ca: readFileSync(certificates.caPath) } } : {}),
      });

      bad.send({ opcode: 3 });
      await bad.readToEnd();
      client.socket.send('unharmed');

      expect(await client.next('message')).toBe('unharmed');
    });
  });

  function config(): { serverCert?: { certPath: string; keyPath: string } } {
    return secure ? { serverCert: certificates.server } : {};
  }

  async function open(server: TestServer, protocols: string[] = []) {
    const url = secure ? `wss://localhost:${server.port}/` : server.url();
    const socket = new UndiciClient(url, { protocols, dispatcher: agent });
    socket.binaryType = 'arraybuffer';
    const changes = new Changes();
    const heard: Record<string, unknown[]> = { open: [], message: [], close: [], error: [] };
    const add = (event: string, value: unknown) => {
      heard[event]?.push(value);
      changes.notify();
    };
    socket.addEventListener('open', () => add('open', true));
    socket.addEventListener('message', ({ data }) => add('message', data));
    socket.addEventListener('error', ({ error }) => add('error', error));
    socket.addEventListener('close', ({ code, reason, wasClean }) =>
      add('close', { code, reason, wasClean }),
    );
    onTestFinished(() => {
      if (socket.readyState === socket.OPEN) socket.close();
    });
    const next = (event: string) =>
      changes.until(() => heard[event]?.shift(), `event '${event}' of undici`);
    await next('open');
    return { socket, next };
  }
});
