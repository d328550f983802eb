/**
 * One port, served by several worker threads: each has an engine of its own, and the kernel shares the
 * connections out among them (`reusePort`, Linux).
 *
 *   node examples/workers.mjs [port] [workers]
 */

import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads';
import { webSocket } from 'ohos-websocket';

if (isMainThread) await runMain();
else await runWorker(workerData);

async function runMain() {
  const [port = 8080, count = availableParallelism()] = process.argv.slice(2).map(Number);
  const workers = [];
  let shared = port;
  for (let i = 0; i < count; i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: shared });
    // The first one may choose; the others take the same port.
    shared = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    );
    workers.push(worker);
  }
  console.log(`${count} workers listen on port ${shared}`);
  process.once('SIGINT', () => {
    for (const worker of workers) worker.postMessage('stop');
  });
}

/** An echo server that says which thread it is. */
async function runWorker(port) {
  const server = webSocket.createWebSocketServer();
  server.on('messageReceive', ({ data, clientConnection }) => {
    server.send(`thread ${threadId}: ${data}`, clientConnection).catch(() => {});
  });
  await server.start({
    listen: [{ address: '127.0.0.1', port, reusePort: true }],
    maxConcurrentClientsNumber: 1000,
    maxConnectionsForOneClient: 1000,
  });
  parentPort.postMessage(server.port);
  parentPort.once('message', () => server.stop());
}
