import { webSocket as netstack } from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { moreCertificatesOfFile } from '../helpers/certificates.js';
import { growthBound, PATIENT } from '../helpers/deadline.js';
import { EventLog, TestClient, TestServer } from '../helpers/endpoints.js';
import { openBlocked, openClientPair, openServerPair } from '../helpers/pairs.js';
import {
  closeBody,
  type FrameSpec,
  Opcode,
  RawListener,
  RawPeer,
  readClose,
  upgradeRequest,
} from '../helpers/peers.js';

const certificates = moreCertificatesOfFile();

describe("D13 data behind the peer's close frame is not delivered", PATIENT, () => {
  const frames: FrameSpec[] = [
    { opcode: Opcode.text, payload: 'before' },
    { opcode: Opcode.close, payload: closeBody(1000, 'done') },
    { opcode: Opcode.text, payload: 'behind' },
    { opcode: Opcode.ping, payload: 'behind' },
  ];

  it('to a server', async () => {
    const { server, peer } = await openServerPair();

    peer.send(...frames);
    await server.nextClose();
    const { frames: answers } = await peer.readToEnd();
    const other = await RawPeer.open({ port: server.port });
    other.sendText('later');
    await server.log.count('messageReceive', 2);

    expect(server.log.names).toEqual([
      'connect',
      'messageReceive',
      'close',
      'connect',
      'messageReceive',
    ]);
    expect(answers.map(({ opcode }) => opcode)).toEqual([Opcode.close]);
  });

  it('to a client', async () => {
    const { client, peer } = await openClientPair();

    peer.send(...frames);
    await client.nextClose();
    const answer = await peer.expectClose();
    peer.halfClose();
    const { frames: more } = await peer.readToEnd();

    expect(answer).toEqual({ code: 1000, reason: 'done' });
    expect(more).toEqual([]);
    expect(client.log.values('message')).toEqual(['before']);
  });
});

describe('D15 an unmasked client frame ends the connection with 1002', PATIENT, () => {
  it.each([
    ['text', { opcode: Opcode.text, payload: 'x', mask: false }],
    ['an empty ping', { opcode: Opcode.ping, mask: false }],
    ['64 KiB', { opcode: Opcode.binary, payload: Buffer.alloc(65_536), mask: false }],
    ['a close frame', { opcode: Opcode.close, payload: closeBody(1000), mask: false }],
  ])('%s', async (_what, frame) => {
    const { server, peer } = await openServerPair();

    peer.send(frame);

    expect((await peer.expectClose()).code).toBe(1002);
    await peer.readToEnd();
    await server.nextClose();
    expect(server.log.names).not.toContain('messageReceive');
  });
});

describe('D30 a frame that announces 2^63-1 bytes', PATIENT, () => {
  it('takes no memory in advance and harms nobody', async () => {
    const { server, peer } = await openServerPair();
    const before = process.memoryUsage().rss;

    peer.send({
      opcode: Opcode.binary,
      payload: Buffer.alloc(100_000),
      announcedLength: 2n ** 63n - 1n,
    });
    peer.halfClose();
    await server.nextClose();

    expect(process.memoryUsage().rss - before).toBeLessThan(growthBound(100_000_000));
    await TestClient.open(server.url());
    expect(server.log.names).not.toContain('messageReceive');
  });
});

describe(
  'control-frames every ping is answered and every close code arrives as sent',
  PATIENT,
  () => {
    const count = 100;
    const payload = (i: number) => `ping ${i} `.repeat(12).slice(0, i % 126);

    it.each(['server', 'client'] as const)(
      'ping: every ping of one burst, to a %s',
      async (role) => {
        const peer =
          role === 'server' ? (await openServerPair()).peer : (await openClientPair()).peer;

        peer.send(
          ...Array.from({ length: count }, (_, i) => ({
            opcode: Opcode.ping,
            payload: payload(i),
          })),
        );

        for (let i = 0; i < count; i++) {
          const pong = await peer.expectFrame(Opcode.pong);
          expect(pong.payload.toString()).toBe(payload(i));
        }
      },
    );

    it('pings between and inside fragmented messages', async () => {
      const { server, peer } = await openServerPair();

      for (let i = 0; i < count; i++) {
        peer.send(
          { opcode: Opcode.text, fin: false, payload: `${i} ` },
          { opcode: Opcode.ping, payload: `a${i}` },
          { opcode: Opcode.continuation, fin: false, payload: 'x' },
          { opcode: Opcode.pong, payload: 'unasked' },
          { opcode: Opcode.ping, payload: `b${i}` },
          { opcode: Opcode.continuation, payload: 'y' },
        );
      }

      for (let i = 0; i < count; i++) {
        expect((await peer.expectFrame(Opcode.pong)).payload.toString()).toBe(`a${i}`);
        expect((await peer.expectFrame(Opcode.pong)).payload.toString()).toBe(`b${i}`);
        expect((await server.nextMessage()).data).toBe(`${i} xy`);
      }
    });

    it('pongs go between the messages of a large queue, never into one', async () => {
      const { server, peer, connection } = await openServerPair();
      peer.stopReading();
      for (let i = 0; i < 20; i++) void server.server.send(Buffer.alloc(1_000_000, i), connection);
      for (let i = 0; i < 10; i++) peer.send({ opcode: Opcode.ping, payload: `${i}` });
      // The engine has seen the pings when it delivers what came behind them.
      peer.sendText('behind the pings');
      await server.nextMessage();
      peer.readOn();

      const pongs: string[] = [];
      let messages = 0;
      while (pongs.length < 10 || messages < 20) {
        const frame = await peer.readFrame();
        if (frame.opcode === Opcode.pong) pongs.push(frame.payload.toString());
        else expect(frame.payload.equals(Buffer.alloc(1_000_000, messages++))).toBe(true);
      }

      expect(pongs).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
    });

    it.each([1012, 1013, 1014])('close code %i, to a client and to a server', async (code) => {
      const { client, peer } = await openClientPair();
      peer.sendClose(code, 'as sent');
      expect(await client.nextClose()).toEqual({ code, reason: 'as sent' });
      expect(await peer.expectClose()).toEqual({ code, reason: 'as sent' });

      const pair = await openServerPair();
      pair.peer.sendClose(code, 'as sent');
      expect(await pair.server.nextClose()).toMatchObject({ code, reason: 'as sent' });
      expect(await pair.peer.expectClose()).toEqual({ code, reason: 'as sent' });
    });
  },
);

