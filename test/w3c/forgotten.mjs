// A program that keeps no reference to its WebSockets: one open, one still connecting, one that has ended.
// Ends by itself, with nothing to stop it but that nothing is open any more. Needs --expose-gc.

import { setImmediate as turn } from 'node:timers/promises';
import { webSocket } from 'ohos-websocket';
import { WebSocket } from 'ohos-websocket/w3c';

const server = webSocket.createWebSocketServer();
const connected = new Promise((resolve) => server.on('connect', resolve));
await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
const url = `ws://127.0.0.1:${server.port}/`;

const heard = [];
let ended;
const all = new Promise((resolve) => {
  const hear = (what) => {
    heard.push(what);
    if (heard.length === 2) resolve();
  };
  (() => {
    new WebSocket(url).onmessage = ({ data }) => hear(data);
    const failing = new WebSocket('ws://nowhere.invalid/');
    failing.onclose = ({ code }) => hear(code);
    ended = new WeakRef(failing);
  })();
});

globalThis.gc();
const connection = await connected;
globalThis.gc();
await server.send('hello', connection);
await all;
for (let n = 0; n < 20 && ended.deref(); n++) {
  await turn();
  globalThis.gc();
}
console.log(JSON.stringify({ heard: heard.sort(), freed: ended.deref() === undefined }));
await server.stop();
