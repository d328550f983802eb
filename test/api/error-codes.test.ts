/**
 * Walks the table of errors: each code is provoked through the public API, as a promise and, where
 * there is such a form, through a callback; and `docs/errors.md` lists each with cause and remedy.
 */

import { readFileSync } from 'node:fs';
import { BusinessError, setPolicy, webSocket } from 'ohos-websocket';
import { afterEach, describe, expect, it } from 'vitest';
import { type ErrorName, errorTable } from '../../lib/errors.js';
import { PATIENT } from '../helpers/deadline.js';
import { RawListener } from '../helpers/peers.js';

type Callback = (error: unknown, value: unknown) => void;

/** How to get one error. What is opened on the way is closed by `cleanUp`. */
interface Provocation {
  promise(): Promise<unknown>;
  callback?(callback: Callback): unknown;
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  setPolicy();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const client = () => webSocket.createWebSocket();
const server = () => webSocket.createWebSocketServer();
const nobody = { clientIP: '127.0.0.1', clientPort: 1 };

/** Calls with arguments that the types do not allow. */
function loosely(target: object, method: string, ...args: unknown[]): unknown {
  return (target as Record<string, (...args: unknown[]) => unknown>)[method]?.(...args);
}

async function runningServer() {
  const running = server();
  await running.start({ serverIP: '127.0.0.1', serverPort: 0 });
  cleanUps.push(() => running.stop().catch(() => undefined));
  return running;
}

/** A client that has begun to connect to somebody who never answers. */
async function connectingClient() {
  const listener = await RawListener.listen();
  const ws = client();
  const url = listener.url();
  await ws.connect(url);
  cleanUps.push(() => ws.close().catch(() => undefined));
  return { ws, url };
}

const missingFile = { caPath: '/nonexistent/ca.pem' };

const provocations: Record<ErrorName, Provocation> = {
  connectFailed: {
    promise: () => client().connect('ws://'),
    callback: (callback) => client().connect('ws://', callback),
  },
  notConnected: {
    promise: () => client().send('x'),
    callback: (callback) => client().send('x', callback),
  },
  permissionDenied: {
    promise: () => {
      setPolicy({ internetPermission: false });
      return client().connect('ws://127.0.0.1:1/');
    },
    callback: (callback) => {
      setPolicy({ internetPermission: false });
      return client().connect('ws://127.0.0.1:1/', callback);
    },
  },
  parameter: {
    promise: async () => loosely(client(), 'connect', 5),
    callback: (callback) => loosely(client(), 'connect', 5, callback),
  },
  url: {
    promise: () => client().connect('http://127.0.0.1/'),
    callback: (callback) => client().connect('http://127.0.0.1/', callback),
  },
  fileMissing: {
    promise: () => client().connect('wss://127.0.0.1:1/', missingFile),
    callback: (callback) => client().connect('wss://127.0.0.1:1/', missingFile, callback),
  },
  alreadyConnected: {
    promise: async () => {
      const { ws, url } = await connectingClient();
      return ws.connect(url);
    },
    callback: async (callback) => {
      const { ws, url } = await connectingClient();
      ws.connect(url, callback);
    },
  },
  badAddress: { promise: () => server().start({ serverIP: 'localhost', serverPort: 0 }) },
  badPort: { promise: () => server().start({ serverPort: 65_536 }) },
  noSuchConnection: { promise: async () => (await runningServer()).send('x', nobody) },
  portOccupied: {
    promise: async () => {
      const serverPort = (await runningServer()).port ?? 0;
      return server().start({ serverIP: '127.0.0.1', serverPort });
    },
  },
  domainDenied: {
    promise: () => {
      setPolicy({ allowedDomains: ['example.com'] });
      return client().connect('ws://127.0.0.1:1/');
    },
    callback: (callback) => {
      setPolicy({ allowedDomains: ['example.com'] });
      return client().connect('ws://127.0.0.1:1/', callback);
    },
  },
  other: {
    promise: () => client().close(),
    callback: (callback) => client().close(callback),
  },
};

const names = Object.keys(errorTable) as ErrorName[];
const withCallback = names.filter((name) => provocations[name].callback !== undefined);

function expectRow(error: unknown, name: ErrorName): void {
  const { code, text } = errorTable[name];
  expect(error).toBeInstanceOf(BusinessError);
  expect(error).toMatchObject({
    code,
    message: text,
    cause: { phase: expect.any(String), errno: expect.any(String), detail: expect.any(String) },
  });
}

describe('every error', PATIENT, () => {
  it.each(names)('%s rejects a promise', async (name) => {
    const outcome = await provocations[name].promise().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    expectRow('error' in outcome ? outcome.error : outcome.value, name);
  });

  it.each(withCallback)('%s reaches a callback, and nothing is returned', async (name) => {
    const [error, value] = await new Promise<[unknown, unknown]>((resolve) => {
      void provocations[name].callback?.((...args) => resolve(args));
    });
    expectRow(error, name);
    expect(value).toBeUndefined();
  });

  it('401 is thrown by on and off', () => {
    for (const method of ['on', 'off']) {
      for (const target of [client(), server()]) {
        expect(() => loosely(target, method, 5)).toThrow(
          expect.objectContaining({ code: 401, message: 'Parameter error' }),
        );
      }
    }
  });

  it('200 is in the error events of both sides', async () => {
    const ws = client();
    const refused = new Promise((resolve) => ws.on('error', resolve));
    const full = server();
    const refusing = new Promise((resolve) => full.on('error', resolve));
    await full.start({ serverIP: '127.0.0.1', serverPort: 0, maxConcurrentClientsNumber: 0 });
    cleanUps.push(() => full.stop());
    await ws.connect(`ws://127.0.0.1:${full.port}/`);
    const cause = { phase: 'handshake', errno: expect.any(String), detail: expect.any(String) };
    await expect(refused).resolves.toMatchObject({ code: 200, data: '503', cause });
    await expect(refusing).resolves.toMatchObject({ code: 200, cause });
  });
});

describe('docs/errors.md', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (-?\d+) \| `(.+?)` \| (.+?) \| (.+?) \| (.+?) \|$/gm)];

  it('lists exactly the errors of the table, with cause and remedy', () => {
    expect(rows.map(([, code, text]) => [Number(code), text])).toEqual(
      names.map((name) => [errorTable[name].code, errorTable[name].text]),
    );
    for (const [, , , from, cause, remedy] of rows) {
      for (const cell of [from, cause, remedy]) expect(cell).toMatch(/\w/);
    }
  });
});
