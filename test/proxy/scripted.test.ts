/**
 * Proves the way through a proxy against a scripted one: the CONNECT request to the letter, the tunnel
 * for ws and wss, user and password, every kind of answer that is no tunnel, and that each connection
 * has its own proxy. A failure is an error with the phase `proxy`.
 */

import { describe, expect, it } from 'vitest';
import { certificatesOfFile, readPair } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { echoAndClose, rejection, TestClient, TestServer } from '../helpers/endpoints.js';
import { freePort } from '../helpers/free-port.js';
import { RawListener } from '../helpers/peers.js';
import { resolveNames } from '../tls/names.js';
import { hasIpv6 } from '../tls/tls-peers.js';
import {
  answer,
  basic,
  demandUser,
  ESTABLISHED,
  expectProxyFailure,
  refuse,
  ScriptedProxy,
  silent,
  tunnel,
} from './scripted-proxy.js';

const certificates = certificatesOfFile();

describe('through a proxy', PATIENT, () => {
  it.each(['ws', 'wss'] as const)('%s goes by CONNECT, its upgrade as without', async (scheme) => {
    const { listener, origin } = await listen(scheme);
    const proxy = await ScriptedProxy.listen();
    const client = new TestClient();

    await client.connect(`${scheme}://localhost:${listener.port}/path?query`, {
      proxy: proxy.option,
      caPath: certificates.caPath,
      header: { 'X-Own': 'value' },
    });
    const peer = await listener.accept();
    const request = await peer.acceptUpgrade();
    await client.log.next('open');

    const target = `localhost:${listener.port}`;
    const asked = await proxy.firstRequest();
    expect(asked.startLine).toMatch(new RegExp(`^CONNECT ${target} HTTP/1\\.[01]$`));
    expect(asked.all('host')).toEqual([target]);
    expect(asked.all('proxy-authorization')).toEqual([]);
    expect(asked.all('x-own')).toEqual([]);
    expect(proxy.requests).toHaveLength(1);
    expect(request.startLine).toBe('GET /path?query HTTP/1.1');
    expect(request.header('host')).toBe(target);
    expect(request.header('origin')).toBe(origin);
    expect(request.header('x-own')).toBe('value');
    expect(request.headers.filter(([name]) => name.startsWith('proxy'))).toEqual([]);
  });

  it.each(['ws', 'wss'] as const)('%s carries messages of every size', async (scheme) => {
    const server = await TestServer.startEcho(
      scheme === 'wss' ? { serverCert: certificates.server } : {},
    );
    const proxy = await ScriptedProxy.listen();
    const { caPath } = certificates;
    const client = await TestClient.open(`${scheme}://localhost:${server.port}/`, {
      proxy: proxy.option,
      caPath,
    });

    await echoAndClose(client, server, [0, 1, 126, 65_536, 1_000_000]);
    expect(client.log.names).not.toContain('error');
  });

  it('the proxy resolves the name of the target, Node that of the proxy', async () => {
    const asked = resolveNames({ 'proxy.test': ['127.0.0.1'] });
    const { listener } = await listen('ws');
    const proxy = await ScriptedProxy.listen();
    const client = new TestClient();

    await client.connect(`ws://target.test:${listener.port}/`, {
      proxy: { ...proxy.option, host: 'proxy.test' },
    });
    await listener.acceptOpen();
    await client.log.next('open');

    expect((await proxy.firstRequest()).startLine).toContain(`target.test:${listener.port} `);
    expect([...new Set(asked)]).toEqual(['proxy.test']);
  });

  it('the certificate is that of the target, not of the proxy', async () => {
    const { listener } = await listen('wss', 'wrongHost');
    const proxy = await ScriptedProxy.listen();
    const { caPath } = certificates;
    const client = new TestClient();

    await client.connect(`wss://elsewhere.invalid:${listener.port}/`, {
      proxy: proxy.option,
      caPath,
    });
    await listener.acceptOpen();
    await client.log.next('open');

    const other = new TestClient();
    await other.connect(`wss://localhost:${listener.port}/`, { proxy: proxy.option, caPath });
    const error = await other.nextError();
    expect(error).toMatchObject({ code: 200, data: '0' });
    expect(error.cause).toMatchObject({ phase: 'tls' });
  });

  it('the default ports are named too', async () => {
    const proxy = await ScriptedProxy.listen(refuse('HTTP/1.1 403 Forbidden\r\n\r\n'));

    for (const url of ['ws://target.test/', 'wss://target.test/']) {
      const client = new TestClient();
      await client.connect(url, { proxy: proxy.option });
      await expectProxyFailure(client, /403/);
    }

    expect(proxy.requests.map(({ startLine }) => startLine.split(' ')[1])).toEqual([
      'target.test:80',
      'target.test:443',
    ]);
    expect(proxy.requests[0]?.header('host')).toBe('target.test:80');
  });

  it.runIf(hasIpv6)('an IPv6 target keeps its brackets', async () => {
    const listener = await RawListener.listen({ host: '::1' });
    const proxy = await ScriptedProxy.listen();
    const client = new TestClient();

    await client.connect(`ws://[::1]:${listener.port}/`, { proxy: proxy.option });
    const request = await (await listener.accept()).acceptUpgrade();
    await client.log.next('open');

    const target = `[::1]:${listener.port}`;
    const asked = await proxy.firstRequest();
    expect(asked.startLine).toMatch(/^CONNECT \[::1\]:\d+ HTTP\/1\.[01]$/);
    expect(asked.startLine).toContain(target);
    expect(asked.header('host')).toBe(target);
    expect(request.header('host')).toBe(target);
  });

  it.runIf(hasIpv6).each(['::1', '[::1]'])('a proxy at %s', async (host) => {
    const { listener } = await listen('ws');
    const proxy = await ScriptedProxy.listen(tunnel(), '::1');
    const client = new TestClient();

    await client.connect(listener.url(), { proxy: { ...proxy.option, host } });
    await listener.acceptOpen();

    await client.log.next('open');
    expect(proxy.requests).toHaveLength(1);
  });

  it('a proxy with several addresses, the first of which is dead', async () => {
    resolveNames({ 'proxy.test': ['127.0.0.77', '127.0.0.1'] });
    const { listener } = await listen('ws');
    const proxy = await ScriptedProxy.listen();
    const client = new TestClient();

    await client.connect(listener.url(), { proxy: { ...proxy.option, host: 'proxy.test' } });
    await listener.acceptOpen();

    await client.log.next('open');
  });

  it.each<[string, string]>([
    ['HTTP/1.0', 'HTTP/1.0 200 Connection established\r\n\r\n'],
    ['no reason phrase', 'HTTP/1.1 200\r\n\r\n'],
    ['an empty reason phrase', 'HTTP/1.1 200 \r\n\r\n'],
    ['headers that mean nothing here', `${head('Content-Length: 5', 'Connection: close')}`],
    ['a transfer coding, which does not count', head('Transfer-Encoding: chunked')],
    ['1 KB of headers', head(...manyHeaders(1000))],
    ['3 KB of headers', head(...manyHeaders(3000))],
    ['8 KB of headers', head(...manyHeaders(8000))],
    ['one long header', head(`X-Long: ${'x'.repeat(3000)}`)],
  ])('an answer 200 with %s opens the tunnel', async (_what, text) => {
    const { listener } = await listen('ws');
    const proxy = await ScriptedProxy.listen(tunnel(text));

    const client = await openThrough(proxy, listener);

    expect(client.log.names.slice(0, 2)).toEqual(['headerReceive', 'open']);
  });

  it.each<[string, readonly string[]]>([
    ['byte by byte', [...ESTABLISHED]],
    ['with its last byte alone', [ESTABLISHED.slice(0, -1), ESTABLISHED.slice(-1)]],
    ['line by line', ['HTTP/1.1 200 OK\r\n', 'X-A: 1\r\n', 'X-B: 2\r\n', '\r\n']],
  ])('an answer that comes %s', async (_what, pieces) => {
    const { listener } = await listen('ws');
    const proxy = await ScriptedProxy.listen(tunnel(pieces));

    await openThrough(proxy, listener);
  });

  it('close ends an attempt that waits for the proxy', async () => {
    const proxy = await ScriptedProxy.listen(silent);
    const client = new TestClient();
    await client.connect('ws://target.test/', { proxy: proxy.option });
    await proxy.firstRequest();

    await client.close({ code: 1001, reason: 'never mind' });

    expect(await client.nextClose()).toEqual({ code: 1001, reason: 'never mind' });
    expect(client.log.names).toEqual(['close']);
  });
});