describe('established-bytes frames that come with the handshake are not lost', PATIENT, () => {
  // Whole frames, and the first half of one whose rest follows.
  const frames: FrameSpec[] = [
    { opcode: Opcode.text, payload: 'first' },
    { opcode: Opcode.text, payload: 'second, in two halves' },
  ];

  it('to a server', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });
    const bytes = peer.encode(frames);
    const half = bytes.length - 9;

    peer.write(Buffer.concat([Buffer.from(upgradeRequest()), bytes.subarray(0, half)]));
    expect((await peer.readHead()).status).toBe(101);
    await server.log.next('messageReceive');
    peer.write(bytes.subarray(half));
    await server.log.count('messageReceive', 2);

    expect(
      server.log.values('messageReceive').map((message) => (message as { data: string }).data),
    ).toEqual(frames.map(({ payload }) => payload));
  });

  it('to a client', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    const connected = client.connect(listener.url());
    const peer = await listener.accept();

    await peer.acceptUpgrade({ frames });
    await connected;
    await client.log.count('message', 2);

    expect(client.log.values('message')).toEqual(frames.map(({ payload }) => payload));
  });
});

describe(
  'bytes-behind-request: what comes in one packet with the request stays as it is',
  PATIENT,
  () => {
    it.each([
      ['plain', false],
      ['over TLS', true],
    ])('%s', async (_what, isTls) => {
      const server = await TestServer.start(isTls ? { serverCert: certificates.server } : {});
      const tls = isTls ? { tls: { rejectUnauthorized: false } } : {};
      await expectAsSent(server.port, tls, server.log);
    });

    it("in netstack's profile", async () => {
      const server = netstack.createWebSocketServer();
      onTestFinished(() => server.stop().then(() => undefined));
      const log = new EventLog('server');
      server.on('messageReceive', (message) => log.add('messageReceive', [message]));
      await server.start({
        serverIP: '127.0.0.1',
        serverPort: 0,
        maxConcurrentClientsNumber: 5,
        maxConnectionsForOneClient: 5,
      });
      await expectAsSent(server.port as number, {}, log);
    });

    async function expectAsSent(port: number, tls: object, log: EventLog) {
      // Long enough to lie under the answer wherever that is built.
      for (const size of [100, 400, 3000]) {
        const peer = await RawPeer.connect({ port, ...tls });
        const payload = Buffer.alloc(size, 'x');
        const frames = peer.encode([{ opcode: Opcode.binary, payload }]);

        peer.write(Buffer.concat([Buffer.from(upgradeRequest()), frames]));

        const { data } = await log.value<{ data: ArrayBuffer }>('messageReceive');
        expect(Buffer.from(data).equals(payload)).toBe(true);
      }
    }
  },
);

describe('violation the peer gets 1002 and the end is reported at once', PATIENT, () => {
  describe.each(['server', 'client'] as const)('of our %s', (role) => {
    it('behind what was queued for a peer that does not read', async () => {
      const { peer, send, nextClose } = await openBlocked(role);
      for (let n = 0; n < 60; n++) void send(Buffer.alloc(500_000, n)).catch(() => {});

      peer.send({ opcode: 3 }, { opcode: Opcode.text, payload: 'ignored' });

      expect((await nextClose()).code).toBe(0);
      peer.readOn();
      const { frames } = await peer.readToEnd();
      const last = frames.pop();
      expect(last && readClose(last).code).toBe(1002);
      for (const { opcode } of frames) expect(opcode).toBe(Opcode.binary);
    });
  });
});
