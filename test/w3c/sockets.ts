/**
 * The `WebSocket` of the package as the tests hold it: every event is recorded in order and can be awaited,
 * and what a test leaves open is closed when it has finished.
 */

import {
  type CloseEvent,
  type ErrorEvent,
  WebSocket,
  type WebSocketInit,
} from 'ohos-websocket/w3c';
import { onTestFinished } from 'vitest';
import { EventLog } from '../helpers/endpoints.js';
import { RawListener, type RawPeer } from '../helpers/peers.js';

export const EVENTS = ['open', 'message', 'error', 'close'] as const;

/** The socket's URL where nobody needs to answer: the constructor only checks it. */
export const NOBODY = 'ws://127.0.0.1:9001/';

export class Socket {
  readonly ws: WebSocket;
  readonly log: EventLog = new EventLog('WebSocket');
  /** `readyState` at every event. */
  readonly states: number[] = [];

  constructor(url: string, protocols?: string | string[] | WebSocketInit) {
    this.ws = new WebSocket(url, protocols);
    for (const type of EVENTS) {
      this.ws.addEventListener(type, (event: Event) => {
        this.states.push(this.ws.readyState);
        this.log.add(type, [event]);
      });
    }
    onTestFinished(() => this.ws.close());
  }

  static async open(url: string, protocols?: string | string[] | WebSocketInit): Promise<Socket> {
    const socket = new Socket(url, protocols);
    await socket.log.next('open');
    return socket;
  }

  async message(): Promise<unknown> {
    return (await this.log.value<MessageEvent>('message')).data;
  }

  error(): Promise<ErrorEvent> {
    return this.log.value<ErrorEvent>('error');
  }

  closed(): Promise<CloseEvent> {
    return this.log.value<CloseEvent>('close');
  }
}

/** `name` of the DOMException, or of another error, that a call throws. */
export function thrownName(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return error instanceof DOMException || error instanceof Error ? error.name : String(error);
  }
  throw new Error('nothing was thrown');
}

/** A socket that is open, and the raw server's end of its connection. */
export async function openWithPeer(): Promise<{ socket: Socket; peer: RawPeer }> {
  const listener = await RawListener.listen();
  const socket = new Socket(listener.url());
  const peer = await listener.acceptOpen();
  await socket.log.next('open');
  return { socket, peer };
}
