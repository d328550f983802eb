/**
 * Tells everybody who connects what a server does: a snapshot at once and every second, and its
 * events as they happen. Nothing is asked and nothing is listened to while nobody looks.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { webSocket } from 'ohos-websocket';

const EVERY_MS = 1000;
const channels = ['open', 'close', 'refuse', 'error', 'backpressure'];

/**
 * @param {webSocket.WebSocketServer} watched
 * @param {{ host: string, origin: string }} options `origin`: that of the page that may connect
 */
export async function startFeed(watched, { host, origin }) {
  const feed = webSocket.createWebSocketServer();
  const viewers = new Set();
  let timer;

  const tell = (message) => {
    const text = JSON.stringify(message);
    // One that is leaving is no reason to stop.
    for (const viewer of viewers) feed.send(text, viewer).catch(() => {});
  };
  const tellStats = async () => {
    const stats = await watched.stats().catch(() => undefined);
    if (stats !== undefined) tell({ kind: 'stats', at: Date.now(), stats });
  };
  const tellEvent = ({ server, connection, error, ...details }, name) => {
    if (server !== watched) return;
    const who = connection && `${connection.clientIP}:${connection.clientPort}`;
    const what = error?.message;
    tell({ kind: 'event', at: Date.now(), name: name.split('.').at(-1), who, what, ...details });
  };

  const begin = () => {
    for (const channel of channels) subscribe(`ohos-websocket:server.${channel}`, tellEvent);
    timer = setInterval(tellStats, EVERY_MS);
  };
  const end = () => {
    for (const channel of channels) unsubscribe(`ohos-websocket:server.${channel}`, tellEvent);
    clearInterval(timer);
  };

  feed.on('connect', (viewer) => {
    viewers.add(viewer);
    if (viewers.size === 1) begin();
    tellStats();
  });
  feed.on('close', (viewer) => {
    viewers.delete(viewer);
    if (viewers.size === 0) end();
  });
  await feed.start({
    serverIP: host,
    serverPort: 0,
    allowedOrigins: [origin],
    maxConnectionsForOneClient: 100,
    backPressure: 'close', // a viewer that does not read is none
  });
  return feed;
}
