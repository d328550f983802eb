/**
 * permessage-deflate with the real peers: `ws` in both roles and undici's client, every combination of
 * parameters, every size of message, whole and in fragments. What Autobahn's sections 12 and 13 ask
 * for, with our own endpoints also against one another.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket as UndiciClient } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type PerMessageDeflateOptions, WebSocketServer, WebSocket as WsClient } from 'ws';
import { Changes, VERY_PATIENT, within } from '../helpers/deadline.js';
import { bytesOf, TestClient, TestServer } from '../helpers/endpoints.js';

/** Autobahn 12: from 16 bytes to 128 KiB; and beyond, where messages travel beside the rings. */
const SIZES = [0, 1, 16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 2_000_000];

const NO_CONTEXT = [false, true];

/** Autobahn 13: what the two sides may ask for. */
const combinations = NO_CONTEXT.flatMap((serverNoContextTakeover) =>
  NO_CONTEXT.flatMap((clientNoContextTakeover) =>
    [8, 9, 12, 15].flatMap((serverMaxWindowBits) =>
      [8, 9, 12, 15].map((clientMaxWindowBits) => ({
        serverNoContextTakeover,
        clientNoContextTakeover,
        serverMaxWindowBits,
        clientMaxWindowBits,
      })),
    ),
  ),
);

const words = randomBytes(3000).toString('base64');

/** Text that compresses well, and refers to what is near and far; no two are the same. */
function textOf(size: number, seed: number): string {
  let text = '';
  for (let n = seed; text.length < size; n++) {
    const from = (n * 7919) % 3900;
    text += `{"n":${n},"wörd":"${words.slice(from, from + 1 + (n % 97))}"}`;
  }
  return text.slice(0, size);
}

describe('our server', VERY_PATIENT, () => {
  it.each(combinations)('and the client of ws agree on %j', async (parameters) => {
    const server = await TestServer.startEcho({ permessageDeflate: { threshold: 0 } });
    const client = await openWs(server, parameters);
    await expectEchoes(client, [0, 16, 1024, 70_000]);
  });

  it.each(combinations)('as it wants them, %j, and the client of ws', async (parameters) => {
    const permessageDeflate = { ...parameters, threshold: 0 };
    const server = await TestServer.startEcho({ permessageDeflate });
    const client = await openWs(server, {});
    await expectEchoes(client, [0, 16, 1024, 70_000]);
  });

  it('exchanges every size with the client of ws, whole and in fragments', async () => {
    const server = await TestServer.startEcho({ permessageDeflate: { threshold: 0 } });
    const client = await openWs(server, {});
    await expectEchoes(client, SIZES);
    for (const fragments of [2, 7, 100]) {
      const text = textOf(131_072, fragments);
      const data = Buffer.from(text);
      const step = Math.ceil(data.length / fragments);
      for (let at = 0; at < data.length; at += step) {
        client.socket.send(data.subarray(at, at + step), {
          binary: false,
          fin: at + step >= data.length,
        });
      }
      expect(String(await client.next()) === text).toBe(true);
    }
  });

  it('keeps the order of a thousand messages, compressed or below the threshold', async () => {
    const server = await TestServer.startEcho({ permessageDeflate: { threshold: 64 } });
    const client = await openWs(server, {});
    const messages = Array.from({ length: 1000 }, (_, n) => textOf((n * 37) % 500, n));

    for (const message of messages) client.socket.send(message);

    for (const message of messages) expect(String(await client.next())).toBe(message);
  });

  it('exchanges every size with undici', async () => {
    const server = await TestServer.startEcho({ permessageDeflate: { threshold: 0 } });
    const socket = new UndiciClient(server.url());
    socket.binaryType = 'arraybuffer';
    onTestFinished(() => socket.close());
    const received: unknown[] = [];
    const changes = new Changes();
    socket.addEventListener('message', ({ data }) => {
      received.push(data);
      changes.notify();
    });
    const opened = new Promise((resolve) => socket.addEventListener('open', resolve));
    await within(opened, 'undici to open');
    expect(socket.extensions).toContain('permessage-deflate');

    for (const [n, size] of SIZES.entries()) {
      const text = textOf(size, n);
      socket.send(text);
      socket.send(Buffer.from(text));
      expect((await changes.until(() => received.shift(), 'a text')) === text).toBe(true);
      const bytes = await changes.until(() => received.shift() as ArrayBuffer, 'bytes');
      expect(Buffer.from(bytes).equals(Buffer.from(text))).toBe(true);
    }
  });

  it('serves compressed and plain clients side by side over TCP', async () => {
    const server = await TestServer.startEcho({ permessageDeflate: { threshold: 0 } });
    const compressed = await openWs(server, {});
    const shared = await openWs(server, { serverNoContextTakeover: true });
    const plain = await openWs(server, false);
    expect([compressed, shared, plain].map(({ socket }) => socket.extensions)).toEqual([
      'permessage-deflate',
      'permessage-deflate',
      '',
    ]);
    for (let n = 0; n < 30; n++) {
      for (const client of [compressed, shared, plain]) await expectEchoes(client, [900 + n]);
    }
  });
});

