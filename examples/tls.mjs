/**
 * wss with a certificate of one's own CA: a server, and a client that trusts this CA alone.
 *
 *   node examples/tls.mjs CA.pem SERVER.pem SERVER.key      the certificate is for `localhost`
 */

import { webSocket } from 'ohos-websocket';

const [caPath, certPath, keyPath] = process.argv.slice(2);
if (keyPath === undefined) {
  console.error('usage: node examples/tls.mjs CA.pem SERVER.pem SERVER.key');
  process.exit(2);
}

const server = webSocket.createWebSocketServer();
server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
await server.start({ serverIP: '127.0.0.1', serverPort: 0, serverCert: { certPath, keyPath } });
const url = `wss://localhost:${server.port}/`;

// Without `caPath` the system's certificates count, and this one is unknown.
const distrustful = webSocket.createWebSocket();
const refused = new Promise((resolve) => distrustful.on('error', resolve));
await distrustful.connect(url);
console.log(`without the CA: ${(await refused).message}`);

const client = webSocket.createWebSocket();
client.on('open', () => client.send('over TLS'));
client.on('message', async (_error, data) => {
  console.log(`with the CA: ${data}`);
  await client.close();
});
client.on('close', () => server.stop());
await client.connect(url, { caPath, minSupportTlsProtocol: webSocket.TlsProtocol.TLS_V_1_3 });
