// Compiled with moduleResolution node16 (as an ES module and as CommonJS) and bundler, libraries checked too.
import type defaultExport from 'ohos-websocket';
import { BusinessError, createWebSocket, versions, webSocket } from 'ohos-websocket';
import { createWebSocketServer, dangerouslyUseNetstackTls } from 'ohos-websocket/parity';

const client: webSocket.WebSocket = createWebSocket();
const options: webSocket.WebSocketRequestOptions = {
  header: { 'x-token': 'abc' },
  pingInterval: 30,
};
client.on('message', (_error, data: string | ArrayBuffer) => console.log(data));
client.on('error', (error) => console.log(error.code satisfies number));
const connected: Promise<boolean> = client.connect('ws://127.0.0.1:1/', options);
connected.catch((error: unknown) => error instanceof BusinessError && error.code);

const server: webSocket.WebSocketServer = createWebSocketServer();
const port: number | undefined = server.port;
const same: typeof defaultExport = webSocket;
// @ts-expect-error: the URL is a string
client.connect(1);

export { dangerouslyUseNetstackTls, port, same, versions };
