/** `ohos-websocket serve` with clients of `ws`. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { makeCertificates } from '../helpers/certificates.js';
import { PATIENT, within } from '../helpers/deadline.js';
import { run, start } from './program.js';

async function serve(...args: string[]) {
  const program = start('serve', '--port', '0', ...args);
  const [, url = ''] = await program.printed(/^(?:echoing|broadcasting) on (\S+)$/m);
  return { program, url };
}

async function client(url: string, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  await within(once(socket, 'open'), `a connection to ${url}`);
  return socket;
}

async function message(socket: WebSocket): Promise<string> {
  const [data] = await within(once(socket, 'message'), 'a message');
  return String(data);
}

describe('ohos-websocket serve', PATIENT, () => {
  it('echoes, stops when it is told to, and sums up', async () => {
    const { program, url } = await serve();
    const socket = await client(url);
    const echo = message(socket);
    socket.send('hello');
    expect(await echo).toBe('hello');
    const closed = once(socket, 'close');
    program.kill('SIGINT');
    expect((await closed)[0]).toBe(1001);
    const { stdout } = await program.exits(0);
    expect(stdout).toContain('1 connections, 0 errors, in 1 messages 5 B, out 1 messages 5 B');
  });

  it('broadcasts to everybody', async () => {
    const { url } = await serve('--broadcast');
    const [one, other] = [await client(url), await client(url)];
    const heard = Promise.all([message(one), message(other)]);
    one.send('to all');
    expect(await heard).toEqual(['to all', 'to all']);
  });

  it('serves TLS, with a subprotocol', async () => {
    const certificates = makeCertificates();
    onTestFinished(() => certificates.remove());
    const { certPath, keyPath } = certificates.server;
    const { url } = await serve('--cert', certPath, '--key', keyPath, '--protocol', 'chat');
    expect(url).toMatch(/^wss:/);
    const socket = new WebSocket(url, 'chat', { ca: readFileSync(certificates.caPath) });
    onTestFinished(() => socket.terminate());
    await within(once(socket, 'open'), 'a TLS connection');
    expect(socket.protocol).toBe('chat');
  });

  it('keeps its limits and says what happens', async () => {
    const { program, url } = await serve(
      '--max-connections',
      '1',
      '--max-message',
      '10',
      '--verbose',
    );
    const socket = await client(url);
    const [error] = await within(once(new WebSocket(url), 'error'), 'the refusal');
    expect(String(error)).toContain('503');
    socket.send('x'.repeat(11));
    const [code] = await within(once(socket, 'close'), 'the close');
    expect(code).toBe(1009);
    await program.printed(/^! .*message too large$/m);
    program.kill('SIGTERM');
    const { stdout } = await program.exits(0);
    expect(stdout).toMatch(/^\+ 127\.0\.0\.1:\d+$/m);
    expect(stdout).toMatch(/^! .*503: too many connections$/m);
  });

  it('closes a connection that does not read', async () => {
    const { program, url } = await serve('--broadcast', '--max-waiting', '4000000', '--verbose');
    const [sender, reader] = [await client(url), await client(url)];
    // Paused before anything comes: what it does not read waits in the server.
    reader.pause();
    const mebibyte = Buffer.alloc(1 << 20);
    let tooSlow = false;
    const told = program.printed(/^- .* 1008 too slow$/m).then(() => {
      tooSlow = true;
    });
    while (!tooSlow) {
      const back = once(sender, 'message');
      sender.send(mebibyte);
      await Promise.race([back, told]);
    }
    expect(sender.readyState).toBe(WebSocket.OPEN);
  });

  it('steers no terminal with what it is sent', async () => {
    const { program, url } = await serve('--verbose');
    (await client(url)).send('a\x1b[2Jb');
    const [line] = await program.printed(/^> .*$/m);
    expect(line).toContain('a\\x1b[2Jb');
  });

  it('prints counters in an interval', async () => {
    const { program, url } = await serve('--interval', '0.1');
    await client(url);
    await program.printed(
      /^1 connections, in 0\/s 0 B\/s, out 0\/s 0 B\/s, 1 accepted, 0 errors$/m,
    );
  });

  it('says why it cannot', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const { status, stderr } = run('serve', '--port', String(port));
    expect(stderr).toMatch(/^cannot serve: /);
    expect(status).toBe(1);
  });
});
