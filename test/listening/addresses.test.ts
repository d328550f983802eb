/**
 * Proves the option `listen`: several addresses, both families of IP with one socket and with two, sockets of
 * this machine with their files and their names, several sockets on one port, and the codes of what cannot
 * be.
 */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import type { webSocket } from 'ohos-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../helpers/certificates.js';
import { PATIENT, plainEnvironment, within } from '../helpers/deadline.js';
import { callWith, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawPeer, upgradeRequest } from '../helpers/peers.js';

const onLinux = process.platform === 'linux';
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');
type ListenAddress = webSocket.WebSocketListenAddress;
type Config = Omit<webSocket.WebSocketListenConfig, 'listen'>;

/** A server with roomy limits that sends every message back. */
async function listenOn(
  listen: readonly ListenAddress[],
  config: Config = {},
): Promise<TestServer> {
  const echo = new TestServer({ without: ['messageReceive'] });
  const { server } = echo;
  server.on('messageReceive', ({ data, clientConnection }) => {
    server.send(data, clientConnection).catch(() => undefined);
  });
  const roomy = { maxConcurrentClientsNumber: 1000, maxConnectionsForOneClient: 1000 };
  await within(server.start({ ...roomy, ...config, listen }), 'a server to start');
  return echo;
}

function whyNot(listen: unknown, more: object = {}): Promise<Error & { code?: unknown }> {
  const { server } = new TestServer();
  return rejection(callWith(server, 'start', [{ ...more, listen }]));
}

async function expectEcho(url: string): Promise<void> {
  const client = await TestClient.open(url);
  await client.send(url);
  expect(await client.nextMessage()).toBe(url);
}

