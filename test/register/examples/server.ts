/**
 * What an application does with a server, an example for each call and event of the API page: the
 * platform's imports by their older names, nothing of this package. Each says what it sees.
 */

import type { BusinessError } from '@ohos.base';
import webSocket from '@ohos.net.webSocket';

type Say = (line: string) => void;

/** Starts as every example of the page does. */
function started(port: number, say: Say): webSocket.WebSocketServer {
  const config: webSocket.WebSocketServerConfig = {
    serverPort: port,
    maxConcurrentClientsNumber: 10,
    maxConnectionsForOneClient: 10,
  };
  const localServer = webSocket.createWebSocketServer();
  localServer
    .start(config)
    .then((success: boolean) => say(success ? 'started' : 'not started'))
    .catch((error: BusinessError) => say(`not started: ${error.code} ${error.message}`));
  return localServer;
}

export const serverExamples: Record<string, (port: number, say: Say) => webSocket.WebSocketServer> =
  {
    createWebSocketServer: () => {
      const ws: webSocket.WebSocketServer = webSocket.createWebSocketServer();
      return ws;
    },

    start: (port, say) => started(port, say),

    send: (port, say) => {
      const localServer = started(port, say);
      localServer.on('connect', async (connection: webSocket.WebSocketConnection) => {
        say(`connect: ${connection.clientIP}`);
        localServer
          .send("Hello, I'm server!", connection)
          .then((success: boolean) => say(success ? 'sent' : 'not sent'))
          .catch((error: BusinessError) => say(`not sent: ${error.code} ${error.message}`));
      });
      return localServer;
    },

    listAllConnections: (port, say) => {
      let connections: webSocket.WebSocketConnection[] = [];
      const localServer = started(port, say);
      localServer.on('connect', async (connection: webSocket.WebSocketConnection) => {
        say(`connect: ${connection.clientIP}`);
        try {
          connections = await localServer.listAllConnections();
          if (connections.length === 0) say('nobody');
          else say(`${connections.length} connected`);
        } catch (error) {
          say(`no list: ${(error as BusinessError).code}`);
        }
      });
      return localServer;
    },

    close: (port, say) => {
      const localServer = started(port, say);
      localServer.on('connect', (connection: webSocket.WebSocketConnection) => {
        say(`connect: ${connection.clientIP}`);
        localServer.close(connection).then((success: boolean) => {
          say(success ? 'closed' : 'not closed');
        });
      });
      return localServer;
    },

    stop: (port, say) => {
      const localServer = started(port, say);
      localServer.stop().then((success: boolean) => say(success ? 'stopped' : 'not stopped'));
      return localServer;
    },

    'every event': (port, say) => {
      const localServer = started(port, say);
      localServer.on('connect', (connection: webSocket.WebSocketConnection) => {
        say(`connect: ${connection.clientIP}`);
      });
      localServer.on('messageReceive', (message: webSocket.WebSocketMessage) => {
        say(`message of ${message.clientConnection.clientIP}: ${message.data}`);
      });
      localServer.on(
        'close',
        (client: webSocket.WebSocketConnection, closeReason: webSocket.CloseResult) => {
          say(`close of ${client.clientIP}: ${closeReason.code}`);
        },
      );
      localServer.on('error', (err: BusinessError) => say(`error: ${err.code}`));
      return localServer;
    },

    'off, every event': (port, say) => {
      const localServer = started(port, say);
      localServer.on('connect', () => say('connect'));
      localServer.off('connect');
      localServer.on('messageReceive', () => say('messageReceive'));
      localServer.off('messageReceive');
      localServer.on('close', () => say('close'));
      localServer.off('close');
      localServer.on('error', () => say('error'));
      localServer.off('error');
      return localServer;
    },
  };
