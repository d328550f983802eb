/** The events of the client: values, order, listeners that throw. */

import { describe, expect, it, vi } from 'vitest';
import { documented, netstack } from '../../lib/profile.js';
import { newClient, openClient, url } from '../helpers/fake-endpoints.js';
import { brokenClose, cleanClose, failure, openInfo, settled } from '../helpers/fake-transport.js';
import { uncaughtExceptions } from '../helpers/uncaught.js';

describe('events', () => {
  it('are message and dataEnd, without dataEnd if nobody hears messages (C34)', () => {
    const { ws, handler, log } = openClient();
    const bytes = new ArrayBuffer(1);
    handler.onMessage('text');
    handler.onMessage(bytes);
    ws.off('message');
    handler.onMessage('lost');
    expect(log).toEqual([
      ['message', undefined, 'text'],
      ['dataEnd', undefined],
      ['message', undefined, bytes],
      ['dataEnd', undefined],
    ]);
  });

  it('have full texts and empty buffers, but not in netstack (C32)', () => {
    for (const [profile, text, empty] of [
      [documented, 'x\0y', new ArrayBuffer(0)],
      [netstack, 'x', undefined],
    ] as const) {
      const { handler, log } = openClient(profile);
      handler.onMessage('x\0y');
      handler.onMessage(new ArrayBuffer(0));
      expect(log.filter(([event]) => event === 'message')).toEqual([
        ['message', undefined, text],
        ['message', undefined, empty],
      ]);
    }
  });

  it('of an abnormal end are error, then close; the object is free from close on', async () => {
    const { ws, handler, transport, log } = openClient();
    const attempts: unknown[] = [];
    ws.on('error', () => {
      ws.connect(url).catch((error) => attempts.push(error.code));
    });
    ws.on('close', (_error, { code, reason }) => {
      log.push([code, reason]);
      void ws.connect(url);
    });
    handler.onClosed(brokenClose);
    expect(log).toEqual([[0, 'The link is down']]);
    expect(transport.clients).toHaveLength(2);
    await settled();
    expect(attempts).toEqual([2302003]);
  });

  it('of a failed attempt let the handler connect again, with the same listeners', () => {
    const { ws, transport } = newClient();
    ws.on('error', () => void ws.connect(url));
    const onOpen = vi.fn();
    ws.on('open', onOpen);
    void ws.connect(url);
    transport.client.handler.onConnectFailed(0, failure);
    expect(transport.clients).toHaveLength(2);
    transport.client.handler.onOpened(openInfo);
    expect(onOpen).toHaveBeenCalledOnce();
  });

  it('call their listeners without this', () => {
    const { ws, handler } = openClient();
    const seen: unknown[] = [];
    const listener = function (this: unknown): void {
      seen.push(this);
    };
    ws.on('message', listener);
    ws.on('dataEnd', listener);
    ws.on('close', listener);
    handler.onMessage('x');
    handler.onClosed(cleanClose);
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('go on when a listener throws, and the exception is uncaught', async () => {
    const { ws, transport, log } = newClient();
    const fail = (): never => {
      throw new Error('of a listener');
    };
    for (const event of ['headerReceive', 'open', 'message', 'error'] as const) {
      (ws.on as (event: string, listener: () => never) => void).call(ws, event, fail);
    }
    void ws.connect(url);
    const { handler } = transport.client;
    const thrown = uncaughtExceptions(4);
    handler.onOpened(openInfo);
    handler.onMessage('x');
    handler.onClosed(brokenClose);
    expect((await thrown).map(String)).toEqual(Array(4).fill('Error: of a listener'));
    expect(log.map(([event]) => event)).toEqual(['openInfo', 'dataEnd', 'close']);
  });
});
