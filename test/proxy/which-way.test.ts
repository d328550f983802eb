/**
 * Proves when a connection goes through a proxy and when it goes directly: the rules of the exclusion
 * list, `'no-proxy'`, a proxy without host or port, and `'system'`, which is what the environment
 * variables say, in processes that have them.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { type ClientOptions, TestClient, TestServer } from '../helpers/endpoints.js';
import { connectIn } from '../tls/connect-in.js';
import { resolveNames } from '../tls/names.js';
import { hasIpv6 } from '../tls/tls-peers.js';
import { basic, demandUser, ScriptedProxy } from './scripted-proxy.js';

const DIRECT = 'direct';
const PROXY = 'proxy';

describe('the exclusion list', PATIENT, () => {
  it.each<[host: string, list: readonly unknown[], way: string]>([
    ['www.target.test', [], PROXY],
    ['www.target.test', ['www.target.test'], DIRECT],
    ['www.target.test', ['other.test', 'www.target.test'], DIRECT],
    ['www.target.test', [' www.target.test '], DIRECT],
    ['www.target.test', ['target.test'], DIRECT],
    ['www.target.test', ['.target.test'], DIRECT],
    ['www.target.test', ['test'], DIRECT],
    ['www.target.test', ['get.test'], PROXY],
    ['www.target.test', ['www'], PROXY],
    ['www.target.test', ['www.target'], PROXY],
    ['www.target.test', ['a.www.target.test'], PROXY],
    ['www.target.test', ['WWW.Target.TEST'], DIRECT],
    ['www.target.test', ['TARGET.test'], DIRECT],
    ['WWW.TARGET.TEST', ['www.target.test'], DIRECT],
    ['www.target.test', ['*'], DIRECT],
    ['www.target.test', ['*.target.test'], DIRECT],
    ['www.target.test', ['www.*'], DIRECT],
    ['www.target.test', ['w*.t*get.test'], DIRECT],
    ['www.target.test', ['*.other.test'], PROXY],
    ['wwwxtarget.test', ['www.target.test'], PROXY],
    ['www.target.test', [''], PROXY],
    ['www.target.test', ['(', '['], PROXY],
    ['www.target.test', [1, null, 'www.target.test'], DIRECT],
    ['127.0.0.1', ['127.0.0.1'], DIRECT],
    ['127.0.0.1', ['127.0.*'], DIRECT],
    ['127.0.0.1', ['27.0.0.1'], PROXY],
    ['127.0.0.1', ['localhost'], PROXY],
    ['localhost', ['127.0.0.1'], PROXY],
  ])('sends %s past %j: %s', judge);

  it.runIf(hasIpv6).each<[host: string, list: readonly unknown[], way: string]>([
    ['[::1]', ['::1'], DIRECT],
    ['[::1]', ['[::1]'], DIRECT],
    ['[::1]', ['*'], DIRECT],
    ['[::1]', ['::2'], PROXY],
    ['[::1]', ['127.0.0.1'], PROXY],
  ])('sends %s past %j: %s', judge);

  it('does not look at the port', async () => {
    const server = await TestServer.start();
    const proxy = await ScriptedProxy.listen();
    const exclusionList = [`127.0.0.1:${server.port}`];

    await TestClient.open(server.url(), { proxy: { ...proxy.option, exclusionList } });

    expect(proxy.requests).toHaveLength(1);
  });

  async function judge(host: string, list: readonly unknown[], way: string): Promise<void> {
    const proxy = await ScriptedProxy.listen();
    const option = { ...proxy.option, exclusionList: list as string[] };
    expect(await wayTo(host, proxy, { proxy: option })).toBe(way);
  }
});

describe('a proxy', PATIENT, () => {
  it.each<[string, (proxy: ScriptedProxy) => ClientOptions['proxy']]>([
    ["'no-proxy'", () => 'no-proxy'],
    ['an empty host', ({ option }) => ({ ...option, host: '' })],
    ['the port 0', ({ option }) => ({ ...option, port: 0 })],
  ])('is not used with %s', async (_what, optionOf) => {
    const proxy = await ScriptedProxy.listen();

    expect(await wayTo('www.target.test', proxy, { proxy: optionOf(proxy) })).toBe(DIRECT);
  });
});

/** Connects, and tells whether the proxy was asked. The name resolves to this machine. */
async function wayTo(host: string, proxy: ScriptedProxy, options: ClientOptions): Promise<string> {
  const isIpv6 = host.startsWith('[');
  const name = host.toLowerCase();
  resolveNames({ [name]: ['127.0.0.1'], [host]: ['127.0.0.1'] });
  const server = await TestServer.start(isIpv6 ? { serverIP: '::1' } : {});
  await TestClient.open(`ws://${host}:${server.port}/`, options);
  return proxy.requests.length === 0 ? DIRECT : PROXY;
}