describe('user and password', PATIENT, () => {
  it.each<[string, string, string]>([
    ['plain ones', 'user', 'password'],
    ['an empty password', 'user', ''],
    ['colons in the password', 'user', 'a:b::c'],
    ['beyond ASCII', 'Jürgen', 'пароль'],
    ['every printable character', 'user', printable()],
    ['a long password', 'user', 'p'.repeat(400)],
    ['a very long password', 'user', 'p'.repeat(4000)],
  ])('travel as Basic: %s', async (_what, username, password) => {
    const { listener } = await listen('ws');
    const proxy = await ScriptedProxy.listen(demandUser(username, password));
    const client = new TestClient();

    await client.connect(listener.url(), { proxy: { ...proxy.option, username, password } });
    const asked = await proxy.firstRequest();
    expect(asked.all('proxy-authorization')).toEqual([basic(username, password)]);
    const request = await (await listener.accept()).acceptUpgrade();
    await client.log.next('open');

    expect(request.headers.map(([name]) => name)).not.toContain('proxy-authorization');
    expect(request.headers.map(([name]) => name)).not.toContain('authorization');
  });

  it.each<[string, object]>([
    ['none', {}],
    ['a wrong password', { username: 'user', password: 'wrong' }],
    ['a wrong user', { username: 'other', password: 'password' }],
  ])('are demanded: %s', async (_what, given) => {
    const { listener } = await listen('ws');
    const proxy = await ScriptedProxy.listen(demandUser('user', 'password'));
    const client = new TestClient();

    await client.connect(listener.url(), { proxy: { ...proxy.option, ...given } });

    await expectProxyFailure(client, /407/);
    expect(proxy.requests).toHaveLength(1);
    expect(listener.accepted).toBe(0);
  });

  it('that are too long, or a user with a colon, are refused', async () => {
    const proxy = await ScriptedProxy.listen();
    const client = new TestClient();

    for (const given of [
      { username: 'a:b', password: 'c' },
      { username: 'user', password: 'p'.repeat(4093) },
    ]) {
      const connecting = client.ws.connect('ws://target.test/', {
        proxy: { ...proxy.option, ...given },
      });
      expect(await rejection(connecting)).toMatchObject({ code: 401 });
    }
    expect(proxy.requests).toEqual([]);
  });
});

