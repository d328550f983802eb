/**
 * Proves the way through real proxies, tinyproxy and squid, as far as they are installed: ws and wss,
 * user and password, a host that is denied, a target that does not answer, and exclusions.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { echoAndClose, TestClient, TestServer } from '../helpers/endpoints.js';
import { hasIpv6 } from '../tls/tls-peers.js';
import { DENIED_HOST, demandInstalled, proxyKinds, startProxy } from './real-proxy.js';
import { expectProxyFailure } from './scripted-proxy.js';

let certificates: Certificates;
beforeAll(() => {
  demandInstalled();
  certificates = makeCertificates();
});
afterAll(() => certificates?.remove());

const USER = { username: 'user', password: 'secret' };

describe.each(proxyKinds)('through $command', PATIENT, (kind) => {
  it.each(['ws', 'wss'] as const)('%s carries messages of every size', async (scheme) => {
    const server = await start(scheme);
    const proxy = await startProxy(kind);
    const { caPath } = certificates;
    const client = await TestClient.open(url(scheme, server), { proxy, caPath });

    await echoAndClose(client, server, [0, 1, 126, 65_536, 1_000_000]);
  });

  it.runIf(hasIpv6)('ws reaches an IPv6 address', async () => {
    const server = await TestServer.startEcho({ serverIP: '::1' });
    const proxy = await startProxy(kind);

    const client = await TestClient.open(`ws://[::1]:${server.port}/`, { proxy });

    await client.send('six');
    expect(await client.nextMessage()).toBe('six');
  });

  it('a user and a password are accepted', async () => {
    const server = await start('wss');
    const proxy = { ...(await startProxy(kind, USER)), ...USER };

    const client = await TestClient.open(url('wss', server), {
      proxy,
      caPath: certificates.caPath,
    });

    await client.send('known');
    expect(await client.nextMessage()).toBe('known');
  });

  it.each<[string, object, RegExp]>([
    ['no user', {}, /407/],
    // tinyproxy answers 401 to a wrong one.
    ['a wrong password', { username: 'user', password: 'wrong' }, /40[17]/],
    ['a wrong user', { username: 'other', password: 'secret' }, /40[17]/],
  ])('%s is refused', async (_what, given, why) => {
    const server = await start('ws');
    const proxy = { ...(await startProxy(kind, USER)), ...given };
    const client = new TestClient();

    await client.connect(url('ws', server), { proxy });

    await expectProxyFailure(client, why);
    expect(server.log.names).toEqual([]);
  });

  it('a host that it denies is refused', async () => {
    const proxy = await startProxy(kind);
    const client = new TestClient();

    await client.connect(`ws://${DENIED_HOST}/`, { proxy });

    await expectProxyFailure(client, /403/);
  });

  it('a target that nothing listens on is an error of the proxy', async () => {
    const server = await start('ws');
    const { port } = server;
    await server.stop();
    const proxy = await startProxy(kind);
    const client = new TestClient();

    await client.connect(`ws://localhost:${port}/`, { proxy });

    await expectProxyFailure(client, /50\d/);
  });

  it('an answer of the target that is no upgrade is an error of the target', async () => {
    const server = await start('ws');
    const proxy = await startProxy(kind);
    const client = new TestClient();

    // A plain server at the other end of the tunnel takes TLS for garbage.
    await client.connect(`wss://localhost:${server.port}/`, { proxy });

    const error = await client.nextError();
    expect(error).toMatchObject({ code: 200, data: '0' });
    expect(error.cause).toMatchObject({ phase: 'tls' });
  });

  it('an excluded host is not reached, but directly', async () => {
    const server = await start('ws');
    const proxy = { ...(await startProxy(kind, USER)), exclusionList: ['LOCALHOST'] };

    // Through the proxy it would be refused for want of a user.
    await TestClient.open(url('ws', server), { proxy });
  });
});

function start(scheme: 'ws' | 'wss'): Promise<TestServer> {
  return TestServer.startEcho(scheme === 'wss' ? { serverCert: certificates.server } : {});
}

function url(scheme: 'ws' | 'wss', server: TestServer): string {
  return `${scheme}://localhost:${server.port}/`;
}