describe('the system', PATIENT, () => {
  interface Situation {
    readonly what: string;
    /** `{proxy}` stands for the proxy's host and port. */
    readonly env: Readonly<Record<string, string>>;
    readonly proxy?: 'system' | 'no-proxy' | 'excluded';
    readonly way: string;
  }

  it.each<Situation>([
    { what: 'nothing', env: {}, way: DIRECT },
    { what: 'HTTP_PROXY', env: { HTTP_PROXY: 'http://{proxy}' }, way: PROXY },
    { what: 'HTTP_PROXY with a slash', env: { HTTP_PROXY: 'http://{proxy}/' }, way: PROXY },
    { what: 'HTTP_PROXY without a scheme', env: { HTTP_PROXY: '{proxy}' }, way: PROXY },
    { what: 'http_proxy', env: { http_proxy: 'http://{proxy}' }, way: PROXY },
    { what: 'ALL_PROXY', env: { ALL_PROXY: 'http://{proxy}' }, way: PROXY },
    { what: 'all_proxy', env: { all_proxy: 'http://{proxy}' }, way: PROXY },
    { what: 'an empty HTTP_PROXY', env: { HTTP_PROXY: '' }, way: DIRECT },
    { what: 'HTTPS_PROXY, which is for wss', env: { HTTPS_PROXY: 'http://{proxy}' }, way: DIRECT },
    {
      what: 'HTTP_PROXY before ALL_PROXY',
      env: { HTTP_PROXY: 'http://{proxy}', ALL_PROXY: 'http://127.0.0.1:9' },
      way: PROXY,
    },
    {
      what: 'NO_PROXY with the host',
      env: { HTTP_PROXY: 'http://{proxy}', NO_PROXY: 'other.test, 127.0.0.1' },
      way: DIRECT,
    },
    {
      what: 'no_proxy with the host',
      env: { HTTP_PROXY: 'http://{proxy}', no_proxy: '127.0.0.1' },
      way: DIRECT,
    },
    { what: 'NO_PROXY of all', env: { ALL_PROXY: 'http://{proxy}', NO_PROXY: '*' }, way: DIRECT },
    {
      what: 'NO_PROXY with another host',
      env: { HTTP_PROXY: 'http://{proxy}', NO_PROXY: 'localhost,27.0.0.1' },
      way: PROXY,
    },
    {
      what: "'system' in so many words",
      env: { HTTP_PROXY: 'http://{proxy}' },
      proxy: 'system',
      way: PROXY,
    },
    {
      what: "'no-proxy'",
      env: { http_proxy: 'http://{proxy}', HTTP_PROXY: 'http://{proxy}', ALL_PROXY: '{proxy}' },
      proxy: 'no-proxy',
      way: DIRECT,
    },
    {
      what: 'a proxy whose exclusion list has the host',
      env: { http_proxy: 'http://{proxy}', HTTP_PROXY: 'http://{proxy}' },
      proxy: 'excluded',
      way: DIRECT,
    },
  ])('with $what: $way', async ({ env, proxy: option, way }) => {
    const server = await TestServer.start();
    const proxy = await ScriptedProxy.listen();
    const excluded = { ...proxy.option, exclusionList: ['127.0.0.1'] };
    const choice = option === 'excluded' ? excluded : option;

    const outcome = await connectIn({
      env: filledIn(env, `127.0.0.1:${proxy.port}`),
      url: server.url(),
      options: choice === undefined ? {} : { proxy: choice },
    });

    expect(outcome).toEqual({ event: 'open' });
    expect(proxy.requests.length === 0 ? DIRECT : PROXY).toBe(way);
  });

  it('gives user and password in the URL', async () => {
    const server = await TestServer.start();
    const proxy = await ScriptedProxy.listen(demandUser('us er', 'p@ss:wörd'));
    const credentials = `us%20er:${encodeURIComponent('p@ss:wörd')}`;

    const outcome = await connectIn({
      env: { HTTP_PROXY: `http://${credentials}@127.0.0.1:${proxy.port}` },
      url: server.url(),
    });

    const given = (await proxy.firstRequest()).header('proxy-authorization');
    expect(given).toBe(basic('us er', 'p@ss:wörd'));
    expect(outcome).toEqual({ event: 'open' });
  });

  it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])('has %s for wss', async (name) => {
    const proxy = await ScriptedProxy.listen((_request, socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });

    const outcome = await connectIn({
      env: { [name]: `http://127.0.0.1:${proxy.port}` },
      url: 'wss://target.test/',
    });

    expect(outcome).toMatchObject({ event: 'error', data: '0', cause: { phase: 'proxy' } });
    expect(proxy.requests).toHaveLength(1);
  });

  it.each(['socks5://127.0.0.1:9', 'https://127.0.0.1:9', 'http://'])(
    'has the proxy %s, which cannot be used: says so and does not go around it',
    async (value) => {
      const server = await TestServer.start();

      const outcome = await connectIn({ env: { HTTP_PROXY: value }, url: server.url() });

      expect(outcome).toMatchObject({
        event: 'rejected',
        code: 2302999,
        cause: { phase: 'proxy', detail: expect.stringContaining('HTTP_PROXY') },
      });
      expect(server.log.names).toEqual([]);
    },
  );
});

function filledIn(
  env: Readonly<Record<string, string>>,
  proxy: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.replace('{proxy}', proxy)]),
  );
}
