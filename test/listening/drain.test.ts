/**
 * Proves the drain of `stop({ drain })`: what was sent leaves, everybody is told, whoever comes is turned
 * away with a word, nobody holds it up beyond the deadline, and the report says what has become of whom.
 */

import { readFileSync } from 'node:fs';
import { webSocket as parity } from 'ohos-websocket/parity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT, pause, within } from '../helpers/deadline.js';
import { callWith, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { type Head, Opcode, RawPeer, upgradeRequest } from '../helpers/peers.js';

const GOING_AWAY = { code: 1001, reason: 'server is going away' };
/** Far beyond what any test takes: reached only by a drain that does not end by itself. */
const LONG = 600;
/** More than both kernels keep for a peer that does not read. */
const MUCH = new ArrayBuffer(16 << 20);

const certificates = certificatesOfFile();

type Report = Awaited<ReturnType<typeof drain>>;
type StopOptions = parity.WebSocketStopOptions;

function drain(server: TestServer, options: StopOptions) {
  return within(server.server.stop(options), 'a server to drain');
}

function expectReport(report: Report, expected: Omit<Report, 'milliseconds'>): void {
  expect(report).toEqual({ ...expected, milliseconds: expect.any(Number) });
}

/** A peer that has been sent more than it will take, and does not read. */
async function stuckPeer(server: TestServer): Promise<RawPeer> {
  const peer = await RawPeer.open({ port: server.port });
  peer.stopReading();
  const connection = await server.nextConnect();
  for (let n = 0; n < 4; n++) void server.server.send(MUCH.slice(0, 4 << 20), connection);
  return peer;
}

describe('a drain', PATIENT, () => {
  it('sends what was sent before it, then the close, and waits for the end', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const connection = await server.nextConnect();

    for (let n = 0; n < 100; n++) void server.server.send(`${n}`, connection);
    void server.server.send(new ArrayBuffer(5_000_000), connection);
    const drained = drain(server, { drain: LONG });

    for (let n = 0; n < 100; n++) expect(await peer.expectText()).toBe(`${n}`);
    expect((await peer.expectFrame(Opcode.binary)).payload).toHaveLength(5_000_000);
    expect(await peer.expectClose()).toEqual(GOING_AWAY);
    peer.sendClose(1001);
    peer.halfClose();
    expectReport(await drained, { closed: 1, cut: 0, refused: 0 });
    expect(await server.nextClose()).toMatchObject(GOING_AWAY);
    expect(server.log.names).toEqual(['connect', 'close']);
  });

  it('says the code and the reason that it was given', async () => {
    const server = await TestServer.start();
    const client = await TestClient.open(server.url());

    const report = await drain(server, { drain: LONG, code: 1012, reason: 'back in a minute' });

    expect(await client.nextClose()).toEqual({ code: 1012, reason: 'back in a minute' });
    expect(await server.nextClose()).toMatchObject({ code: 1012, reason: 'back in a minute' });
    expectReport(report, { closed: 1, cut: 0, refused: 0 });
  });

  it('ends at once where nobody is connected', async () => {
    const server = await TestServer.start();
    expectReport(await drain(server, { drain: LONG }), { closed: 0, cut: 0, refused: 0 });
    expect(server.server.port).toBeUndefined();
  });

  it('cuts a reader that never reads, at the deadline, and nobody else', async () => {
    const server = await TestServer.start();
    const stuck = await stuckPeer(server);
    const client = await TestClient.open(server.url());

    const report = await drain(server, { drain: 0.5 });

    expectReport(report, { closed: 1, cut: 1, refused: 0 });
    expect(report.milliseconds).toBeGreaterThanOrEqual(500);
    expect(await client.nextClose()).toEqual(GOING_AWAY);
    await server.log.count('close', 2);
    stuck.readOn();
    await stuck.readToEnd();
  });

  it('with 0 seconds cuts everybody who has not ended', async () => {
    const server = await TestServer.start();
    const stuck = await stuckPeer(server);

    expectReport(await drain(server, { drain: 0 }), { closed: 0, cut: 1, refused: 0 });

    await server.nextClose();
    stuck.readOn();
    await stuck.readToEnd();
  });

  it('waits for a reader that pauses longer than the time-out of a close', async () => {
    const server = await TestServer.start({ limits: { closeTimeoutMs: 20 } });
    const peer = await stuckPeer(server);
    const drained = drain(server, { drain: LONG });

    await pause(300);
    peer.readOn();

    for (let n = 0; n < 4; n++) {
      expect((await peer.expectFrame(Opcode.binary)).payload).toHaveLength(4 << 20);
    }
    expect(await peer.expectClose()).toEqual(GOING_AWAY);
    peer.halfClose();
    expectReport(await drained, { closed: 1, cut: 0, refused: 0 });
  });

  it('cuts connections that were closing already, with a longer time-out, at its deadline', async () => {
    const server = await TestServer.start({ limits: { closeTimeoutMs: 600_000 } });
    const stuck = await stuckPeer(server);
    const [connection] = await server.list();
    await server.close(connection as NonNullable<typeof connection>);

    expectReport(await drain(server, { drain: 0.2 }), { closed: 0, cut: 1, refused: 0 });

    stuck.readOn();
    await stuck.readToEnd();
  });

  it('lets nothing more in or out', async () => {
    const server = await TestServer.start();
    const peer = await RawPeer.open({ port: server.port });
    const connection = await server.nextConnect();

    const drained = drain(server, { drain: LONG });
    expect((await rejection(server.server.send('x', connection))).code).toBe(-1);
    expect((await rejection(server.server.stop())).code).toBe(2302999);
    expect((await rejection(server.server.stop({ drain: 1 }))).code).toBe(2302999);
    peer.sendText('late');
    expect(await peer.expectClose()).toEqual(GOING_AWAY);
    peer.sendClose(1001);
    peer.halfClose();
    await drained;

    expect(server.log.names).toEqual(['connect', 'close']);
  });

  it('frees the port, and the server starts again', async () => {
    const server = await TestServer.start();
    const { port } = server;
    await TestClient.open(server.url());

    await drain(server, { drain: LONG });
    await server.start({ serverPort: port });

    expect(server.port).toBe(port);
    await TestClient.open(server.url());
  });

  it('that is asked for while the server starts follows the start', async () => {
    const server = new TestServer();
    const started = server.start();
    const drained = drain(server, { drain: LONG });
    await started;
    expectReport(await drained, { closed: 0, cut: 0, refused: 0 });
  });
});

