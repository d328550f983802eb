/**
 * A client that says hello, shows the answer and leaves.
 */

import { webSocket } from 'ohos-websocket';

const client = webSocket.createWebSocket();

client.on('open', () => client.send('hello'));
client.on('message', (_error, data) => {
  console.log(`received ${data}`);
  client.close();
});
client.on('close', (_error, { code, reason }) => console.log(`closed: ${code} ${reason}`));
client.on('error', (error) => console.error(`failed: ${JSON.stringify(error)}`));

await client.connect(process.argv[2] ?? 'ws://127.0.0.1:8080/');
