/**
 * Proves that what bare libwebsockets 4.3.5 does wrong does not reach our users. A test for each
 * defect, named as the files in `native/patches` name them, or by the rule of ours that avoids the
 * defect; each shows from outside what the defect would look like. The peers are raw, since no decent
 * peer does these things.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Certificates, makeCertificates } from '../helpers/certificates.js';
import {
  blockJavaScript,
  Changes,
  growthBound,
  PATIENT,
  plainEnvironment,
  poll,
  VERY_PATIENT,
} from '../helpers/deadline.js';
import { type EventLog, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { Flooder } from '../helpers/flooder.js';
import {
  closeBody,
  type FrameSpec,
  Opcode,
  RawListener,
  RawPeer,
  readClose,
  SAMPLE_KEY,
  upgradeRequest,
} from '../helpers/peers.js';

const onLinux = process.platform === 'linux';

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());

describe(
  'D2 a wss connection survives receive flow control with frames pending',
  VERY_PATIENT,
  () => {
    // Small frames, many in one TLS record and more than all buffers of ours hold, while JavaScript
    // stands still: decrypted bytes wait in TLS and in the read buffer when reading is switched off.
    const flood = {
      count: 300_000,
      framesPerWrite: 250,
      content: { kind: 'numbered', size: 50 },
    } as const;

    it('as a server', async () => {
      const server = new TestServer({ without: ['messageReceive'] });
      const numbers = new NumberedReceiver();
      server.server.on('messageReceive', ({ data }) => numbers.take(data));
      await server.start({ serverCert: certificates.server });
      const flooder = new Flooder({
        ...flood,
        role: 'client',
        port: server.port,
        tls: { caPath: certificates.caPath },
      });
      await flooder.open;

      flooder.go();

      await numbers.finished(server.log);
      expect(numbers.received).toBe(flood.count);
      expect(server.log.names).toEqual(['connect']);
    });

    it('as a client', async () => {
      const flooder = new Flooder({ ...flood, role: 'server', tls: certificates.server });
      const client = new TestClient({ without: ['message', 'dataEnd'] });
      const numbers = new NumberedReceiver();
      client.ws.on('message', (_error, data) => numbers.take(data));
      await client.open(`wss://localhost:${await flooder.port}/`, { caPath: certificates.caPath });
      await flooder.open;

      flooder.go();

      await numbers.finished(client.log);
      expect(numbers.received).toBe(flood.count);
      expect(client.log.names).toEqual(['headerReceive', 'open', 'openInfo']);
    });

    /** Demands the flooder's texts in order, and blocks JavaScript now and then. */
    class NumberedReceiver {
      received = 0;
      readonly #changes = new Changes();
      #failure: Error | undefined;
      #ended = false;

      take(data: unknown): void {
        if (data === 'end') this.#ended = true;
        else if (data !== Flooder.numbered(this.received, flood.content.size)) {
          this.#failure ??= new Error(`message ${this.received} was ${String(data).slice(0, 60)}`);
        } else if (this.received++ % 60_000 === 0) blockJavaScript(500);
        if (this.#ended || this.#failure) this.#changes.notify();
      }

      /** The whole flood has come, and the connection has not ended before. */
      finished(log: EventLog): Promise<true> {
        log.onEntry(({ event }) => {
          if (event !== 'error' && event !== 'close') return;
          this.#failure ??= new Error(`'${event}' after ${this.received} messages`);
          this.#changes.notify();
        });
        return this.#changes.until(
          () => {
            if (this.#failure) throw this.#failure;
            return this.#ended ? true : undefined;
          },
          'the whole flood',
          VERY_PATIENT.timeout - 10_000,
        );
      }
    }
  },
);

