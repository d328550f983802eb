// What every consumer of the packed package does: an echo server and a client, text and binary, ws and wss.
// SMOKE_CERTIFICATE and SMOKE_KEY name a self-signed certificate of 127.0.0.1. The last line is `smoke ok …`.
const DEADLINE_MS = 30_000;

/** `ohos` is what `import * as` or `require` of the package gives. */
async function smoke(ohos) {
  const timer = setTimeout(() => {
    console.error('smoke: no end in sight');
    process.exit(1);
  }, DEADLINE_MS);
  const { SMOKE_CERTIFICATE: certPath, SMOKE_KEY: keyPath } = process.env;
  await exchange(ohos, 'ws', {}, {});
  await exchange(ohos, 'wss', { serverCert: { certPath, keyPath } }, { caPath: certPath });
  clearTimeout(timer);
  const { package: version, addon, lws, openssl } = ohos.versions;
  console.log(`smoke ok: ${version}, addon ${addon}, lws ${lws}, OpenSSL ${openssl}`);
}

/** OpenHarmony's own server wants them given. */
const limits = { maxConcurrentClientsNumber: 10, maxConnectionsForOneClient: 10 };

async function exchange({ createWebSocket, createWebSocketServer }, scheme, config, options) {
  const server = createWebSocketServer();
  server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
  await server.start({ serverIP: '127.0.0.1', serverPort: 0, ...limits, ...config });

  const client = createWebSocket();
  const sent = [
    `hello over ${scheme}`,
    new Uint8Array([0, 1, 254, 255]).buffer,
    'x'.repeat(200_000),
  ];
  const received = [];
  await new Promise((resolve, reject) => {
    client.on('error', reject);
    client.on('message', (_error, data) => {
      received.push(data);
      if (received.length === sent.length) client.close();
    });
    client.on('close', resolve);
    client.on('open', () => {
      for (const data of sent) client.send(data);
    });
    client.connect(`${scheme}://127.0.0.1:${server.port}/`, options).catch(reject);
  });
  await server.stop();
  const plain = (data) => (typeof data === 'string' ? data : Buffer.from(data).toString('hex'));
  if (JSON.stringify(received.map(plain)) !== JSON.stringify(sent.map(plain))) {
    throw new Error(`smoke: another echo over ${scheme}`);
  }
}

module.exports = smoke;
