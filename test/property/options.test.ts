/**
 * Options of any shape: a call never throws, it is accepted or refused with a code of the documentation, and a refused
 * one has changed nothing.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BusinessError, errorTable } from '../../lib/errors.js';
import { limitTable } from '../../lib/limits.js';
import { documented, netstack, type Profile } from '../../lib/profile.js';
import { call, newClient, newServer, openClient, url } from '../helpers/fake-endpoints.js';
import { runs } from './runs.js';

const PROFILES: readonly (readonly [string, Profile])[] = [
  ['documented', documented],
  ['netstack', netstack],
];
const CODES = new Set<unknown>(Object.values(errorTable).map(({ code }) => code));

/** Any value, or one that is nearly right. */
const anything = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.anything({
      withBigInt: true,
      withDate: true,
      withNullPrototype: true,
      withTypedArray: true,
    }),
  },
  fc.integer({ min: -2, max: 70_000 }),
  fc.boolean(),
  fc.constantFrom(
    '',
    'system',
    'no-proxy',
    'wait',
    'refuse',
    'close',
    '127.0.0.1',
    '::1',
    '/nowhere',
    'a, b',
    Infinity,
    NaN,
  ),
);

/** An object of some of these members, with any values, and perhaps one that nobody knows. */
function members(
  names: readonly string[],
  values = anything,
): fc.Arbitrary<Record<string, unknown>> {
  const model = Object.fromEntries(names.map((name) => [name, values]));
  return fc.record({ ...model, unknown: anything }, { requiredKeys: [] });
}

function or(shape: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: shape }, anything);
}

const limits = or(members(Object.keys(limitTable)));
const deflate = or(
  members([
    'serverMaxWindowBits',
    'clientMaxWindowBits',
    'serverNoContextTakeover',
    'clientNoContextTakeover',
    'level',
    'memLevel',
    'threshold',
  ]),
);
const certificate = or(members(['certPath', 'keyPath', 'keyPassword']));

/** A few of the members at a time: with all of them there would be no right one. */
function some(all: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .subarray(Object.keys(all), { maxLength: Math.min(4, Object.keys(all).length) })
    .chain((names) =>
      fc.record(Object.fromEntries(names.map((name) => [name, all[name] ?? anything]))),
    );
}

const connectOptions = some({
  header: or(fc.dictionary(fc.string(), anything)),
  caPath: anything,
  clientCert: certificate,
  proxy: or(members(['host', 'port', 'exclusionList', 'username', 'password'])),
  protocol: anything,
  skipServerCertVerification: anything,
  pingInterval: anything,
  pongTimeout: anything,
  minSupportTlsProtocol: anything,
  supportOriginPort: anything,
  limits,
  backPressure: anything,
  permessageDeflate: deflate,
  binaryType: anything,
});
const serverConfig = some({
  serverIP: anything,
  serverPort: anything,
  serverCert: certificate,
  protocol: anything,
  maxConcurrentClientsNumber: anything,
  maxConnectionsForOneClient: anything,
  connectRateLimit: anything,
  allowedOrigins: or(fc.array(anything, { maxLength: 3 })),
  limits,
  backPressure: anything,
  permessageDeflate: deflate,
});
const closeOptions = some({ code: anything, reason: anything });

/** What became of a call: nothing yet, true, or the error it was refused with. Throws if the call does. */
async function outcomeOf(result: unknown): Promise<unknown> {
  expect(result).toBeInstanceOf(Promise);
  const nothingYet = new Promise((resolve) => setImmediate(() => resolve(undefined)));
  return Promise.race([(result as Promise<unknown>).catch((error: unknown) => error), nothingYet]);
}

function expectRefusal(outcome: unknown): void {
  expect(outcome).toBeInstanceOf(BusinessError);
  const { code, message } = outcome as BusinessError;
  expect(CODES).toContain(code);
  expect(message).not.toBe('');
}

/** What cannot be put into words by JSON, or by its own methods. */
const UNSPEAKABLE: readonly unknown[] = [[1n], Object.create(null), { constructor: { name: 1n } }];

describe.each(PROFILES)('in the %s profile', (_name, profile) => {
  it('connect', async () => {
    await fc.assert(
      fc.asyncProperty(or(connectOptions), async (options) => {
        const { ws, transport, log } = newClient(profile);
        const result = call(ws, 'connect', url, options);
        const outcome = await outcomeOf(result);
        if (outcome !== undefined) {
          expectRefusal(outcome);
          expect(transport.clients).toHaveLength(0);
          expect(log).toEqual([]);
          // As if it had never been called.
          void ws.connect(url);
          await outcomeOf(Promise.resolve());
        }
        expect(transport.clients).toHaveLength(1);
        transport.client.handler.onStarted(undefined);
        if (outcome === undefined) await expect(result).resolves.toBe(true);
      }),
      { ...runs(400), examples: UNSPEAKABLE.map((it): [unknown] => [{ backPressure: it }]) },
    );
  });

  it('start', async () => {
    await fc.assert(
      fc.asyncProperty(or(serverConfig), async (config) => {
        const { server, transport, log } = newServer(profile);
        const result = call(server, 'start', config);
        const outcome = await outcomeOf(result);
        if (outcome !== undefined) {
          expectRefusal(outcome);
          expect(transport.servers).toHaveLength(0);
          expect(log).toEqual([]);
          void server.start({ serverPort: 0 });
          await outcomeOf(Promise.resolve());
        }
        expect(transport.servers).toHaveLength(1);
        transport.server.handler.onStarted([9001], undefined);
        if (outcome === undefined) await expect(result).resolves.toBe(true);
      }),
      { ...runs(400), examples: UNSPEAKABLE.map((it): [unknown] => [{ allowedOrigins: [it] }]) },
    );
  });

  it('close', async () => {
    await fc.assert(
      fc.asyncProperty(or(closeOptions), async (options) => {
        const { ws, connection, log } = openClient(profile);
        const outcome = await outcomeOf(call(ws, 'close', options));
        if (outcome !== true) {
          expectRefusal(outcome);
          expect(connection.closes).toEqual([]);
          expect(await outcomeOf(ws.send('still open'))).toBe(true);
        } else {
          expect(connection.closes).toHaveLength(1);
          const [{ code, wireCode } = { code: -1, wireCode: -1 }] = connection.closes;
          for (const each of [code, wireCode]) expect(isSixteenBits(each), String(each)).toBe(true);
        }
        expect(log).toEqual([]);
      }),
      runs(400),
    );
  });

  it('send', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (data) => {
        const { ws, connection } = openClient(profile);
        const outcome = await outcomeOf(call(ws, 'send', data));
        if (outcome !== true) expectRefusal(outcome);
        expect(connection.sent).toHaveLength(outcome === true ? 1 : 0);
      }),
      runs(400),
    );
  });
});

function isSixteenBits(code: number): boolean {
  return Number.isInteger(code) && code >= 0 && code <= 65_535;
}
