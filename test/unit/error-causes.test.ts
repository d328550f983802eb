/** "Why did it close?": every rejection and every error event has a cause with a phase and words. */

import { describe, expect, it } from 'vitest';
import type { BusinessError } from '../../lib/errors.js';
import { netstack } from '../../lib/profile.js';
import type { Phase } from '../../lib/transport.js';
import {
  call,
  newClient,
  newServer,
  openClient,
  runningServer,
  url,
} from '../helpers/fake-endpoints.js';
import { accepted, cleanClose, failure, rejection, settled } from '../helpers/fake-transport.js';

/** The cause of the last error event in a log. */
function lastCause(log: unknown[][]): unknown {
  const [, error] = log.findLast(([event]) => event === 'error') ?? [];
  return (error as BusinessError).cause;
}

const words = (phase: string) => ({
  phase,
  errno: expect.any(String),
  detail: expect.stringMatching(/./),
});

describe('a client that cannot begin', () => {
  it.each([
    ['arguments', 'connect', [5]],
    ['arguments', 'connect', ['http://']],
    ['arguments', 'connect', [url, { header: { 'a b': 'c' } }]],
    ['files', 'connect', [url, { caPath: '/none' }]],
    ['resolve', 'connect', ['ws://unknown/']],
    ['resolve', 'connect', ['ws://']],
    ['state', 'send', ['x']],
    ['arguments', 'send', [5]],
    ['state', 'close', []],
    ['arguments', 'close', [5]],
  ] as const)('says that it is in phase %s: %s%j', async (phase, method, args) => {
    const { ws } = newClient();
    expect((await rejection(call(ws, method, ...args))).cause).toEqual(words(phase));
  });

  it.each([
    ['https_proxy', 'wss://127.0.0.1/', 'proxy'],
    ['http_proxy', 'ws://127.0.0.1/', 'proxy'],
  ])('says that %s is unusable', async (variable, to, phase) => {
    const { ws, platform } = newClient();
    platform.variables.set(variable, 'socks5://127.0.0.1:1');
    expect((await rejection(ws.connect(to))).cause).toEqual(words(phase));
  });

  it('says which setting refused it', async () => {
    const { ws, settings } = newClient();
    settings.setPolicy({ internetPermission: false });
    expect((await rejection(ws.connect(url))).cause).toEqual(words('arguments'));
    settings.setPolicy({ allowedDomains: [] });
    expect((await rejection(ws.connect(url))).cause).toEqual(words('arguments'));
  });
});

describe('a client', () => {
  it.each<Phase>(['resolve', 'connect', 'proxy', 'tls', 'handshake'])(
    'that fails in phase %s says so, in the rejection and in the event',
    async (phase) => {
      const { ws, transport, log } = newClient();
      const connected = ws.connect(url);
      transport.client.handler.onStarted({ ...failure, phase });
      const cause = { phase, errno: failure.errno, detail: failure.detail };
      expect((await rejection(connected)).cause).toEqual(cause);
      expect(lastCause(log)).toEqual(cause);
      void ws.connect(url);
      transport.client.handler.onStarted(undefined);
      transport.client.handler.onConnectFailed(0, { ...failure, phase, detail: 'again' });
      expect(lastCause(log)).toEqual({ ...cause, detail: 'again' });
    },
  );

  it('to port 0 says so', async () => {
    const { ws, log } = newClient(netstack);
    await ws.connect('ws://127.0.0.1:0/');
    await settled();
    expect(lastCause(log)).toEqual(words('connect'));
  });

  it('whose connection breaks says what broke it, as far as anybody knows', () => {
    const broken = { code: 0, reason: 'The link is down', abnormal: true };
    const first = openClient();
    first.handler.onClosed({ ...broken, failure: { ...failure, phase: 'established' } });
    expect(lastCause(first.log)).toEqual({
      phase: 'established',
      errno: failure.errno,
      detail: failure.detail,
    });
    const second = openClient();
    second.handler.onClosed(broken);
    expect(lastCause(second.log)).toEqual(words('established'));
  });

  it('that is closed in order raises no error', () => {
    const { handler, log } = openClient();
    handler.onClosed(cleanClose);
    expect(log.map(([event]) => event)).toEqual(['close']);
  });
});

describe('a server', () => {
  it.each([
    ['arguments', 'start', []],
    ['arguments', 'start', [{ serverIP: 'x' }]],
    ['arguments', 'start', [{ serverPort: -1 }]],
    ['files', 'start', [{ serverCert: { certPath: '/none', keyPath: '/none' } }]],
    ['state', 'send', ['x', { clientIP: '', clientPort: 1 }]],
    ['state', 'close', [{ clientIP: '1', clientPort: 1 }]],
    ['state', 'listAllConnections', []],
    ['state', 'stop', []],
  ] as const)(
    'that refuses a call says that it is in phase %s: %s%j',
    async (phase, method, args) => {
      const { server } = newServer();
      expect((await rejection(call(server, method, ...args))).cause).toEqual(words(phase));
    },
  );

  it('that cannot listen says why', async () => {
    const { server, transport } = newServer();
    const started = server.start({ serverPort: 80 });
    const cannot = {
      kind: 'permission',
      phase: 'listen',
      errno: 'EACCES',
      detail: 'bind',
    } as const;
    transport.server.handler.onStarted([], cannot);
    expect((await rejection(started)).cause).toEqual({
      phase: 'listen',
      errno: 'EACCES',
      detail: 'bind',
    });
  });

  it('says why it refused a connection, and what broke one', async () => {
    const { transport, log } = await runningServer();
    transport.server.handler.onRefused('192.0.2.1', 503, 'too many clients');
    expect(lastCause(log)).toEqual({ phase: 'handshake', errno: '', detail: 'too many clients' });
    const { handler } = accepted(transport.server, '192.0.2.1', 1);
    const broken = { code: 0, reason: 'The link is down', abnormal: true };
    handler.onClosed({ ...broken, failure: { ...failure, phase: 'established' } });
    expect(lastCause(log)).toEqual({
      phase: 'established',
      errno: failure.errno,
      detail: failure.detail,
    });
    accepted(transport.server, '192.0.2.1', 2).handler.onClosed(broken);
    expect(lastCause(log)).toEqual(words('established'));
  });
});
