/**
 * One server in several places: two addresses, and a socket file for this machine; with certificates by host
 * name, which SIGHUP reads again without anybody noticing.
 *
 *   node examples/listening.mjs SERVER.pem SERVER.key OTHER.pem OTHER.key SOCKET [port]
 */

import { webSocket } from 'ohos-websocket';

const [certPath, keyPath, otherCert, otherKey, path, port = '8443'] = process.argv.slice(2);
if (path === undefined) {
  console.error(
    'usage: node examples/listening.mjs SERVER.pem SERVER.key OTHER.pem OTHER.key SOCKET [port]',
  );
  process.exit(2);
}

const server = webSocket.createWebSocketServer();
server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
await server.start({
  listen: [
    { address: '127.0.0.1', port: Number(port), backlog: 1024 },
    { address: '127.0.0.2', port: Number(port) },
    { path, mode: 0o600 },
  ],
  serverCert: { certPath, keyPath },
  certificates: [
    { hosts: ['other.example', '*.other.example'], certPath: otherCert, keyPath: otherKey },
  ],
});
for (const place of server.listening)
  console.log('listening on', place.path ?? `${place.address}:${place.port}`);

process.on('SIGHUP', async () => {
  try {
    await server.reloadCertificates();
    console.log('certificates: read again');
  } catch (error) {
    console.log(`certificates: as they were, ${error.cause.detail}`);
  }
});
process.once('SIGINT', () => server.stop());
