/**
 * A client that goes through an HTTP proxy (CONNECT), says hello, shows the answer and leaves.
 *
 *   node examples/proxy.mjs URL PROXY           PROXY: http://user:password@host:port
 *   HTTP_PROXY=… node examples/proxy.mjs URL    the proxy of the environment, which is the default
 */

import { webSocket } from 'ohos-websocket';

const [url = 'ws://127.0.0.1:8080/', given] = process.argv.slice(2);

function proxyOf(text) {
  const { hostname, port, username, password } = new URL(text);
  return {
    host: hostname,
    port: Number(port || 80),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
    exclusionList: [], // Hosts to reach directly, as '*.example.com'.
  };
}

const client = webSocket.createWebSocket();
client.on('open', () => client.send('hello through the proxy'));
client.on('message', (_error, data) => {
  console.log(`received ${data}`);
  client.close();
});
client.on('error', ({ message }) => console.error(`failed: ${message}`));
await client.connect(url, { proxy: given === undefined ? 'system' : proxyOf(given) });