describe('a proxy that makes no tunnel', PATIENT, () => {
  it.each<[string, string, RegExp]>([
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nDenied', /403/],
    ['407 with "200" in its words', 'HTTP/1.1 407 200 OK\r\n\r\n', /407/],
    ['404', 'HTTP/1.0 404 Not Found\r\n\r\n', /404/],
    ['502', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', /502/],
    ['302', 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n', /302/],
    ['101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', /101/],
    ['500 with a page', `HTTP/1.1 500 Oops\r\n\r\n${'<p>no</p>'.repeat(2000)}`, /500/],
  ])('but answers %s', async (_what, text, why) => {
    for (const script of [refuse(text), answer(text)]) {
      const proxy = await ScriptedProxy.listen(script);
      const client = new TestClient();

      await client.connect('wss://target.test:9/', { proxy: proxy.option });

      await expectProxyFailure(client, why);
    }
  });

  it.each<[string, string | Uint8Array]>([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['bytes', Buffer.from('0015030100020246'.repeat(8), 'hex')],
    ['NUL bytes', Buffer.alloc(100)],
    ['no number', 'HTTP/1.1 OK\r\n\r\n'],
    ['a number too long', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['another version', 'HTTP/9.9 200 OK\r\n\r\n'],
    ['something in front of the status line', 'X HTTP/1.1 200 OK\r\n\r\n'],
    ['a long line without an end', `HTTP/1.1 200 ${'x'.repeat(100_000)}`],
  ])('but answers garbage: %s', async (_what, bytes) => {
    const proxy = await ScriptedProxy.listen(refuse(bytes));
    const client = new TestClient();

    await client.connect('ws://target.test:9/', { proxy: proxy.option });

    await expectProxyFailure(client, /\S/);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['half an answer', 'HTTP/1.1 200 Connection estab'],
    ['an answer without its end', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n'],
  ])('but ends the connection after %s', async (_what, text) => {
    const proxy = await ScriptedProxy.listen(refuse(text));
    const client = new TestClient();

    await client.connect('ws://target.test:9/', { proxy: proxy.option });

    await expectProxyFailure(client, /\S/);
  });

  it.each(['end', 'resetAndDestroy'] as const)('but %ss at once', async (how) => {
    const { port } = await RawListener.listen({ onSocket: (socket) => void socket[how]() });
    const client = new TestClient();

    await client.connect('ws://target.test:9/', {
      proxy: { host: '127.0.0.1', port, exclusionList: [] },
    });

    await expectProxyFailure(client, /\S/);
  });

  it('since nothing listens', async () => {
    const client = new TestClient();
    const port = await freePort();

    await client.connect('ws://target.test:9/', {
      proxy: { host: '127.0.0.1', port, exclusionList: [] },
    });

    await expectProxyFailure(client, /ECONNREFUSED|refused/i);
  });

  it('since its name has no address', async () => {
    resolveNames({});
    const client = new TestClient();

    const connecting = client.ws.connect('ws://127.0.0.1:9/', {
      proxy: { host: 'no-such-proxy.test', port: 1, exclusionList: [] },
    });

    expect(await rejection(connecting)).toMatchObject({
      code: -1,
      message: 'Websocket connect failed',
    });
    await expectProxyFailure(client, /no-such-proxy\.test/);
  });

  it('leaves the object fit to connect', async () => {
    const { listener } = await listen('ws');
    const bad = await ScriptedProxy.listen(refuse('HTTP/1.1 403 Forbidden\r\n\r\n'));
    const good = await ScriptedProxy.listen();
    const client = new TestClient();

    await client.connect(listener.url(), { proxy: bad.option });
    await expectProxyFailure(client, /403/);
    await client.connect(listener.url(), { proxy: good.option });
    await listener.acceptOpen();
    await client.log.next('open');
    await client.close();
  });
});

describe('several connections', PATIENT, () => {
  it('each go their own way at the same time', async () => {
    const server = await TestServer.startEcho();
    const ways = await Promise.all(
      ['a', 'b', 'c'].map(async (user) => {
        const proxy = await ScriptedProxy.listen(demandUser(user, `of ${user}`));
        return { proxy, option: { ...proxy.option, username: user, password: `of ${user}` } };
      }),
    );
    const options = [
      { proxy: 'no-proxy' as const },
      ...ways.map(({ option }) => ({ proxy: option })),
      { proxy: 'no-proxy' as const },
    ];

    const clients = await Promise.all(options.map((each) => TestClient.open(server.url(), each)));

    await Promise.all(
      clients.map(async (client, n) => {
        await client.send(`no. ${n}`);
        expect(await client.nextMessage()).toBe(`no. ${n}`);
      }),
    );
    expect(ways.map(({ proxy }) => proxy.requests.length)).toEqual([1, 1, 1]);
  });
});

type CertificateName = 'server' | 'wrongHost';

async function listen(scheme: 'ws' | 'wss', name: CertificateName = 'server') {
  const tls = scheme === 'wss' ? { tls: readPair(certificates[name]) } : {};
  const listener = await RawListener.listen(tls);
  return { listener, origin: scheme === 'wss' ? 'https://localhost' : 'http://localhost' };
}

async function openThrough(proxy: ScriptedProxy, listener: RawListener): Promise<TestClient> {
  const client = new TestClient();
  await client.connect(listener.url(), { proxy: proxy.option });
  const failed = client.log.count('error', 1).then(() => {
    throw new Error(`the connection failed: ${(client.log.values('error')[0] as Error).message}`);
  });
  await Promise.race([Promise.all([listener.acceptOpen(), client.log.next('open')]), failed]);
  return client;
}

function head(...lines: readonly string[]): string {
  return ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
}

function manyHeaders(bytes: number): string[] {
  return Array.from({ length: bytes / 50 }, (_, n) => `X-Header-${n}: ${'v'.repeat(34)}`);
}

function printable(): string {
  return String.fromCharCode(...Array.from({ length: 95 }, (_, n) => 32 + n));
}