describe.runIf(onLinux)(
  'D3 the Host header and SNI do not move a connection to another server',
  PATIENT,
  () => {
    const names = ['x', 'a', '', 'localhost', 'default', 'listener-1', '127.0.0.1', '127.0.0.2'];

    it('whatever Host says', async () => {
      const first = await TestServer.start({ serverIP: '127.0.0.1' });
      const second = await TestServer.start({ serverIP: '127.0.0.2', serverPort: first.port });
      const { port } = first;

      for (const name of names.filter((host) => host !== '')) {
        for (const host of [name, `${name}:${port}`]) {
          await RawPeer.open({ port, host: '127.0.0.1', request: { host } });
          await first.nextConnect();
          await RawPeer.open({ port, host: '127.0.0.2', request: { host } });
          await second.nextConnect();
        }
      }

      expect(first.log.names).toHaveLength(second.log.names.length);
    });

    it('whatever SNI says', async () => {
      const first = await TestServer.start({ serverCert: certificates.server });
      const second = await TestServer.start({
        serverIP: '127.0.0.2',
        serverPort: first.port,
        serverCert: certificates.secondServer,
      });
      const { port } = first;

      // Names only: an address is no legal SNI.
      for (const servername of names.filter((name) => !/^\d/.test(name))) {
        for (const [host, server, commonName] of [
          ['127.0.0.1', first, 'server'],
          ['127.0.0.2', second, 'second-server'],
        ] as const) {
          const peer = await RawPeer.open({
            port,
            host,
            tls: { servername, rejectUnauthorized: false },
            request: { host: servername === '' ? 'x' : servername },
          });
          expect((peer.socket as TLSSocket).getPeerCertificate().subject.CN).toBe(commonName);
          await server.nextConnect();
        }
      }
    });
  },
);

describe('D5 CONNECT is refused', PATIENT, () => {
  it.each([
    'CONNECT / HTTP/1.1\r\n\r\n',
    'CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n',
    upgradeRequest({ startLine: 'CONNECT / HTTP/1.1' }),
  ])('%j', async (request) => {
    const server = await TestServer.start();
    const peer = await RawPeer.connect({ port: server.port });

    peer.write(request);
    peer.write('these bytes are nobody’s\r\n');

    const { bytes } = await peer.readBytesToEnd();
    expect(bytes.toString('latin1')).not.toMatch(/^HTTP\/1\.1 [123]/);
    await TestClient.open(server.url());
    expect(server.log.names).toEqual(['connect']);
  });
});

describe.runIf(onLinux)(
  'D7 no descriptors left: the accept loop rests and recovers',
  PATIENT,
  () => {
    it('in a process with few descriptors', async () => {
      const fixture = await startFewDescriptors(64);
      const { port } = await fixture.say('start');

      const peers: RawPeer[] = [];
      for (let i = 0; i < 100; i++) peers.push(await RawPeer.connect({ port }));
      for (const peer of peers) peer.write(upgradeRequest());
      await fixture.say('exhausted');
      const { cpuMs, wallMs } = await fixture.say('measure');

      // A loop that spins takes all of a core; one that rests next to nothing.
      expect(cpuMs).toBeLessThan(wallMs / 2);

      for (const peer of peers) peer.socket.destroy();
      const late = await RawPeer.open({ port });
      late.sendText('served again');
      expect(await late.expectText()).toBe('served again');
      fixture.end();
    });

    async function startFewDescriptors(limit: number) {
      const script = fileURLToPath(new URL('./few-descriptors.mjs', import.meta.url));
      const child = spawn(
        'bash',
        [
          '-c',
          `ulimit -n ${limit} && LD_PRELOAD="$OHWS_PRELOAD" exec "$0" "$1"`,
          ...[process.execPath, script],
        ],
        { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: plainEnvironment() },
      );
      onTestFinished(() => void child.kill('SIGKILL'));
      const changes = new Changes();
      const answers: { port: number; cpuMs: number; wallMs: number }[] = [];
      let exited = false;
      child.on('message', (message) => {
        answers.push(message as (typeof answers)[number]);
        changes.notify();
      });
      child.on('exit', () => {
        exited = true;
        changes.notify();
      });
      return {
        say(what: 'start' | 'exhausted' | 'measure') {
          child.send(what);
          return changes.until(() => {
            if (exited) throw new Error('the process with few descriptors has ended');
            return answers.shift();
          }, `the process with few descriptors to answer '${what}'`);
        },
        end: () => child.kill(),
      };
    }
  },
);

describe('D8 an address that cannot be bound fails at once', PATIENT, () => {
  it.each([
    ['not ours', '192.0.2.1'],
    ['not ours, IPv6', '2001:db8::1'],
    ['link-local without a zone', 'fe80::1'],
  ])('%s', async (_what, serverIP) => {
    const { server } = new TestServer();

    expect(await rejection(server.start({ serverIP, serverPort: 0 }))).toMatchObject({
      code: 2302004,
    });
  });
});

