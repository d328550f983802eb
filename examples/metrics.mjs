/**
 * An echo server with what Prometheus reads, on a port of its own, and a line for whom it refuses.
 *
 *   node examples/metrics.mjs [port of the server, 8080] [port of the metrics, 9100]
 */

import { subscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import { webSocket } from 'ohos-websocket';
import { collectServer } from 'ohos-websocket/prometheus';
import { register } from 'prom-client';

const [port = '8080', metricsPort = '9100'] = process.argv.slice(2);

const server = webSocket.createWebSocketServer();
server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
subscribe('ohos-websocket:server.refuse', ({ clientIP, httpStatus, reason }) => {
  console.log(`refused ${clientIP}: ${httpStatus} ${reason}`);
});
collectServer(server, { server: 'echo' });
await server.start({
  serverIP: '127.0.0.1',
  serverPort: Number(port),
  limits: { connections: 2 },
});

const metrics = createServer(async (_request, response) => {
  response.setHeader('content-type', register.contentType);
  response.end(await register.metrics());
});
metrics.listen(Number(metricsPort), '127.0.0.1', () => {
  console.log(
    `server: ${server.port}  metrics: http://127.0.0.1:${metrics.address().port}/metrics`,
  );
});

process.once('SIGINT', async () => {
  metrics.close();
  metrics.closeAllConnections();
  await server.stop();
});
