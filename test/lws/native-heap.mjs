/**
 * Child process of the test of what a connection holds: a server. It tells its port, and then, for each message, how
 * many bytes of the C library's heap are resident.
 */

import { readFileSync } from 'node:fs';
import { webSocket } from 'ohos-websocket';

/** @returns {number} */
function heapBytes() {
  const [, , own = ''] = /^\S+ .*\[heap\]$([^[]*?)^Rss:\s+(\d+) kB$/m.exec(
    readFileSync('/proc/self/smaps', 'utf8'),
  ) ?? ['', '', ''];
  return Number(own) * 1024;
}

const server = webSocket.createWebSocketServer();
process.on('message', () => process.send?.(heapBytes()));
await server.start({
  serverIP: '127.0.0.1',
  serverPort: 0,
  maxConcurrentClientsNumber: 10_000,
  maxConnectionsForOneClient: 10_000,
});
process.send?.(server.port);