describe('our client', VERY_PATIENT, () => {
  it.each(combinations)('offers %j to the server of ws', async (parameters) => {
    const url = await listenWs({});
    const client = await TestClient.open(url, {
      permessageDeflate: { ...parameters, threshold: 0 },
    });
    await expectOurEchoes(client, [0, 16, 1024, 70_000]);
  });

  it.each(combinations)('takes %j from the server of ws', async (parameters) => {
    const url = await listenWs(parameters);
    const client = await TestClient.open(url, { permessageDeflate: { threshold: 0 } });
    await expectOurEchoes(client, [0, 16, 1024, 70_000]);
  });

  it('exchanges every size with the server of ws', async () => {
    const client = await TestClient.open(await listenWs({}), {
      permessageDeflate: { threshold: 0 },
    });
    await expectOurEchoes(client, SIZES);
  });

  it('goes without compression where ws declines', async () => {
    const client = await TestClient.open(await listenWs(false), {
      permessageDeflate: { threshold: 0 },
    });
    await expectOurEchoes(client, [16, 70_000]);
  });

  it.each([
    [true, true],
    [
      { threshold: 0, level: 1, memLevel: 1 },
      { threshold: 0, level: 9, memLevel: 9 },
    ],
    [{ serverMaxWindowBits: 8, clientMaxWindowBits: 8 }, true],
    [{ threshold: 0 }, { serverNoContextTakeover: true, clientNoContextTakeover: true }],
    [true, false],
    [false, true],
  ])('with %j and our server with %j exchange every size', async (ours, theirs) => {
    const server = await TestServer.startEcho({ permessageDeflate: theirs });
    const client = await TestClient.open(server.url(), { permessageDeflate: ours });
    await expectOurEchoes(client, SIZES);
  });
});

async function expectOurEchoes(client: TestClient, sizes: readonly number[]): Promise<void> {
  for (const [n, size] of sizes.entries()) {
    const text = textOf(size, n);
    await client.send(text);
    await client.send(Buffer.from(text));
    expect((await client.nextMessage()) === text).toBe(true);
    expect(bytesOf(await client.nextMessage()).equals(Buffer.from(text))).toBe(true);
  }
}

interface Ws {
  readonly socket: WsClient;
  next(): Promise<Buffer>;
}

async function expectEchoes({ socket, next }: Ws, sizes: readonly number[]): Promise<void> {
  for (const [n, size] of sizes.entries()) {
    const text = textOf(size, n);
    socket.send(text);
    socket.send(Buffer.from(text));
    expect(String(await next()) === text).toBe(true);
    expect((await next()).equals(Buffer.from(text))).toBe(true);
  }
}

/** A client of `ws`, which has to have what it asks for. */
async function openWs(server: TestServer, options: PerMessageDeflateOptions | false): Promise<Ws> {
  const perMessageDeflate = options && { threshold: 0, ...options };
  const socket = new WsClient(server.url(), { perMessageDeflate });
  onTestFinished(() => socket.terminate());
  const received: Buffer[] = [];
  const changes = new Changes();
  socket.on('message', (data: Buffer) => {
    received.push(data);
    changes.notify();
  });
  await within(once(socket, 'open'), 'a client of ws to open');
  expect(socket.extensions).toBe(options === false ? '' : 'permessage-deflate');
  return { socket, next: () => changes.until(() => received.shift(), 'a message of ws') };
}

/** A server of `ws` that sends every message back. */
async function listenWs(options: PerMessageDeflateOptions | false): Promise<string> {
  const perMessageDeflate = options && { threshold: 0, ...options };
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  server.on('connection', (socket) => {
    expect(socket.extensions).toBe(options === false ? '' : 'permessage-deflate');
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  await within(once(server, 'listening'), 'ws to listen');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
