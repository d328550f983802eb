/**
 * A proxy that does what a script says with each CONNECT request, and keeps the requests. Proxies that a
 * test makes are gone when it has finished.
 */

import net, { type Socket } from 'node:net';
import { expect } from 'vitest';
import { Changes } from '../helpers/deadline.js';
import type { TestClient } from '../helpers/endpoints.js';
import { ByteQueue, Head, RawListener } from '../helpers/peers.js';

/** Answers one request. */
export type Script = (request: Head, socket: Socket) => void;

export const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

export class ScriptedProxy {
  readonly host: string;
  readonly port: number;
  /** Every request so far. */
  readonly requests: readonly Head[];
  readonly #changes: Changes;

  private constructor(host: string, port: number, requests: readonly Head[], changes: Changes) {
    this.host = host;
    this.port = port;
    this.requests = requests;
    this.#changes = changes;
  }

  /** Listens on a free port of `host`. */
  static async listen(script: Script = tunnel(), host = '127.0.0.1'): Promise<ScriptedProxy> {
    const requests: Head[] = [];
    const changes = new Changes();
    const onSocket = (socket: Socket) => {
      const queue = new ByteQueue();
      socket.on('error', () => socket.destroy());
      socket.on('data', function read(chunk: Buffer) {
        queue.push(chunk);
        const text = queue.takeHead();
        if (text === undefined) return;
        socket.off('data', read);
        // Nothing that follows is lost before somebody reads it.
        socket.pause();
        const request = new Head(text);
        requests.push(request);
        changes.notify();
        script(request, socket);
      });
    };
    const { port } = await RawListener.listen({ host, onSocket });
    return new ScriptedProxy(host, port, requests, changes);
  }

  /** As the value of the `proxy` option. */
  get option(): { host: string; port: number; exclusionList: string[] } {
    return { host: this.host, port: this.port, exclusionList: [] };
  }

  /** The first request, when it has come. */
  firstRequest(): Promise<Head> {
    return this.#changes.until(() => this.requests[0], 'a request to the proxy');
  }
}

/** Connects to the target, any name of which is this machine, and answers `answer`. */
export function tunnel(answer: string | readonly string[] = ESTABLISHED): Script {
  return (request, socket) => {
    const { host, port } = targetOf(request);
    const address = net.isIP(host) === 0 ? '127.0.0.1' : host;
    const upstream = net.connect({ host: address, port, allowHalfOpen: true });
    upstream.setNoDelay(true);
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    upstream.on('connect', () => {
      void writeInTurn(socket, typeof answer === 'string' ? [answer] : answer).then(() => {
        socket.pipe(upstream).pipe(socket);
      });
    });
  };
}

/** Each piece in a segment of its own. */
async function writeInTurn(socket: Socket, pieces: readonly string[]): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, 'latin1', resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Where a request wants to go. */
function targetOf(request: Head): { host: string; port: number } {
  const target = /^CONNECT (\[[\da-f:.]+\]|[^\s:]+):(\d+) HTTP\/1\.[01]$/i.exec(request.startLine);
  if (target === null) throw new Error(`no CONNECT request: ${request.startLine}`);
  return { host: String(target[1]).replace(/^\[|\]$/g, ''), port: Number(target[2]) };
}

/** Answers and waits for more. */
export function answer(bytes: string | Uint8Array): Script {
  return (_request, socket) => {
    socket.write(bytes);
  };
}

/** Answers and ends the connection, as proxies do with refusals. */
export function refuse(bytes: string | Uint8Array): Script {
  return (_request, socket) => {
    socket.end(bytes);
  };
}

/** Says nothing. */
export const silent: Script = () => undefined;

/** Tunnels for this user, answers 407 to others. */
export function demandUser(user: string, password: string): Script {
  const letThrough = tunnel();
  return (request, socket) => {
    if (request.header('proxy-authorization') === basic(user, password)) {
      letThrough(request, socket);
    } else {
      socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\n' +
          'Proxy-Authenticate: Basic realm="test"\r\nContent-Length: 0\r\n\r\n',
      );
    }
  };
}

/** Value of `Proxy-Authorization` (RFC 7617). */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Demands that the attempt ends with an error whose cause is the proxy. */
export async function expectProxyFailure(client: TestClient, why: RegExp): Promise<void> {
  const error = await client.nextError();
  expect(error).toMatchObject({ code: 200, data: '0' });
  expect(error.cause).toMatchObject({ phase: 'proxy' });
  const { errno, detail } = error.cause as { errno: string; detail: string };
  expect(`${errno} ${detail}`).toMatch(why);
  expect(client.log.names).toEqual(['error']);
}