describe('D9 an unknown Upgrade is answered once and closed', PATIENT, () => {
  it.each(['foo', 'h2', 'websockets'])('%j', async (upgrade) => {
    const server = await TestServer.start();

    for (let i = 0; i < 50; i++) {
      const peer = await RawPeer.connect({ port: server.port });
      peer.write(
        upgradeRequest({
          lines: [
            'Host: 127.0.0.1',
            `Upgrade: ${upgrade}`,
            'Connection: Upgrade',
            `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
            'Sec-WebSocket-Version: 13',
            `X-Filler: ${'x'.repeat(i * 10)}`,
          ],
        }),
      );
      expect((await peer.readHead()).status).toBe(426);
      // Going on after the refusal shows as a second answer.
      const { bytes } = await peer.readBytesToEnd();
      expect(bytes.toString('latin1')).not.toContain('HTTP/1.');
    }

    await TestClient.open(server.url());
    expect(server.log.names).toEqual(['connect']);
  });
});

describe('D10 a client whose upgrade request cannot be written fails once', VERY_PATIENT, () => {
  // Many at once: while the engine works through the connections that are up, the peer has already
  // reset the later ones.
  const ROUNDS = 10;
  const AT_ONCE = 300;

  it.each(['ws', 'wss'])(
    'when the peer resets before the request, many times, %s',
    async (scheme) => {
      const listener = await RawListener.listen({ onSocket: (socket) => socket.resetAndDestroy() });

      for (let round = 0; round < ROUNDS; round++) {
        const clients = Array.from({ length: AT_ONCE }, () => new TestClient());
        const url = `${scheme}://127.0.0.1:${listener.port}/`;
        await Promise.all(clients.map((client) => client.connect(url)));
        for (const client of clients) {
          expect(await client.nextError()).toMatchObject({ code: 200, data: '0' });
        }
        for (const { log } of clients) expect(log.names).toEqual(['error']);
      }

      const server = await TestServer.start();
      await TestClient.open(server.url());
    },
  );
});

describe.each(['server', 'client'] as const)('a blocked peer of our %s', (role) => {
  const BIG_BYTES = 500_000;
  /** More than both kernels' buffers take from a peer that does not read. */
  const BIG_COUNT = 60;

  describe('D12 a close behind a large queue', PATIENT, () => {
    it('follows all data when the peer reads again', async () => {
      const { peer, send, close, nextClose } = await openBlocked(role);

      for (let i = 0; i < BIG_COUNT; i++) void send(Buffer.alloc(BIG_BYTES, i));
      await close({ code: 1001, reason: 'behind everything' });
      peer.readOn();

      await expectBig(peer, BIG_COUNT);
      expect(await peer.expectClose()).toEqual({ code: 1001, reason: 'behind everything' });
      peer.sendClose(1001);
      expect(await nextClose()).toEqual({ code: 1001, reason: 'behind everything' });
      await peer.readToEnd();
    });
  });

  describe("D14 the peer's close code while our output is blocked", PATIENT, () => {
    it('is told at once, and the answer goes behind what was on its way', async () => {
      const { peer, send, nextClose } = await openBlocked(role);

      for (let i = 0; i < BIG_COUNT; i++) void send(Buffer.alloc(BIG_BYTES, i)).catch(() => {});
      peer.sendClose(4000, 'leaving');

      expect(await nextClose()).toEqual({ code: 4000, reason: 'leaving' });
      peer.readOn();
      const { frames } = await peer.readToEnd();
      const answer = frames.pop();
      expect(answer && readClose(answer)).toEqual({ code: 4000, reason: 'leaving' });
      // How much of it the engine had when the close came is a matter of timing; nothing is torn.
      for (const [i, { payload }] of frames.entries()) {
        if (!payload.equals(Buffer.alloc(BIG_BYTES, i))) throw new Error(`message ${i} is wrong`);
      }
    });
  });

  describe('D17 thousands of writes behind a blocked socket', PATIENT, () => {
    it('all leave in order', async () => {
      const { peer, send } = await openBlocked(role);
      const small = 5000;

      for (let i = 0; i < BIG_COUNT; i++) void send(Buffer.alloc(BIG_BYTES, i));
      for (let i = 0; i < small; i++) void send(`${i}`);
      peer.readOn();

      await expectBig(peer, BIG_COUNT);
      for (let i = 0; i < small; i++) expect(await peer.expectText()).toBe(`${i}`);
    });
  });

  async function expectBig(peer: RawPeer, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { payload } = await peer.expectFrame(Opcode.binary);
      if (!payload.equals(Buffer.alloc(BIG_BYTES, i))) throw new Error(`message ${i} is wrong`);
    }
  }
});

/** A connection of ours whose peer does not read. */
async function openBlocked(role: 'server' | 'client') {
  if (role === 'client') {
    const { client, peer } = await openClientPair();
    peer.stopReading();
    return {
      peer,
      send: (data: string | Buffer) => client.ws.send(data),
      close: (options: { code: number; reason: string }) => client.close(options),
      nextClose: () => client.nextClose(),
    };
  }
  const { server, peer, connection } = await openServerPair();
  peer.stopReading();
  return {
    peer,
    send: (data: string | Buffer) => server.server.send(data, connection),
    close: (options: { code: number; reason: string }) => server.close(connection, options),
    nextClose: async () => {
      const { code, reason } = await server.nextClose();
      return { code, reason };
    },
  };
}

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

describe.runIf(onLinux)('D16 starting and stopping leaks no descriptor', VERY_PATIENT, () => {
  const descriptors = () => readdirSync('/proc/self/fd').length;

  it('of the servers and connections of one engine', async () => {
    const cycle = async () => {
      const server = await TestServer.start({ serverCert: certificates.server });
      const client = await TestClient.open(`wss://localhost:${server.port}/`, {
        caPath: certificates.caPath,
      });
      await client.send('x');
      await server.nextMessage();
      await server.stop();
      await client.nextClose();
    };
    for (let i = 0; i < 3; i++) await cycle();
    const before = descriptors();

    for (let i = 0; i < 30; i++) await cycle();

    await poll(
      () => descriptors() <= before + 5,
      () => `the descriptors to go down from ${descriptors()} to about ${before}`,
    );
  });

  it('of engines', async () => {
    const run = async () => {
      const worker = new Worker(
        `
          const { workerData } = require('node:worker_threads');
          const { createRequire } = require('node:module');
          const { webSocket } = createRequire(workerData)('ohos-websocket');
          const server = webSocket.createWebSocketServer();
          server.start({ serverIP: '127.0.0.1', serverPort: 0 })
            .then(() => server.stop())
            .then(() => process.exit(0));
        `,
        { eval: true, workerData: import.meta.url },
      );
      await once(worker, 'exit');
    };
    for (let i = 0; i < 3; i++) await run();
    const before = descriptors();

    for (let i = 0; i < 20; i++) await run();

    await poll(
      () => descriptors() <= before + 5,
      () => `the descriptors to go down from ${descriptors()} to about ${before}`,
    );
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

describe('subprotocol the application selects the subprotocol', PATIENT, () => {
  it.each([
    ['only unknown ones', 'unknown', []],
    ['a list of more than 126 characters', `${'x, '.repeat(100)}wanted`, ['wanted']],
  ])('from %s', async (_what, offer, chosen) => {
    const server = await TestServer.start({ protocol: 'wanted' });
    const peer = await RawPeer.connect({ port: server.port });

    const answer = await peer.upgrade({ extra: [`Sec-WebSocket-Protocol: ${offer}`] });

    expect(answer.all('sec-websocket-protocol')).toEqual(chosen);
  });
});

describe('custom-header-value an unknown header takes nothing of the next', PATIENT, () => {
  it('in an answer', async () => {
    const listener = await RawListener.listen();
    const client = new TestClient();
    await client.connect(listener.url());

    await listener.acceptOpen({
      extra: ['X-Foo: bar', 'Date: today', 'X: 1', 'S: 2', 'Server: srv', 'X-F: 3', 'Zz: 4'],
    });

    expect(await client.log.value('headerReceive')).toMatchObject({
      'x-foo': 'bar',
      date: 'today',
      x: '1',
      s: '2',
      server: 'srv',
      'x-f': '3',
      zz: '4',
    });
  });

  it('in a request', async () => {
    const server = await TestServer.start({ protocol: 'chat' });
    const peer = await RawPeer.connect({ port: server.port });

    const answer = await peer.upgrade({
      lines: [
        ...['H: 1', 'Host: 127.0.0.1', 'U: 1', 'Upgrade: websocket', 'C: 1', 'Connection: Upgrade'],
        ...['Sec-W: 1', `Sec-WebSocket-Key: ${SAMPLE_KEY}`, 'S: 1', 'Sec-WebSocket-Version: 13'],
        ...['X-F: 1', 'Sec-WebSocket-Protocol: chat'],
      ],
    });

    expect(answer.all('sec-websocket-protocol')).toEqual(['chat']);
  });
});

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

async function openClientPair(): Promise<{ client: TestClient; peer: RawPeer }> {
  const listener = await RawListener.listen();
  const client = new TestClient();
  await client.connect(listener.url());
  const peer = await listener.acceptOpen();
  await client.log.next('openInfo');
  return { client, peer };
}

async function openServerPair() {
  const server = await TestServer.start();
  const peer = await RawPeer.open({ port: server.port });
  return { server, peer, connection: await server.nextConnect() };
}
