/** The examples of what a gateway needs do what they show, with peers that are not of this package. */

import { once } from 'node:events';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { RedisServer } from '../cluster/redis-server.js';
import { makeCertificates } from '../helpers/certificates.js';
import { Child, expectExit } from '../helpers/child.js';
import { PATIENT, within } from '../helpers/deadline.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';

const example = (name: string): URL => new URL(`../../examples/${name}.mjs`, import.meta.url);

async function open(url: string, options: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  await within(once(socket, 'open'), `${url} to open`);
  return socket;
}

/** The next message, to this text if there is one. */
async function answer(socket: WebSocket, text?: string): Promise<string> {
  const message = once(socket, 'message');
  if (text !== undefined) socket.send(text);
  const [data] = await within(message, 'a message');
  return String(data);
}

describe('the gateway examples', PATIENT, () => {
  test('behind a proxy', async () => {
    const server = new Child(example('behind-a-proxy'), { args: ['0'] });
    const [, port] = await server.printed(/listening on port (\d+)/);
    const headers = { 'X-Forwarded-For': '192.0.2.1, 10.0.0.7' };
    const socket = await open(`ws://127.0.0.1:${port}/`, { headers });
    await server.printed(/192\.0\.2\.1 by 127\.0\.0\.1/);
    await server.printed(/a round trip of [\d.]+ ms/);
    expect(await answer(socket, 'a')).toBe('1 stored');
    expect(await answer(socket, 'b')).toBe('2 stored');
    const closed = once(socket, 'close');
    socket.send('quit');
    expect((await closed)[0]).toBe(1006);
    await server.printed(/192\.0\.2\.1 left: 1006/);
    server.kill('SIGINT');
    await server.exits(0);
  });

  test('listening', async () => {
    const made = makeCertificates();
    onTestFinished(() => made.remove());
    const own = {
      certPath: path.join(made.folder, 'own.pem'),
      keyPath: path.join(made.folder, 'own.key'),
    };
    const write = (from: { certPath: string; keyPath: string }) => {
      copyFileSync(from.certPath, own.certPath);
      copyFileSync(from.keyPath, own.keyPath);
    };
    write(made.server);
    const socketPath = path.join(made.folder, 'gateway.sock');
    const files = [own.certPath, own.keyPath, made.wrongHost.certPath, made.wrongHost.keyPath];
    const server = new Child(example('listening'), { args: [...files, socketPath, '0'] });
    const [, port] = await server.printed(/listening on 127\.0\.0\.1:(\d+)/);
    await server.printed(new RegExp(`listening on 127\\.0\\.0\\.2:${port}`));
    await server.printed(new RegExp(`listening on ${socketPath}`));
    const shown = async (servername: string) => {
      const options = { port: Number(port), servername, rejectUnauthorized: false };
      const socket = tls.connect(options);
      await within(once(socket, 'secureConnect'), 'TLS');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };

    const rejectUnauthorized = false;
    const byFile = () => tls.connect({ path: socketPath, rejectUnauthorized });
    for (const options of [{ rejectUnauthorized }, { createConnection: byFile }]) {
      const socket = await open(`wss://127.0.0.2:${port}/`, options);
      expect(await answer(socket, 'hello')).toBe('hello');
      socket.close();
    }
    const before = await shown('localhost');
    expect(await shown('a.other.example')).not.toBe(before);

    writeFileSync(own.certPath, 'half a certif');
    server.kill('SIGHUP');
    await server.printed(/certificates: as they were, \S/);
    expect(await shown('localhost')).toBe(before);
    write(made.secondServer);
    server.kill('SIGHUP');
    await server.printed(/certificates: read again/);
    expect(await shown('localhost')).not.toBe(before);

    server.kill('SIGINT');
    await server.exits(0);
    expect(existsSync(socketPath)).toBe(false);
  });

  test('metrics', async () => {
    const server = new Child(example('metrics'), { args: ['0', '0'] });
    const [, port, url = ''] = await server.printed(/server: (\d+) {2}metrics: (\S+)/);
    const sockets = [await open(`ws://127.0.0.1:${port}/`), await open(`ws://127.0.0.1:${port}/`)];
    expect(await answer(sockets[0] as WebSocket, 'hello')).toBe('hello');
    const third = await RawPeer.connect({ port: Number(port) });
    third.write(upgradeRequest());
    expect((await third.readHead()).status).toBe(503);
    await server.printed(/refused 127\.0\.0\.1: 503 too many connections/);
    const text = await (await fetch(url)).text();
    expect(text).toContain('ohos_websocket_connections{server="echo",state="open"} 2');
    expect(text).toContain('ohos_websocket_refusals_total{server="echo",reason="connections"} 1');
    server.kill('SIGINT');
    await server.exits(0);
  });

  test('two of a cluster, with Redis away for a while', async () => {
    const redis = await RedisServer.start();
    const args = ['0', redis.socketPath];
    const gateways = [0, 1].map(() => new Child(example('cluster'), { args }));
    const [ann, ben] = (await Promise.all(
      gateways.map(async (gateway) => {
        const [, port] = await gateway.printed(/listening on port (\d+)/);
        return open(`ws://127.0.0.1:${port}/`);
      }),
    )) as [WebSocket, WebSocket];
    expect(await answer(ann, 'join tea')).toBe('tea: 1 here');
    expect(await answer(ben, 'join tea')).toMatch(/^tea: [12] here$/);
    const heard = answer(ben);
    ann.send('say tea two lumps,\nplease');
    expect(await heard).toBe('two lumps,\nplease');

    await redis.kill();
    for (const gateway of gateways) await gateway.printed(/cluster: apart/);
    ann.send('say tea nobody there hears this');
    await redis.startAgain();
    for (const gateway of gateways) await gateway.printed(/cluster: joined/);
    await (gateways[1] as Child).printed(/missed 1 in one of tea/);
    const again = answer(ben);
    ann.send('say tea again');
    expect(await again).toBe('again');

    for (const gateway of gateways) gateway.kill('SIGINT');
    for (const gateway of gateways) await gateway.exits(0);
  });

  test("the web's WebSocket", async () => {
    const { stdout } = await expectExit(example('web'));
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['open, shout', 'one!', 'two!', 'three!', 'closed 1000 true']),
    );
    expect(stdout).toContain('the server has read all');
  });
});
