/**
 * A process of the soak, by its role: `server` echoes with our server, `client` converses through our client, and
 * `peers` is what they meet: clients and an echo server of `ws`. It samples its memory and descriptors.
 */

import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { webSocket } from 'ohos-websocket';
import { WebSocket, WebSocketServer } from 'ws';
import { Conversations } from './conversations.mjs';

const SAMPLE_MS = 2000;
const role = process.argv[2];
const tell = (/** @type {object} */ what) => process.send?.(what);
const noConversations = { counts: {}, failures: [], stop: async () => {} };

/** @returns {import('./conversations.mjs').Open} */
function clientsOfWs(port) {
  return ({ path, compressed }) => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: compressed });
    const socket = {
      onMessage: () => {},
      send: (data) => new Promise((resolve) => ws.send(data, resolve)),
      closed: new Promise((resolve) => ws.once('close', () => resolve(undefined))),
      close: () => ws.close(),
      cut: () => ws.terminate(),
      rest(ms) {
        ws.pause();
        setTimeout(() => ws.resume(), ms);
      },
    };
    ws.on('message', (data, isBinary) => socket.onMessage(isBinary ? data : data.toString()));
    return new Promise((resolve, reject) => {
      ws.once('open', () => resolve(socket));
      ws.once('error', reject);
    });
  };
}

/** @returns {import('./conversations.mjs').Open} */
function clientsOfOurs(port) {
  return ({ path, compressed }) => {
    const client = webSocket.createWebSocket();
    const socket = {
      onMessage: () => {},
      send: (data) => client.send(data),
      closed: new Promise((resolve) => client.on('close', () => resolve(undefined))),
      close: () => void client.close().catch(() => {}),
    };
    client.on('message', (_error, data) => socket.onMessage(data));
    return new Promise((resolve, reject) => {
      client.on('open', () => resolve(socket));
      client.on('error', reject);
      const options = { permessageDeflate: compressed };
      client.connect(`ws://127.0.0.1:${port}${path}`, options).catch(reject);
    });
  };
}

async function serveWithOurs() {
  const server = webSocket.createWebSocketServer();
  server.on('connect', () => {});
  server.on('close', () => {});
  server.on('error', () => {});
  server.on('messageReceive', ({ data, clientConnection }) => {
    if (data === 'close me') server.close(clientConnection).catch(() => {});
    else server.send(data, clientConnection).catch(() => {});
  });
  await server.start({
    serverIP: '127.0.0.1',
    serverPort: 0,
    maxConcurrentClientsNumber: 1000,
    maxConnectionsForOneClient: 1000,
    permessageDeflate: true,
  });
  return { port: server.port, connections: async () => (await server.listAllConnections()).length };
}

function serveWithWs() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true });
  server.on('connection', (ws, request) => {
    // A slow reader: of every second it reads for two thirds.
    const rest = () => {
      ws.pause();
      setTimeout(() => ws.resume(), 300);
    };
    const resting = request.url === '/slow' ? setInterval(rest, 1000) : undefined;
    ws.on('close', () => clearInterval(resting));
    ws.on('error', () => {});
    ws.on('message', (data, isBinary) => {
      if (!isBinary && data.toString() === 'close me') ws.close();
      else ws.send(isBinary ? data : data.toString());
    });
  });
  return new Promise((resolve) => {
    server.on('listening', () => resolve({ port: server.address().port, connections: () => 0 }));
  });
}

const serving =
  role === 'server' ? await serveWithOurs() : role === 'peers' ? await serveWithWs() : undefined;
let conversations = noConversations;
const orders = {
  converse({ port }) {
    conversations = new Conversations(role === 'client' ? clientsOfOurs(port) : clientsOfWs(port));
  },
  async stop() {
    await conversations.stop();
    clearInterval(sampling);
    // Connections that ended on the other side are told a turn later.
    for (let n = 0; n < 50 && (await serving?.connections()) > 0; n++) await pause(100);
    const { counts, failures } = conversations;
    tell({ ended: { counts, failures, left: (await serving?.connections()) ?? 0 } });
  },
};
process.on('message', ({ order, ...argument }) => void orders[order](argument));
process.on('disconnect', () => process.exit());

const sampling = setInterval(() => {
  globalThis.gc();
  tell({
    sample: {
      bytes: process.memoryUsage().rss,
      descriptors: readdirSync('/proc/self/fd').length,
      counts: conversations.counts,
    },
  });
}, SAMPLE_MS);
tell({ ready: { port: serving?.port } });
