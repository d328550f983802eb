/**
 * Child process of the test of D7: an echo server in a process that may open few descriptors. Told
 * `start`, it answers its port; told `exhausted`, it answers when no descriptor is left; told
 * `measure`, the CPU time that the process takes over a while in that state.
 */

import { closeSync, openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { webSocket } from 'ohos-websocket';

const MEASURE_MS = 1500;

/** @returns {boolean} */
function noneLeft() {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EMFILE';
  }
}

const server = webSocket.createWebSocketServer();
server.on('messageReceive', ({ data, clientConnection }) => {
  server.send(data, clientConnection);
});

/** @type {Record<string, () => Promise<object>>} */
const orders = {
  async start() {
    await server.start({
      serverIP: '127.0.0.1',
      serverPort: 0,
      maxConcurrentClientsNumber: 1000,
      maxConnectionsForOneClient: 1000,
    });
    return { port: server.port };
  },
  async exhausted() {
    while (!noneLeft()) await pause(10);
    return {};
  },
  async measure() {
    const cpu = process.cpuUsage();
    const from = performance.now();
    await pause(MEASURE_MS);
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1000, wallMs: performance.now() - from };
  },
};

process.on('message', async (order) => {
  const answer = await orders[String(order)]?.();
  process.send?.(answer ?? {});
});
process.on('disconnect', () => process.exit());
