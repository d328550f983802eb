/** The shape of the interface (WebIDL of the WebSockets standard §3.1, §6): what a page can see without a server. */

import { CloseEvent, ErrorEvent, WebSocket } from 'ohos-websocket/w3c';
import { describe, expect, it } from 'vitest';
import { EVENTS, NOBODY, Socket } from './sockets.js';

const CONSTANTS = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
const ATTRIBUTES = ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'] as const;

describe('WebSocket', () => {
  it('is an EventTarget with its members on the prototype', () => {
    const { ws } = new Socket(NOBODY);
    expect(ws).toBeInstanceOf(EventTarget);
    expect(Object.prototype.toString.call(ws)).toBe('[object WebSocket]');
    expect(Object.keys(ws)).toEqual([]);
    const names = Object.keys(WebSocket.prototype).sort();
    const handlers = EVENTS.map((type) => `on${type}`);
    expect(names).toEqual(
      [...Object.keys(CONSTANTS), ...ATTRIBUTES, ...handlers, 'binaryType', 'close', 'send'].sort(),
    );
    expect(WebSocket.prototype.send.length).toBe(1);
    expect(WebSocket.prototype.close.length).toBe(0);
  });

  it.each(Object.entries(CONSTANTS))('%s is %i everywhere, for good', (name, value) => {
    const { ws } = new Socket(NOBODY);
    for (const object of [WebSocket, WebSocket.prototype]) {
      expect(Object.getOwnPropertyDescriptor(object, name)).toEqual({
        value,
        enumerable: true,
        writable: false,
        configurable: false,
      });
    }
    expect(Reflect.get(ws, name)).toBe(value);
    expect(Reflect.set(WebSocket, name, 5)).toBe(false);
    expect(Reflect.deleteProperty(WebSocket.prototype, name)).toBe(false);
  });

  it.each(ATTRIBUTES)('%s cannot be written or deleted', (name) => {
    const { ws } = new Socket(NOBODY);
    const before: unknown = Reflect.get(ws, name);
    expect(Reflect.set(ws, name, 'other')).toBe(false);
    Reflect.deleteProperty(ws, name);
    expect(Reflect.get(ws, name)).toBe(before);
    expect(() => Reflect.get(WebSocket.prototype, name)).toThrow(TypeError);
  });

  it('has binaryType blob, and ignores what is none', () => {
    const { ws } = new Socket(NOBODY);
    expect(ws.binaryType).toBe('blob');
    for (const wrong of ['notBlobOrArrayBuffer', 'Blob', '', null, 7]) {
      Reflect.set(ws, 'binaryType', wrong);
      expect(ws.binaryType).toBe('blob');
    }
    ws.binaryType = 'arraybuffer';
    expect(ws.binaryType).toBe('arraybuffer');
  });

  it('may be derived from', () => {
    class Derived extends WebSocket {
      readonly mine = 1;
    }
    const ws = new Derived(NOBODY);
    expect(ws).toBeInstanceOf(WebSocket);
    ws.close();
  });
});

describe('event handler attributes', () => {
  it.each(EVENTS)('on%s is null, a function, or an object that is not called', (type) => {
    const { ws } = new Socket(NOBODY);
    const name = `on${type}`;
    expect(Reflect.get(ws, name)).toBe(null);
    const handler = () => undefined;
    const object = { handleEvent: () => expect.unreachable() };
    for (const [set, read] of [
      [handler, handler],
      [2, null],
      [handler, handler],
      ['text', null],
      [object, object],
      [undefined, null],
      [null, null],
    ]) {
      Reflect.set(ws, name, set);
      expect(Reflect.get(ws, name)).toBe(read);
    }
    Reflect.set(ws, name, object);
    ws.dispatchEvent(new Event(type));
  });

  it('keep their place among the listeners while they are replaced', () => {
    const { ws } = new Socket(NOBODY);
    const calls: string[] = [];
    ws.addEventListener('open', () => calls.push('before'));
    ws.onopen = () => calls.push('replaced');
    ws.addEventListener('open', () => calls.push('after'));
    ws.onopen = () => calls.push('handler');
    ws.dispatchEvent(new Event('open'));
    expect(calls).toEqual(['before', 'handler', 'after']);
    // Set to null and back, it is a new one, the last.
    ws.onopen = null;
    ws.onopen = () => calls.push('again');
    calls.length = 0;
    ws.dispatchEvent(new Event('open'));
    expect(calls).toEqual(['before', 'after', 'again']);
  });

  it('are called on the socket with the event; false prevents', () => {
    const { ws } = new Socket(NOBODY);
    let seen: unknown[] = [];
    ws.onmessage = function (...args: unknown[]) {
      seen = [this, ...args];
      return false;
    };
    const event = new Event('message', { cancelable: true });
    expect(ws.dispatchEvent(event)).toBe(false);
    expect(seen).toEqual([ws, event]);
  });
});

describe('the events', () => {
  it('CloseEvent has defaults and keeps what it is given', () => {
    expect(new CloseEvent('close')).toMatchObject({ wasClean: false, code: 0, reason: '' });
    const init = { wasClean: true, code: 4000, reason: 'why', cancelable: true };
    const event = new CloseEvent('close', init);
    expect(event).toMatchObject({ type: 'close', ...init });
    expect(event).toBeInstanceOf(Event);
    expect(Object.prototype.toString.call(event)).toBe('[object CloseEvent]');
    expect(Reflect.set(event, 'code', 1)).toBe(false);
    expect(new CloseEvent('close', { code: 65_536 + 7 }).code).toBe(7);
  });

  it('ErrorEvent has defaults and keeps what it is given', () => {
    const error = new Error('why');
    expect(new ErrorEvent('error')).toMatchObject({ message: '', error: undefined });
    expect(new ErrorEvent('error', { message: 'why', error })).toMatchObject({
      message: 'why',
      error,
    });
  });
});