/** A raw peer over a path of this machine. */
async function localPeer(file: string): Promise<RawPeer> {
  const socket = net.connect({ path: file, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await within(once(socket, 'connect'), `a connection to ${file}`);
  return new RawPeer('client', socket);
}

async function openLocal(file: string): Promise<RawPeer> {
  const peer = await localPeer(file);
  await peer.upgrade();
  return peer;
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'ohws-listen-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe('several addresses', PATIENT, () => {
  it('lead to one server, and it tells them all', async () => {
    const file = path.join(folder(), 'socket');
    const server = await listenOn([
      { address: '127.0.0.1', port: 0 },
      { path: file },
      { address: '127.0.0.2', port: 0 },
    ]);

    const { port } = server;
    expect(server.server.listening).toEqual([
      { address: '127.0.0.1', port },
      { path: file },
      { address: '127.0.0.2', port },
    ]);
    await expectEcho(`ws://127.0.0.1:${port}/`);
    await expectEcho(`ws://127.0.0.2:${port}/`);
    const local = await openLocal(file);
    await server.log.count('connect', 3);
    expect(await server.list()).toHaveLength(3);

    const stopped = server.stop();
    expect((await local.expectClose()).code).toBe(1001);
    local.halfClose();
    await stopped;
    expect(server.server.listening).toEqual([]);
    expect(server.server.port).toBeUndefined();
  });

  it('are all or none', async () => {
    const holder = await listenOn([{ address: '127.0.0.1', port: 0 }]);
    const taken = holder.port;
    const file = path.join(folder(), 'socket');

    const error = await whyNot([
      { path: file },
      { address: '127.0.0.3', port: taken },
      { address: '127.0.0.1', port: taken },
    ]);

    expect(error).toMatchObject({ code: 2302007, cause: { errno: 'EADDRINUSE' } });
    expect(existsSync(file)).toBe(false);
    await listenOn([{ path: file }, { address: '127.0.0.3', port: taken }]);
  });

  it('that are the same twice: 2302007', async () => {
    const { port } = await listenOn([{ address: '127.0.0.4', port: 0 }]);
    const one = { address: '127.0.0.5', port };
    expect((await whyNot([one, one])).code).toBe(2302007);
  });

  it('stay with a server that is started again elsewhere: 2302007 and 2302999 (S12)', async () => {
    const server = await listenOn([{ address: '127.0.0.1', port: 0 }]);
    const again = (port: number) =>
      rejection(server.server.start({ listen: [{ address: '127.0.0.1', port }] }));
    expect((await again(server.port)).code).toBe(2302007);
    expect((await again(0)).code).toBe(2302999);
    await expectEcho(server.url());
  });
});

describe.runIf(hasIpv6)('IPv6', PATIENT, () => {
  it('beside IPv4, on the same port', async () => {
    const server = await listenOn([
      { address: '127.0.0.1', port: 0 },
      { address: '::1', port: 0 },
    ]);
    await expectEcho(`ws://127.0.0.1:${server.port}/`);
    await expectEcho(`ws://[::1]:${server.port}/`);
    expect((await server.list()).map((at) => at.clientIP)).toEqual(['127.0.0.1', '::1']);
  });

  it('alone leaves IPv4 to others', async () => {
    const server = await listenOn([{ address: '::', port: 0 }]);
    await listenOn([{ address: '0.0.0.0', port: server.port }]);
    expect(await expectEcho(`ws://[::1]:${server.port}/`)).toBeUndefined();
    expect(await server.list()).toHaveLength(1);
  });

  it('with one socket for both: IPv4 clients are known by their IPv4 address', async () => {
    const server = await listenOn([{ address: '::', port: 0, ipv6Only: false }]);

    const four = await RawPeer.open({ port: server.port });
    const six = await RawPeer.open({ port: server.port, host: '::1' });

    expect([await server.nextConnect(), await server.nextConnect()]).toEqual([
      four.address,
      six.address,
    ]);
    expect((await whyNot([{ address: '127.0.0.1', port: server.port }])).code).toBe(2302007);
  });
});

describe('a path', PATIENT, () => {
  it('has connections like any other, known by the path and a number of their own', async () => {
    const file = path.join(folder(), 'socket');
    const server = await listenOn([{ path: file }]);
    expect(server.server.port).toBeUndefined();

    const peers = [await openLocal(file), await openLocal(file)] as const;
    const addresses = [await server.nextConnect(), await server.nextConnect()] as const;

    for (const { clientIP, clientPort } of addresses) {
      expect(clientIP).toBe(`unix:${file}`);
      expect(clientPort).toBeGreaterThan(0);
    }
    expect(addresses[0].clientPort).not.toBe(addresses[1].clientPort);
    for (const [n, peer] of peers.entries()) {
      peer.sendText(`${n}`);
      expect(await peer.expectText()).toBe(`${n}`);
      // Any equal object names it, as for other connections.
      await server.send(`to ${n}`, { ...(addresses[n] as (typeof addresses)[0]) });
      expect(await peer.expectText()).toBe(`to ${n}`);
    }
    await server.close(addresses[0], { code: 1011, reason: 'first' });
    expect(await peers[0].expectClose()).toEqual({ code: 1011, reason: 'first' });
    peers[0].halfClose();
    expect(await server.nextClose()).toMatchObject({ connection: addresses[0], code: 1011 });

    // Who comes later is not taken for the one that has gone.
    const next = await openLocal(file);
    const address = await server.nextConnect();
    expect(await rejection(server.server.send('late', addresses[0]))).toMatchObject({
      code: 2302006,
    });
    await server.send('new', address);
    expect(await next.expectText()).toBe('new');
    peers[1].sendClose(1000);
    expect(await server.nextClose()).toMatchObject({ connection: addresses[1], code: 1000 });
  });

  it('carries large messages both ways', async () => {
    const file = path.join(folder(), 'socket');
    await listenOn([{ path: file }]);
    const peer = await openLocal(file);
    const bytes = Buffer.alloc(5_000_000, 'large ');
    peer.sendBinary(bytes);
    const { payload } = await peer.expectFrame(Opcode.binary);
    expect(payload.equals(bytes)).toBe(true);
  });

  it('serves TLS as well', async () => {
    const certificates = makeCertificates();
    onTestFinished(() => certificates.remove());
    const file = path.join(folder(), 'socket');
    await listenOn([{ path: file }], { serverCert: certificates.server });
    const ca = readFileSync(certificates.caPath);
    const socket = tls.connect({ path: file, ca, servername: 'localhost' });
    onTestFinished(() => void socket.destroy());
    await within(once(socket, 'secureConnect'), 'TLS over a path');
    const peer = new RawPeer('client', socket);
    await peer.upgrade();
    peer.sendText('hello');
    expect(await peer.expectText()).toBe('hello');
  });

  it('is one client for the limits', async () => {
    const file = path.join(folder(), 'socket');
    const server = await listenOn([{ path: file }], { maxConnectionsForOneClient: 1 });
    await openLocal(file);

    const second = await localPeer(file);
    second.write(upgradeRequest());

    expect((await second.readHead()).status).toBe(503);
    expect(await server.log.value('error')).toMatchObject({
      message: `A connection of unix:${file} was refused with HTTP status 503`,
    });
  });

  it('is removed by stop, and relative ones begin at the working directory', async () => {
    const file = path.relative(process.cwd(), path.join(folder(), 'socket'));
    const server = await listenOn([{ path: file }]);
    expect(server.server.listening).toEqual([{ path: path.resolve(file) }]);
    expect(statSync(file).isSocket()).toBe(true);
    await server.stop();
    expect(existsSync(file)).toBe(false);
  });

  it.each([0o600, 0o666, 0o777, 0])('has the permissions that it was given: %o', async (mode) => {
    const file = path.join(folder(), 'socket');
    await listenOn([{ path: file, mode }]);
    expect(statSync(file).mode & 0o777).toBe(mode);
  });

  it('of a server that was killed is taken over', async () => {
    const file = path.join(folder(), 'socket');
    await makeStale(file);
    expect(statSync(file).isSocket()).toBe(true);

    await listenOn([{ path: file }]);

    await openLocal(file);
  });

  it('of a server that runs stays: 2302007', async () => {
    const file = path.join(folder(), 'socket');
    const server = await listenOn([{ path: file }]);
    const peer = await openLocal(file);

    const error = await whyNot([{ path: file }]);

    expect(error).toMatchObject({ code: 2302007, cause: { errno: 'EADDRINUSE' } });
    peer.sendText('still here');
    expect(await peer.expectText()).toBe('still here');
    await openLocal(file);
    await server.log.count('connect', 2);
    expect(server.log.names).toEqual(['connect', 'connect']);
  });

  it('with something else there stays: 2302007', async () => {
    const inside = folder();
    const file = path.join(inside, 'file');
    const link = path.join(inside, 'link');
    writeFileSync(file, 'precious');
    symlinkSync(file, link);
    for (const place of [file, link, inside]) {
      expect((await whyNot([{ path: place }])).code).toBe(2302007);
    }
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it('that another has taken meanwhile is not removed by stop', async () => {
    const file = path.join(folder(), 'socket');
    const first = await listenOn([{ path: file }]);
    rmSync(file);
    await listenOn([{ path: file }]);

    await first.stop();

    await openLocal(file);
  });

  it.each<[string, string, number, string]>([
    ['in no folder', 'none/socket', 2302004, 'ENOENT'],
    ['below a file', 'file/socket', 2302004, 'ENOTDIR'],
    ['too long', 'x'.repeat(200), 2302004, 'ENAMETOOLONG'],
  ])('%s: %s is %i', async (_what, name, code, errno) => {
    const inside = folder();
    writeFileSync(path.join(inside, 'file'), '');
    const error = await whyNot([{ path: path.join(inside, name) }]);
    expect(error).toMatchObject({ code, cause: { errno } });
  });

  it('is held by a drain, which tells newcomers so', async () => {
    const file = path.join(folder(), 'socket');
    const server = await listenOn([{ path: file }]);
    const holder = await openLocal(file);
    const drained = within(server.server.stop({ drain: 600 }), 'the drain');
    await holder.expectClose();

    const late = await localPeer(file);
    late.write(upgradeRequest());
    expect((await late.readHead()).status).toBe(503);
    expect((await whyNot([{ path: file }])).code).toBe(2302007);

    holder.halfClose();
    expect(await drained).toMatchObject({ closed: 1, cut: 0, refused: 1 });
    expect(existsSync(file)).toBe(false);
  });
});

describe('a name in the abstract space', PATIENT, () => {
  it.runIf(onLinux)('needs no file, and is free again after stop', async () => {
    // Of full length: Node's own client fills shorter ones up with NULs, which is another name.
    const name = `\0ohws-${process.pid}`.padEnd(108, '-');
    const server = await listenOn([{ path: name }]);
    await openLocal(name);
    expect((await server.nextConnect()).clientIP).toBe(`unix:@${name.slice(1)}`);
    expect((await whyNot([{ path: name }])).code).toBe(2302007);
    await server.stop();
    await listenOn([{ path: name }]);
  });

  it.runIf(!onLinux)('is 2302004 elsewhere', async () => {
    expect((await whyNot([{ path: '\0name' }])).code).toBe(2302004);
  });
});

describe.runIf(onLinux)('reusePort', PATIENT, () => {
  const shared = (port: number) => [{ address: '127.0.0.1', port, reusePort: true }] as const;

  it('lets several servers listen on one port, and the connections are shared out', async () => {
    const first = await listenOn(shared(0));
    const second = await listenOn(shared(first.port));
    expect(second.port).toBe(first.port);

    const clients = [];
    for (let n = 0; n < 64; n++) clients.push(await TestClient.open(first.url()));

    // All are known once each has had an answer.
    for (const client of clients) {
      await client.send('x');
      await client.nextMessage();
    }
    const [ofFirst, ofSecond] = [await first.list(), await second.list()];
    expect(ofFirst.length + ofSecond.length).toBe(64);
    // 2^-63 is the chance that all of them hash to one of the two.
    expect(ofFirst.length).toBeGreaterThan(0);
    expect(ofSecond.length).toBeGreaterThan(0);
  });

  it('has to be asked for by all: 2302007', async () => {
    const { port } = await listenOn(shared(0));
    expect((await whyNot([{ address: '127.0.0.1', port }])).code).toBe(2302007);
    const { port: alone } = await listenOn([{ address: '127.0.0.1', port: 0 }]);
    expect((await whyNot(shared(alone))).code).toBe(2302007);
  });

  it('leaves newcomers to the others while one of them drains', async () => {
    const old = await listenOn(shared(0));
    const holder = await RawPeer.open({ port: old.port });
    const fresh = await listenOn(shared(old.port));
    const drained = within(old.server.stop({ drain: 600 }), 'the drain');
    await holder.expectClose();

    for (let n = 0; n < 32; n++) await RawPeer.open({ port: fresh.port });

    await fresh.log.count('connect', 32);
    holder.halfClose();
    expect(await drained).toMatchObject({ closed: 1, cut: 0, refused: 0 });
  });
});

describe('backlog', PATIENT, () => {
  it.runIf(spawnSync('ss', ['-V']).status === 0)('is what the kernel is told', async () => {
    const server = await listenOn([{ address: '127.0.0.1', port: 0, backlog: 7 }]);
    expect(listenQueueOf(server.port)).toBe(7);
  });
});

describe('what is no list of addresses', PATIENT, () => {
  const address = '127.0.0.1';
  it.each<[string, unknown, number]>([
    ['no list', {}, 401],
    ['an empty list', [], 401],
    ['65 addresses', Array(65).fill({ address, port: 0 }), 401],
    ['an entry that is no object', ['127.0.0.1'], 401],
    ['an address that is no string', [{ address: 1, port: 0 }], 401],
    ['no port', [{ address }], 401],
    ['a port that is no number', [{ address, port: '80' }], 401],
    ['a path with a port', [{ path: '/x', port: 0 }], 401],
    ['an empty path', [{ path: '' }], 401],
    ['a path with a NUL', [{ path: '/x\0y' }], 401],
    ['an abstract name that is empty', [{ path: '\0' }], 401],
    ['an abstract name with permissions', [{ path: '\0x', mode: 0o600 }], 401],
    ['permissions beyond 0o777', [{ path: '/x', mode: 0o1777 }], 401],
    ['a backlog of 0', [{ address, port: 0, backlog: 0 }], 401],
    ['half a backlog', [{ address, port: 0, backlog: 1.5 }], 401],
    ['reusePort that is no boolean', [{ address, port: 0, reusePort: 1 }], 401],
    ['an option that there is not', [{ address, port: 0, reuseport: true }], 401],
    ['a name', [{ address: 'localhost', port: 0 }], 2302004],
    ['an address of another machine', [{ address: '192.0.2.1', port: 0 }], 2302004],
    ['a port that is too large', [{ address, port: 65_536 }], 2302005],
    ['half a port', [{ address, port: 0.5 }], 2302005],
  ])('%s', async (_what, listen, code) => {
    expect((await whyNot(listen)).code).toBe(code);
  });

  it('or comes beside serverIP or serverPort: 401', async () => {
    const listen = [{ address, port: 0 }];
    expect((await whyNot(listen, { serverPort: 0 })).code).toBe(401);
    expect((await whyNot(listen, { serverIP: address })).code).toBe(401);
  });
});

/** What a server leaves that was killed: its file, and nobody behind it. */
async function makeStale(file: string): Promise<void> {
  const holder = net.createServer().listen(file);
  await within(once(holder, 'listening'), 'a server to listen');
  const elsewhere = `${file}.away`;
  // Node removes its file at the end, under the name that it knows.
  renameSync(file, elsewhere);
  holder.close();
  await within(once(holder, 'close'), 'a server to close');
  renameSync(elsewhere, file);
}

/** The length of the queue of a listening socket on 127.0.0.1, as the kernel has it. */
function listenQueueOf(port: number): number {
  const options = { encoding: 'utf8', env: plainEnvironment() } as const;
  const { stdout } = spawnSync('ss', ['-Hltn', `sport = :${port}`], options);
  return Number(stdout.trim().split(/\s+/)[2]);
}
