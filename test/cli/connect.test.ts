/** `ohos-websocket connect` against servers of `ws`. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { PATIENT, within } from '../helpers/deadline.js';
import { run, start } from './program.js';

async function listen(options: ServerOptions = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  return { url: `ws://127.0.0.1:${port}/`, accepted };
}

async function messageOf(socket: WebSocket): Promise<[string, boolean]> {
  const [data, isBinary] = await within(once(socket, 'message'), 'a message');
  return [isBinary ? (data as Buffer).toString('hex') : String(data), isBinary];
}

describe('ohos-websocket connect', PATIENT, () => {
  it('sends lines, prints messages, closes after the end of the input', async () => {
    const { url, accepted } = await listen();
    const program = start('connect', url, '--wait', '0', '--send', 'first');
    const [socket] = await accepted;
    expect(await messageOf(socket)).toEqual(['first', false]);
    socket.send('to you');
    await program.printed(/^to you$/m);
    program.input.write('a line\n');
    expect(await messageOf(socket)).toEqual(['a line', false]);
    program.input.write('/hex 00 fF\n');
    expect(await messageOf(socket)).toEqual(['00ff', true]);
    program.input.write('//slash\n');
    expect(await messageOf(socket)).toEqual(['/slash', false]);
    program.input.end('last');
    expect(await messageOf(socket)).toEqual(['last', false]);
    const { stdout, stderr } = await program.exits(0);
    expect(stdout).toBe('to you\n');
    expect(stderr).toBe('connected\nclosed 1000 CLOSE_NORMAL\n');
  });

  it('closes with a code and a reason', async () => {
    const { url, accepted } = await listen();
    const program = start('connect', url);
    const [socket] = await accepted;
    program.input.write('/close 4001\n/close 1001 so it is\n');
    const [code, reason] = await within(once(socket, 'close'), 'the close');
    expect([code, String(reason)]).toEqual([1001, 'so it is']);
    const { stderr } = await program.exits(1);
    expect(stderr).toContain('/close takes a code of 1000 to 1015');
    expect(stderr).toContain('closed 1001 so it is');
  });

  it('explains commands that it does not know', async () => {
    const { url, accepted } = await listen();
    const program = start('connect', url);
    await accepted;
    program.input.end('/hex 0\n/what\n/close\n');
    const { stderr } = await program.exits(0);
    expect(stderr).toContain('/hex takes pairs of hexadecimal digits');
    expect(stderr).toContain("there is no '/what'");
  });

  it('sends headers and subprotocols, shows those of the answer', async () => {
    const { url, accepted } = await listen();
    const args = ['-H', 'X-Token: a:b', '-s', 'one,two', '--show-headers', '--proxy', 'none'];
    const program = start('connect', url, ...args);
    const [socket, request] = await accepted;
    expect(request.headers['x-token']).toBe('a:b');
    expect(socket.protocol).toBe('one');
    socket.close(1000);
    const { stderr } = await program.exits(0);
    expect(stderr).toContain('connected, subprotocol one');
    expect(stderr).toMatch(/^sec-websocket-protocol: one$/m);
  });

  it('shows times and hexadecimal', async () => {
    const { url, accepted } = await listen();
    const program = start('connect', url, '--hex', '--timestamps');
    const [socket] = await accepted;
    socket.send('text of 17 bytes.');
    socket.send(Buffer.from([0, 255]));
    await program.printed(/^\d{4}-\d\d-\d\dT[\d:.]+Z text, 17 bytes$/m);
    await program.printed(
      /^00000000 {2}74 65 78 74 20 6f 66 20 {2}31 37 .* \|text of 17 bytes\|$/m,
    );
    await program.printed(/^00000010 {2}2e .*\|\.\|$/m);
    await program.printed(/binary, 2 bytes\n00000000 {2}00 ff .*\|\.\.\|$/m);
  });

  it('fails with the status of the answer', async () => {
    const { url } = await listen({ verifyClient: () => false });
    const { stdout, stderr } = await start('connect', url).exits(1);
    expect(stderr).toContain('401');
    expect(stdout).toBe('');
  });

  it('fails where nobody listens, and on a URL that is none', async () => {
    const { status, stderr } = run('connect', 'ws://127.0.0.1:1/');
    expect(stderr).toMatch(/refused/i);
    expect(status).toBe(1);
    expect(run('connect', 'nonsense').status).toBe(1);
  });

  it('ends with 1 when the server closes with another code', async () => {
    const { url, accepted } = await listen();
    const program = start('connect', url);
    (await accepted)[0].close(1011, 'bad luck');
    const { stderr } = await program.exits(1);
    expect(stderr).toContain('closed 1011 bad luck');
  });
});
