/**
 * Both sides show certificates: a server that demands one of clients, a client that has one, and one that has not.
 *
 *   node examples/mtls.mjs CA.pem SERVER.pem SERVER.key CLIENT.pem CLIENT.key
 *
 * The certificate of the server is for `localhost`; the CA has issued both.
 */

import { webSocket } from 'ohos-websocket';

const [caPath, certPath, keyPath, clientCertPath, clientKeyPath] = process.argv.slice(2);
if (clientKeyPath === undefined) {
  console.error('usage: node examples/mtls.mjs CA.pem SERVER.pem SERVER.key CLIENT.pem CLIENT.key');
  process.exit(2);
}

const server = webSocket.createWebSocketServer();
server.on('connect', (connection) => {
  const [, name] = /CN=(.*)/.exec(connection.clientCertificate.subject) ?? [];
  server.send(`hello ${name}`, connection);
});
await server.start({
  serverIP: '127.0.0.1',
  serverPort: 0,
  serverCert: { certPath, keyPath },
  clientCertificates: 'demand',
  caPath,
});
const url = `wss://localhost:${server.port}/`;

const nobody = webSocket.createWebSocket();
const refused = new Promise((resolve) => nobody.on('error', resolve));
await nobody.connect(url, { caPath });
console.log(`without a certificate: ${(await refused).message}`);

const client = webSocket.createWebSocket();
client.on('message', async (_error, data) => {
  console.log(`with one: ${data}`);
  await client.close();
});
client.on('close', () => server.stop());
await client.connect(url, {
  caPath,
  clientCert: { certPath: clientCertPath, keyPath: clientKeyPath },
});
