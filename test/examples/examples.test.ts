/**
 * The examples of `examples/` do what they show, each with a peer that is not of this package where it has one.
 * The demo, the first server and client, and the graceful stop are in `test/lifecycle/examples.test.ts`.
 */

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import http, { type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { readPage } from '../docs/markdown.js';
import { startEcho } from '../docs/surroundings.js';
import { makeCertificates, makeMoreCertificates } from '../helpers/certificates.js';
import { Child, expectExit } from '../helpers/child.js';
import { PATIENT, within } from '../helpers/deadline.js';

const folder = new URL('../../examples/', import.meta.url);
const example = (name: string): URL => new URL(`${name}.mjs`, folder);

test('every example is in the list', () => {
  const { prose } = readPage('examples/README.md');
  const names = readdirSync(folder).filter((name) => !['README.md', 'demo'].includes(name));
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !prose.includes(`](${name}`))).toEqual([]);
});

describe('the chat', PATIENT, () => {
  test('its page leads to a server where lines go to everybody', async () => {
    const server = new Child(example('chat/server'), { args: ['0', '0'] });
    const [, origin = ''] = await server.printed(/open (http:.*)\//);
    const page = await (await fetch(`${origin}/`)).text();
    const [url = ''] = /ws:[^']+/.exec(page) ?? [];
    // What a guest sends below is what the page sends.
    expect(page).toContain('JSON.stringify({ join: name })');
    expect(page).toContain("JSON.stringify({ say: find('line').value })");

    const ann = await Guest.join(url, origin, 'Ann');
    expect(await ann.next()).toEqual({ here: ['Ann'] });
    const bob = await Guest.join(url, origin, 'Bob');
    expect(await ann.next()).toEqual({ here: ['Ann', 'Bob'] });
    expect(await bob.next()).toEqual({ here: ['Ann', 'Bob'] });
    ann.say({ say: 'hello' });
    expect(await ann.next()).toEqual({ from: 'Ann', say: 'hello' });
    expect(await bob.next()).toEqual({ from: 'Ann', say: 'hello' });
    ann.socket.close();
    expect(await bob.next()).toEqual({ here: ['Bob'] });

    server.kill('SIGINT');
    await server.exits(0);
  });

  test('turns away who does not join, and other pages', async () => {
    const server = new Child(example('chat/server'), { args: ['0', '0'] });
    const [, origin = ''] = await server.printed(/open (http:.*)\//);
    const [url = ''] = /ws:[^']+/.exec(await (await fetch(`${origin}/`)).text()) ?? [];

    const rude = new WebSocket(url, { origin });
    rude.on('open', () => rude.send('{"say":"without a name"}'));
    const [code] = await within(once(rude, 'close'), 'the rude guest to be closed');
    expect(code).toBe(1008);
    const foreign = new WebSocket(url, { origin: 'http://example.com' });
    const [error] = await within(once(foreign, 'error'), 'the foreign page to be refused');
    expect(String(error)).toMatch(/403/);

    server.kill('SIGINT');
    await server.exits(0);
  });
});

/** A visitor of the chat, who speaks its protocol as the page does. */
class Guest {
  readonly socket: WebSocket;
  readonly #waiting: unknown[] = [];
  #wake: () => void = () => {};

  constructor(url: string, origin: string) {
    this.socket = new WebSocket(url, { origin });
    this.socket.on('message', (data) => {
      this.#waiting.push(JSON.parse(String(data)));
      this.#wake();
    });
    onTestFinished(() => this.socket.terminate());
  }

  static async join(url: string, origin: string, name: string): Promise<Guest> {
    const guest = new Guest(url, origin);
    await within(once(guest.socket, 'open'), 'a guest to be let in');
    guest.say({ join: name });
    return guest;
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  async next(): Promise<unknown> {
    const some = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#waiting.length === 0) await within(some, 'a message of the chat');
    return this.#waiting.shift();
  }
}

test('TLS: the CA decides', PATIENT, async () => {
  const certificates = makeCertificates();
  onTestFinished(() => certificates.remove());
  const { caPath, server } = certificates;
  const args = [caPath, server.certPath, server.keyPath];

  const { stdout } = await expectExit(example('tls'), { args });

  expect(stdout).toMatch(/^without the CA: tls: .*certificate.*\nwith the CA: over TLS\n$/);
});

describe('the proxy', PATIENT, () => {
  test('is used, with its password', async () => {
    const proxy = await startConnectProxy('Basic dXNlcjpzZWNyZXQ=');
    const url = `ws://127.0.0.1:${await startEcho()}/`;

    const { stdout } = await expectExit(example('proxy'), {
      args: [url, `http://user:secret@127.0.0.1:${proxy.port}`],
    });

    expect(stdout).toBe('received hello through the proxy\n');
    expect(proxy.targets).toEqual([new URL(url).host]);
  });

  test('that refuses is told with its status', async () => {
    const proxy = await startConnectProxy('Basic dXNlcjpzZWNyZXQ=');
    const args = ['ws://127.0.0.1:1/', `http://user:wrong@127.0.0.1:${proxy.port}`];
    const { stderr } = await expectExit(example('proxy'), { args });
    expect(stderr).toMatch(/^failed: proxy: .*407/);
  });
});

/** Node's own HTTP server as a proxy that knows CONNECT, and one user. */
async function startConnectProxy(authorization: string) {
  const targets: string[] = [];
  const proxy: Server = http.createServer();
  proxy.on('connect', ({ url = '', headers }, socket) => {
    if (headers['proxy-authorization'] !== authorization) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    targets.push(url);
    const target = net.connect(Number(new URL(`http://${url}`).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.close();
  });
  return { port: (proxy.address() as AddressInfo).port, targets };
}

test.each(['documented', 'netstack'])('the app under test, %s', PATIENT, async (profile) => {
  const child = new Child(example('app-parity/app.test'), {
    nodeOptions: ['--import', 'ohos-websocket/register', '--test-reporter=tap'],
    environment: { OHOS_WEBSOCKET_PROFILE: profile },
  });
  const { stdout } = await child.exits(0);
  expect(stdout).toMatch(/^# pass 3$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});

test.runIf(process.platform === 'linux')('threads share a port', PATIENT, async () => {
  const child = new Child(example('workers'), { args: ['0', '2'] });
  const [, port] = await child.printed(/2 workers listen on port (\d+)/);

  // The kernel chooses by the addresses; with enough of them both threads are found.
  const threads = new Set<string>();
  while (threads.size < 2) {
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    client.on('open', () => client.send('who?'));
    const [answer] = await within(once(client, 'message'), 'an answer of a thread');
    threads.add(String(answer));
    client.terminate();
  }

  expect([...threads].sort()).toEqual(['thread 1: who?', 'thread 2: who?']);
  child.kill('SIGINT');
  await child.exits(0);
});

test('mTLS: the server demands a certificate', PATIENT, async () => {
  const certificates = makeCertificates();
  onTestFinished(() => certificates.remove());
  const { caPath, server } = certificates;
  const { client } = makeMoreCertificates(certificates);
  const args = [caPath, server.certPath, server.keyPath, client.certPath, client.keyPath];

  const { stdout } = await expectExit(example('mtls'), { args });

  expect(stdout).toMatch(/^without a certificate: tls: .*\nwith one: hello client\n$/);
});

describe('the gateway', PATIENT, () => {
  test('lets in who has a token, and passes on what it allows', async () => {
    const gateway = new Child(example('gateway'), { args: ['0'] });
    const [, port] = await gateway.printed(/listening on port (\d+)/);
    const url = `ws://127.0.0.1:${port}/`;

    const stranger = new WebSocket(url);
    const [error] = await within(once(stranger, 'error'), 'the stranger to be refused');
    expect(String(error)).toMatch(/401/);

    const ann = new WebSocket(url, { headers: { authorization: 'Bearer token-of-ann' } });
    const bob = new WebSocket(`${url}?token=token-of-bob`);
    await within(Promise.all([once(ann, 'open'), once(bob, 'open')]), 'both to be let in');
    bob.send('{"subscribe":"news"}');
    expect(await messageOf(bob)).toEqual({ subscribed: 'news' });
    ann.send('{"publish":"news","data":["hello"]}');
    expect(await messageOf(bob)).toEqual({ topic: 'news', from: 'Ann', data: ['hello'] });
    bob.send('{"publish":"news","data":"me too"}');
    expect(await messageOf(bob)).toHaveProperty('error');

    gateway.kill('SIGINT');
    await gateway.exits(0);
  });
});

/** The next message of a socket that nobody else listens to. */
async function messageOf(socket: WebSocket): Promise<unknown> {
  const [data] = await within(once(socket, 'message'), 'a message');
  return JSON.parse(String(data));
}
