/**
 * The public types, as application code uses them: the examples of the API page must compile as
 * they are. Checked by the compiler; what runs here only keeps the runner content.
 */

import type { AsyncCallback, BusinessError, Callback, webSocket } from 'ohos-websocket';
import { expectTypeOf, it } from 'vitest';

declare const api: typeof webSocket;

class OutValue {
  status = 0;
  message = '';
}

/** Client examples. Never called. */
function client(): void {
  const ws: webSocket.WebSocket = api.createWebSocket();
  const options: webSocket.WebSocketRequestOptions = {
    minSupportTlsProtocol: api.TlsProtocol.TLS_V_1_1,
    header: { name1: 'value1' },
  };
  options.caPath = '';
  ws.connect('ws://', (err: BusinessError, value: boolean) => [err.code, value]);
  ws.connect('ws://', options, (err: BusinessError, value: unknown) => [err.message, value]);
  ws.connect('ws://', options).catch((err: string) => JSON.stringify(err));
  void ws.connect('ws://').then((value: boolean) => value);

  ws.send('Hello, server!', (err: BusinessError, value: boolean) => [err, value]);
  void ws.send(new ArrayBuffer(1)).then((value: boolean) => value);
  ws.close((err: BusinessError) => err);
  const closing: webSocket.WebSocketCloseOptions = { code: 1000, reason: 'your reason' };
  ws.close(closing, (err: BusinessError) => err);
  void ws.close();

  const onOpen: AsyncCallback<object> = (_err, value) => (value as OutValue).status;
  ws.on('open', onOpen);
  ws.off('open', onOpen);
  ws.on('open', (_err: BusinessError, value: object) => (value as OutValue).message);
  ws.on('openInfo', (_err, value: webSocket.WebSocketOpenInfo) => value.protocol);
  ws.on('message', (_err: BusinessError<void>, value: string | ArrayBuffer) => value);
  ws.on('close', (_err: BusinessError, value: webSocket.CloseResult) => value.code + value.reason);
  ws.on('error', (err: BusinessError) => `${err.code} ${err.message}`);
  ws.on('error', (err) => expectTypeOf(err.data).toEqualTypeOf<string>());
  ws.on('dataEnd', () => {});
  ws.on('headerReceive', (data) => JSON.stringify(data['set-cookie']));
  ws.off('error');

  // @ts-expect-error no such event
  ws.on('once', () => {});
  // @ts-expect-error the page knows no number here
  ws.send(5);
}

/** Server examples. Never called. */
async function server(): Promise<void> {
  const localServer: webSocket.WebSocketServer = api.createWebSocketServer();
  const config: webSocket.WebSocketServerConfig = {
    serverPort: 8080,
    maxConcurrentClientsNumber: 10,
    maxConnectionsForOneClient: 10,
    serverCert: { certPath: '', keyPath: '' },
  };
  await localServer.start(config).then((success: boolean) => success);
  let connections: webSocket.WebSocketConnection[] = [];
  const onConnect: Callback<webSocket.WebSocketConnection> = async (connection) => {
    await localServer.send("Hello, I'm server!", connection);
    connections = await localServer.listAllConnections();
    await localServer.close(connection);
    await localServer.close(connection, { code: 1001 });
  };
  localServer.on('connect', onConnect);
  localServer.off('connect', onConnect);
  localServer.on('messageReceive', (message: webSocket.WebSocketMessage) => message.data);
  const onClose: webSocket.ClientConnectionCloseCallback = (client, closeReason) =>
    `${client.clientIP} ${closeReason.code} ${closeReason.reason}`;
  localServer.on('close', onClose);
  localServer.on('error', (err: BusinessError) => `${err.code} ${err.message} ${connections}`);
  await localServer.stop();
}

it('are types', () => {
  expectTypeOf(client).returns.toBeVoid();
  expectTypeOf(server).returns.resolves.toBeVoid();
  type Options = webSocket.WebSocketRequestOptions;
  expectTypeOf<Options['minSupportTlsProtocol']>().toEqualTypeOf<
    webSocket.TlsProtocol | undefined
  >();
  expectTypeOf<webSocket.ProxyConfiguration>()
    .extract<string>()
    .toEqualTypeOf<'system' | 'no-proxy'>();
  expectTypeOf<webSocket.ResponseHeaders>().toEqualTypeOf<{
    [k: string]: string | string[] | undefined;
  }>();
});
