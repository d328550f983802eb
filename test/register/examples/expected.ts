/** What the examples say when they work, in which profile, and what their peers do. */

export type Profile = 'documented' | 'netstack';

const connected = ['connected: true'];
const opened = [...connected, 'open: 101 Switching Protocols'];
const parameter = '401 Parameter error';
const other = '2302999 Websocket Unknown Other Error';

/** The lines of each client example, in this order. */
export function clientLines(profile: Profile): Readonly<Record<string, readonly string[]>> {
  const isStrict = profile === 'netstack';
  return {
    createWebSocket: [],
    'connect with a callback': connected,
    'connect with options that are undefined': isStrict
      ? [`not connected: ${parameter}`]
      : connected,
    'connect with options': connected,
    'connect with a promise': connected,
    'send with a callback': [...opened, 'sent: true'],
    'send with a promise': [...opened, 'sent: true'],
    'close with a callback': [`not closed: ${other}`],
    'close with options that are undefined': [`not closed: ${isStrict ? parameter : other}`],
    'close with a promise': [
      'not closed: {"code":2302999,"message":"Websocket Unknown Other Error"}',
    ],
    'on and off, every event': [],
    'a whole conversation': [
      'headers: websocket',
      'open',
      'message: Hello, server!',
      'dataEnd',
      'close: 1000 your reason',
    ],
  };
}

/** The lines of each server example; a client connects, says hello and goes once it is answered. */
export const serverLines: Readonly<Record<string, readonly string[]>> = {
  createWebSocketServer: [],
  start: ['started'],
  send: ['started', 'connect: 127.0.0.1', 'sent'],
  listAllConnections: ['started', 'connect: 127.0.0.1', '1 connected'],
  close: ['started', 'connect: 127.0.0.1', 'closed'],
  stop: ['started', 'stopped'],
  'every event': [
    'started',
    'connect: 127.0.0.1',
    'message of 127.0.0.1: hello',
    'close of 127.0.0.1: 1000',
  ],
  'off, every event': ['started'],
};
