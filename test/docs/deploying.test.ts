/** The configurations of `docs/deploying.md` in a real nginx and a real HAProxy, before servers of ours. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT, poll } from '../helpers/deadline.js';
import { bytesOf, TestClient, TestServer } from '../helpers/endpoints.js';
import { type ProxyKind, startProxy } from '../proxy/real-proxy.js';
import { readPage } from './markdown.js';

const certificates = certificatesOfFile();

const ROOM = { maxConcurrentClientsNumber: 1000, maxConnectionsForOneClient: 1000 };

/** The page's configuration with other places: every text of `places` has to be there. */
function configurationOf(language: string, places: Readonly<Record<string, string>>): string {
  const [fence, second] = readPage('docs/deploying.md').fences.filter(
    (candidate) => candidate.language === language,
  );
  if (fence === undefined || second !== undefined) throw new Error(`not one fence of ${language}`);
  return Object.entries(places).reduce((text, [place, instead]) => {
    if (!text.includes(place)) throw new Error(`the configuration has no ${place}`);
    return text.replaceAll(place, instead);
  }, fence.code);
}

/** Starts a proxy with the page's configuration; where its clients connect to. */
async function start(
  command: string,
  configure: (folder: string, port: number) => string[],
): Promise<string> {
  const { error } = spawnSync(command, ['-v'], { stdio: 'ignore' });
  if (error) throw new Error(`this test needs ${command}, which is not installed`);
  const kind: ProxyKind = { command, configure };
  const { port } = await startProxy(kind);
  return `wss://localhost:${port}/`;
}

function startNginx(gateway: TestServer): Promise<string> {
  return start('nginx', (folder, port) => {
    const { certPath, keyPath } = certificates.server;
    const page = configurationOf('nginx', {
      'listen 443': `listen 127.0.0.1:${port}`,
      '127.0.0.1:8080': `127.0.0.1:${gateway.port}`,
      '/etc/ssl/example.com.pem': certPath,
      '/etc/ssl/example.com.key': keyPath,
    });
    const file = path.join(folder, 'nginx.conf');
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const http = ['access_log off;', ...folders, page].join('\n');
    const main = `pid ${folder}/pid; error_log stderr; master_process off; daemon off;`;
    writeFileSync(file, `${main}\nevents {}\nhttp {\n${http}\n}\n`);
    return ['-p', folder, '-c', file, '-e', 'stderr'];
  });
}

/** Its control socket is `haproxy.sock` beside the certificates. */
function startHaproxy(one: TestServer, two: TestServer): Promise<string> {
  return start('haproxy', (folder, port) => {
    const { certPath, keyPath } = certificates.server;
    const both = path.join(folder, 'both.pem');
    writeFileSync(both, readFileSync(certPath, 'utf8') + readFileSync(keyPath, 'utf8'));
    const page = configurationOf('haproxy', {
      'bind :443': `bind 127.0.0.1:${port}`,
      '/etc/haproxy/example.com.pem': both,
      '127.0.0.1:8080': `127.0.0.1:${one.port}`,
      '127.0.0.1:8081': `127.0.0.1:${two.port}`,
    });
    const file = path.join(folder, 'haproxy.cfg');
    writeFileSync(file, `global\n    stats socket ${controlSocket()}\n${page}`);
    return ['-db', '-f', file];
  });
}

function controlSocket(): string {
  return path.join(certificates.folder, 'haproxy.sock');
}

/** How HAProxy thinks of a server of the page's backend. */
async function statusOf(server: string): Promise<string> {
  let answer = '';
  const socket = net.connect(controlSocket());
  socket.end('show stat\n');
  try {
    for await (const piece of socket) answer += piece;
  } catch {
    return 'unknown'; // It listens to clients a moment before it listens here.
  }
  const row = answer.split('\n').find((line) => line.startsWith(`gateways,${server},`));
  return row?.split(',')[17] ?? 'unknown';
}

async function expectMessagesAndClose(url: string, server: TestServer): Promise<void> {
  const client = await TestClient.open(url, { caPath: certificates.caPath });
  for (const size of [0, 1, 126, 65_536, 1_000_000]) {
    const bytes = Buffer.alloc(size, 'through');
    await client.send(bytes);
    expect(bytesOf(await client.nextMessage()).equals(bytes)).toBe(true);
  }
  await client.close({ code: 1001, reason: 'enough' });
  expect(await client.nextClose()).toEqual({ code: 1001, reason: 'enough' });
  expect(await server.nextClose()).toMatchObject({ code: 1001, reason: 'enough' });
}

describe('nginx', PATIENT, () => {
  it('carries messages of every size, and how a connection ends', async () => {
    const gateway = await TestServer.startEcho(ROOM);
    await expectMessagesAndClose(await startNginx(gateway), gateway);
  });

  it('makes all clients one: the limits by address count them together', async () => {
    const gateway = await TestServer.startEcho({ maxConnectionsForOneClient: 2 });
    const url = await startNginx(gateway);
    const options = { caPath: certificates.caPath };
    await TestClient.open(url, options);
    await TestClient.open(url, options);

    const third = new TestClient();
    await third.connect(url, options);
    expect(await third.nextError()).toMatchObject({ data: '503' });
  });
});

describe('HAProxy', PATIENT, () => {
  it('carries messages of every size, and how a connection ends', async () => {
    const gateway = await TestServer.startEcho(ROOM);
    const url = await startHaproxy(gateway, gateway);
    await expectMessagesAndClose(url, gateway);
  });

  it('sends nobody to a server that drains', async () => {
    const [one, two] = [await TestServer.startEcho(ROOM), await TestServer.startEcho(ROOM)];
    const url = await startHaproxy(one, two);
    const up = async (server: string) => (await statusOf(server)).startsWith('UP');
    await poll(
      async () => (await up('one')) && (await up('two')),
      () => 'both to be up',
    );
    // It never answers a close, so that the server has to wait for it.
    const stubborn = net.connect(one.port, '127.0.0.1');
    stubborn.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await one.nextConnect();

    const drained = one.server.stop({ drain: 30 });
    await poll(
      async () => (await statusOf('one')).startsWith('DOWN'),
      () => 'the draining server to be down',
    );
    for (let i = 0; i < 4; i++) {
      const client = await TestClient.open(url, { caPath: certificates.caPath });
      await client.send(`${i}`);
      expect(await client.nextMessage()).toBe(`${i}`);
    }
    stubborn.destroy();

    expect(await drained).toMatchObject({ cut: 0 });
  });
});
