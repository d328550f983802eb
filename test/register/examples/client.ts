/**
 * What an application does with a client, an example for each call and event of the API page: the
 * platform's imports, nothing of this package. Each says what it sees and returns its endpoint.
 */

import type { BusinessError, Callback } from '@kit.BasicServicesKit';
import { type connection, webSocket } from '@kit.NetworkKit';

type Say = (line: string) => void;

/** Options that an application declared and never set. */
let noOptions: webSocket.WebSocketRequestOptions | undefined;
let noCloseOptions: webSocket.WebSocketCloseOptions | undefined;

export const clientExamples: Record<string, (url: string, say: Say) => webSocket.WebSocket> = {
  createWebSocket: () => {
    const ws: webSocket.WebSocket = webSocket.createWebSocket();
    return ws;
  },

  'connect with a callback': (url, say) => {
    const ws = webSocket.createWebSocket();
    ws.connect(url, (err: BusinessError, value: boolean) => {
      if (!err) say(`connected: ${value}`);
      else say(`not connected: ${err.code} ${err.message}`);
    });
    return ws;
  },

  'connect with options that are undefined': (url, say) => {
    const ws = webSocket.createWebSocket();
    ws.connect(url, noOptions, (err: BusinessError, value: object | boolean) => {
      if (!err) say(`connected: ${value}`);
      else say(`not connected: ${err.code} ${err.message}`);
    });
    return ws;
  },

  'connect with options': (url, say) => {
    const ws = webSocket.createWebSocket();
    const proxy: connection.HttpProxy = { host: '', port: 0, exclusionList: [] };
    const options: webSocket.WebSocketRequestOptions = {
      header: { name1: 'value1', name2: 'value2' },
      caPath: '',
      proxy,
      minSupportTlsProtocol: webSocket.TlsProtocol.TLS_V_1_1,
    };
    ws.connect(url, options, (err: BusinessError, value: object | boolean) => {
      if (!err) say(`connected: ${value}`);
      else say(`not connected: ${err.code} ${err.message}`);
    });
    return ws;
  },

  'connect with a promise': (url, say) => {
    const ws = webSocket.createWebSocket();
    const promise = ws.connect(url);
    promise
      .then((value: boolean) => say(`connected: ${value}`))
      .catch((err: string) => say(`not connected: ${JSON.stringify(err)}`));
    return ws;
  },

  'send with a callback': (url, say) => {
    const ws = webSocket.createWebSocket();
    ws.connect(url, (err: BusinessError, value: boolean) => {
      say(err ? `not connected: ${err.code}` : `connected: ${value}`);
    });
    ws.on('open', (_err: BusinessError, value: object) => {
      say(`open: ${(value as OutValue).status} ${(value as OutValue).message}`);
      ws.send('Hello, server!', (err: BusinessError, sent: boolean) => {
        if (!err) say(`sent: ${sent}`);
        else say(`not sent: ${err.code} ${err.message}`);
      });
    });
    return ws;
  },

  'send with a promise': (url, say) => {
    const ws = webSocket.createWebSocket();
    ws.connect(url, (err: BusinessError, value: boolean) => {
      say(err ? `not connected: ${err.code}` : `connected: ${value}`);
    });
    ws.on('open', (_err: BusinessError, value: object) => {
      say(`open: ${(value as OutValue).status} ${(value as OutValue).message}`);
      const promise = ws.send('Hello, server!');
      promise
        .then((sent: boolean) => say(`sent: ${sent}`))
        .catch((err: string) => say(`not sent: ${JSON.stringify(err)}`));
    });
    return ws;
  },

  'close with a callback': (_url, say) => {
    const ws = webSocket.createWebSocket();
    ws.close((err: BusinessError) => {
      if (!err) say('closed');
      else say(`not closed: ${err.code} ${err.message}`);
    });
    return ws;
  },

  'close with options that are undefined': (_url, say) => {
    const ws = webSocket.createWebSocket();
    ws.close(noCloseOptions, (err: BusinessError) => {
      if (!err) say('closed');
      else say(`not closed: ${err.code} ${err.message}`);
    });
    return ws;
  },

  'close with a promise': (_url, say) => {
    const ws = webSocket.createWebSocket();
    const promise = ws.close();
    promise
      .then(() => say('closed'))
      .catch((err: string) => say(`not closed: ${JSON.stringify(err)}`));
    return ws;
  },

  'on and off, every event': (_url, say) => {
    const ws = webSocket.createWebSocket();
    const opened = (_err: BusinessError, value: object) => say(`open: ${value}`);
    const ended: Callback<void> = () => say('dataEnd');
    ws.on('open', opened);
    ws.off('open', opened);
    ws.on('message', (_err: BusinessError<void>, value: string | ArrayBuffer) => say(`${value}`));
    ws.off('message');
    ws.on('close', (_err: BusinessError, value: webSocket.CloseResult) => say(value.reason));
    ws.off('close');
    ws.on('error', (err: BusinessError) => say(`error: ${err.code} ${err.message}`));
    ws.off('error');
    ws.on('dataEnd', ended);
    ws.off('dataEnd');
    ws.on('headerReceive', (data) => say(JSON.stringify(data)));
    ws.off('headerReceive');
    return ws;
  },

  'a whole conversation': (url, say) => {
    const ws = webSocket.createWebSocket();
    ws.on('headerReceive', (data) => say(`headers: ${data['upgrade']}`));
    ws.on('open', () => {
      say('open');
      ws.send('Hello, server!');
    });
    ws.on('message', (_err: BusinessError<void>, value: string | ArrayBuffer) => {
      say(`message: ${value}`);
      ws.close({ code: 1000, reason: 'your reason' });
    });
    ws.on('dataEnd', () => say('dataEnd'));
    ws.on('close', (_err: BusinessError, value: webSocket.CloseResult) => {
      say(`close: ${value.code} ${value.reason}`);
    });
    ws.on('error', (err: BusinessError) => say(`error: ${err.code}`));
    ws.connect(url);
    return ws;
  },
};

interface OutValue {
  status: number;
  message: string;
}
