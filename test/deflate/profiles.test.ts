/**
 * permessage-deflate is off unless it is asked for, and the netstack profile, which knows no
 * extensions, neither offers nor accepts it whatever it is asked for (`compresses`).
 */

import { webSocket as parity } from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { within } from '../helpers/deadline.js';
import { TestClient, TestServer } from '../helpers/endpoints.js';
import { Opcode, RawListener, RawPeer, Rsv } from '../helpers/peers.js';
import { deflated } from './raw-deflate.js';

const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate';

describe('without the option', () => {
  it.each([[{}], [{ permessageDeflate: false }], [{ permessageDeflate: undefined }]])(
    'nothing is offered and offers are declined (%j)',
    async (option) => {
      const listener = await RawListener.listen();
      const client = new TestClient();
      await client.connect(listener.url(), option);
      const request = await (await listener.accept()).acceptUpgrade();
      expect(request.header('sec-websocket-extensions')).toBeUndefined();

      const server = await TestServer.start(option);
      const peer = await RawPeer.connect(server);
      const answer = await peer.upgrade({ extra: [OFFER] });
      expect(answer.header('sec-websocket-extensions')).toBeUndefined();
      peer.send({ opcode: Opcode.text, rsv: Rsv.one, payload: deflated('x') });
      expect((await peer.expectClose()).code).toBe(1002);
    },
  );

  it('a long offer does no harm', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect(server);
    const answer = await peer.upgrade({ extra: [`${OFFER}${'; x=y'.repeat(1000)}`] });

    expect(answer.header('sec-websocket-extensions')).toBeUndefined();
  });

  it('an answer with the extension ends the attempt', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());
    await (await listener.accept()).acceptUpgrade({ extra: [OFFER] });

    expect(await client.nextError()).toMatchObject({ code: 200, data: '101' });
    expect(client.log.names).toEqual(['error']);
  });
});

describe('in the netstack profile', () => {
  it('a client offers nothing', async () => {
    const listener = await RawListener.listen();
    const client = parity.createWebSocket();
    onTestFinished(() => client.close().then(ignore, ignore));
    await client.connect(listener.url(), { permessageDeflate: true });
    const request = await (await listener.accept()).acceptUpgrade();

    expect(request.header('sec-websocket-extensions')).toBeUndefined();
  });

  it('a server accepts nothing', async () => {
    const server = parity.createWebSocketServer();
    onTestFinished(() => within(server.stop(), 'a server to stop').then(ignore));
    await server.start({
      serverIP: '127.0.0.1',
      serverPort: 0,
      maxConcurrentClientsNumber: 1,
      maxConnectionsForOneClient: 1,
      permessageDeflate: true,
    });
    const peer = await RawPeer.connect({ port: server.port as number });
    const answer = await peer.upgrade({ extra: [OFFER] });

    expect(answer.header('sec-websocket-extensions')).toBeUndefined();
  });

  it('the option is not even looked at', async () => {
    const listener = await RawListener.listen();
    const client = parity.createWebSocket();
    onTestFinished(() => client.close().then(ignore, ignore));

    const wrong = { permessageDeflate: 'yes' } as object;
    expect(await within(client.connect(listener.url(), wrong), 'connect')).toBe(true);
  });
});

function ignore(): void {}