/** A server that drains, held up by one connection until the test lets it go. */
async function draining(config: Parameters<typeof TestServer.start>[0] = {}) {
  const server = await TestServer.start(config);
  const options = config.serverCert ? { port: server.port, tls: trusted() } : { port: server.port };
  const holder = await RawPeer.open(options);
  const begin = async () => {
    const drained = drain(server, { drain: LONG });
    expect(await holder.expectClose()).toEqual(GOING_AWAY);
    return {
      /** Ends the drain. */
      end: () => {
        holder.halfClose();
        return drained;
      },
    };
  };
  return { server, options, begin };
}

function trusted() {
  return { ca: readFileSync(certificates.caPath), servername: 'localhost', allowHalfOpen: true };
}

function expectTurnedAway(head: Head): void {
  expect(head.status).toBe(503);
  const seconds = Number(head.header('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(LONG);
}

describe('whoever comes during a drain', PATIENT, () => {
  it.each(['ws', 'wss'])('over %s is told when to come again', async (scheme) => {
    const tls = scheme === 'wss' ? { serverCert: certificates.server } : {};
    const { server, options, begin } = await draining(tls);
    const { end } = await begin();

    for (let n = 0; n < 3; n++) {
      const late = await RawPeer.connect(options);
      late.write(upgradeRequest());
      expectTurnedAway(await late.readHead());
      await late.readBytesToEnd();
    }

    expectReport(await end(), { closed: 1, cut: 0, refused: 3 });
    expect(server.log.names).toEqual(['connect', 'close', 'error', 'error', 'error']);
  });

  it('with a plain request, as balancers make it, gets 503 too', async () => {
    const { options, begin } = await draining();
    const { end } = await begin();
    const balancer = await RawPeer.connect(options);

    balancer.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');

    expectTurnedAway(await balancer.readHead());
    expectReport(await end(), { closed: 1, cut: 0, refused: 1 });
  });

  it('had begun its request before: the same', async () => {
    const { options, begin } = await draining();
    const early = await RawPeer.connect(options);
    const request = upgradeRequest();
    early.write(request.slice(0, 40));
    await early.flushed();
    const { end } = await begin();

    early.write(request.slice(40));

    expectTurnedAway(await early.readHead());
    expectReport(await end(), { closed: 1, cut: 0, refused: 1 });
  });

  it('is told even if the drain ends before its request does', async () => {
    const { options, begin } = await draining();
    const { end } = await begin();
    const late = await RawPeer.connect(options);
    // The server has accepted both once it has answered the second.
    const second = await RawPeer.connect(options);
    second.write(upgradeRequest());
    expectTurnedAway(await second.readHead());

    const report = await end();

    expectTurnedAway(await late.readHead());
    expectReport(report, { closed: 1, cut: 0, refused: 2 });
  });
});

describe('in the netstack profile', PATIENT, () => {
  it('a drain is the same, but newcomers find their TCP connection ended (S8)', async () => {
    const server = parity.createWebSocketServer();
    await server.start({
      serverIP: '127.0.0.1',
      serverPort: 0,
      maxConcurrentClientsNumber: 2,
      maxConnectionsForOneClient: 2,
    });
    onTestFinished(() => server.stop().then(ignore, ignore));
    const port = server.port ?? 0;
    const holder = await RawPeer.open({ port });
    const drained = server.stop({ drain: LONG });
    expect(await holder.expectClose()).toEqual(GOING_AWAY);

    const late = await RawPeer.connect({ port });
    late.write(upgradeRequest());
    expect((await late.readBytesToEnd()).bytes).toHaveLength(0);

    holder.halfClose();
    expectReport(await within(drained, 'the drain'), { closed: 1, cut: 0, refused: 0 });
  });
});

describe('options of stop', PATIENT, () => {
  it.each<[string, object]>([
    ['a drain below 0', { drain: -1 }],
    ['a drain beyond a day', { drain: 86_401 }],
    ['a drain that is no number', { drain: '1' }],
    ['a drain that is NaN', { drain: Number.NaN }],
    ['a code that no frame may have', { drain: 1, code: 1006 }],
    ['a code that is no code', { drain: 1, code: 2000 }],
    ['a fraction of a code', { drain: 1, code: 3000.5 }],
    ['a reason that no frame has room for', { drain: 1, reason: 'é'.repeat(62) }],
    ['a reason that is no string', { drain: 1, reason: 1 }],
  ])('%s is 401 and stops nothing', async (_what, options) => {
    const server = await TestServer.start();
    expect((await rejection(callWith(server.server, 'stop', [options]))).code).toBe(401);
    await TestClient.open(server.url());
  });

  it.each<[string, readonly unknown[]]>([
    ['no drain', [{ code: 1001 }]],
    ['more than one argument', [{ drain: 1 }, 1]],
  ])('%s is a wrong argument as ever: 2302999', async (_what, args) => {
    const server = await TestServer.start();
    expect((await rejection(callWith(server.server, 'stop', args))).code).toBe(2302999);
    await TestClient.open(server.url());
  });

  it('of a server that does not run are 2302999', async () => {
    expect((await rejection(new TestServer().server.stop({ drain: 1 }))).code).toBe(2302999);
  });
});

function ignore(): void {
  // The outcome does not matter.
}
