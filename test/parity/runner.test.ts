/**
 * The runner itself: that it sees the difference between right and wrong, that a module's crash,
 * hang or stray exception is a mismatch and not a silence, and its pieces that compute.
 */

import { describe, expect, test } from 'vitest';
import type { Case, Observation } from './runner/format.js';
import {
  differences,
  encodeFrame,
  FrameParser,
  joinFragments,
  limiter,
  matches,
  payloadBytes,
  runCase,
} from './runner/index.mjs';

const CONNECT: Case = {
  id: 'runner-connect',
  title: 'connect resolves',
  origin: 'written',
  refs: [],
  side: 'client',
  app: [{ op: 'createWebSocket' }, { op: 'connect', args: ['ws://127.0.0.1:{port}/'] }],
  expect: { calls: [{ step: 1, op: 'connect', resolved: true }], events: [], wire: [] },
  settleMs: 20,
};

function play(fault: string, testCase: Case = CONNECT) {
  const entry = new URL(`./fixtures/faulty.mjs?fault=${fault}`, import.meta.url).href;
  return runCase(testCase, { entry, profile: 'default' });
}

describe('running a case', () => {
  test('matches what is as expected', async () => {
    expect(await play('none')).toEqual({
      id: CONNECT.id,
      title: CONNECT.title,
      matched: true,
      differences: [],
    });
  });

  test.each([
    ['throw', /call 0: expected .*resolved.* got .*thrown/],
    ['uncaught', /uncaught: Error: from nowhere/],
    ['rejection', /uncaught: Error: left alone/],
    ['crash', /process ended before the case was over: SIGABRT/],
    ['crash-at-exit', /process ended after the case: SIGABRT/],
    ['exit', /process exited before the case was over/],
  ])('notices the fault %s', async (fault, text) => {
    const { matched, differences: found } = await play(fault);
    expect(matched).toBe(false);
    expect(found.join('\n')).toMatch(text);
  });

  test('ends a case that hangs', async () => {
    const { differences: found } = await play('hang', { ...CONNECT, limitMs: 1500 });
    expect(found).toEqual(['still running after 1500 ms, before the case was over']);
  });

  test('notices an event that does not come', async () => {
    const app = [...CONNECT.app, { op: 'waitEvent', event: 'open', timeoutMs: 50 }];
    const { differences: found } = await play('none', { ...CONNECT, app });
    expect(found.join()).toMatch(/expected nothing got .*"timedOut":true/);
  });

  test('reports a module that is no such API', async () => {
    const { differences: found } = await runCase(CONNECT, { entry: 'node:fs', profile: 'default' });
    expect(found.join()).toMatch(/exports no createWebSocket/);
  });
});

describe('the verdict', () => {
  const open = { event: 'open', args: [] };
  const message = { event: 'message', args: ['m'] };
  const seen: Observation = { calls: [], events: [], wire: [], times: [], uncaught: [] };
  const expecting = (expect: Partial<Case['expect']>, rest: Partial<Case> = {}): Case => ({
    ...CONNECT,
    expect: { calls: [], events: [], wire: [], ...expect },
    ...rest,
  });
  const verdict = (testCase: Case, observed: Partial<Observation>, strictOrder = true) =>
    differences(testCase, { ...seen, ...observed }, { profile: 'default', strictOrder });

  test('demands the nominal order of events unless told otherwise', () => {
    const testCase = expecting({ events: [open, message] });
    const swapped = { events: [message, open] };
    expect(verdict(testCase, { events: [open, message] })).toEqual([]);
    expect(verdict(testCase, swapped)).toHaveLength(2);
    expect(verdict(testCase, swapped, false)).toEqual([]);
    expect(verdict({ ...testCase, order: { events: 'any' } }, swapped)).toEqual([]);
    expect(verdict({ ...testCase, order: { events: 'exact' } }, swapped, false)).toHaveLength(2);
  });

  test('holds adjacent and before pairs in every order', () => {
    const events = [message, open];
    const testCase = expecting({ events: { $any: true } });
    expect(
      verdict({ ...testCase, order: { adjacent: [['message', 'open']] } }, { events }),
    ).toEqual([]);
    expect(
      verdict({ ...testCase, order: { adjacent: [['open', 'message']] } }, { events }),
    ).toHaveLength(1);
    expect(
      verdict({ ...testCase, order: { before: [['open', 'message']] } }, { events }),
    ).toHaveLength(1);
  });

  test('counts missing and surplus events in any order', () => {
    const testCase = expecting({ events: [open, open] }, { order: { events: 'any' } });
    expect(verdict(testCase, { events: [open, message] })).toHaveLength(2);
  });

  test('tolerates the additions of the documented profile and nothing else', () => {
    const testCase = expecting({ events: [{ event: 'error', args: [{ code: 200, data: '0' }] }] });
    const error = (value: { [key: string]: string | number }) => ({
      events: [{ event: 'error', args: [value] }],
    });
    expect(verdict(testCase, error({ code: 200, data: '0', message: 'refused' }))).toEqual([]);
    expect(verdict(testCase, error({ code: 200, data: '0', detail: 'refused' }))).toHaveLength(1);
    expect(verdict(testCase, error({ code: 200, data: '101' }))).toHaveLength(1);
  });

  test('compares connections, frames and ends', () => {
    const frame = { opcode: 1, fin: true, masked: true, utf8: 'x' };
    const close = { opcode: 8, fin: true, masked: true, code: 1002, reason: '' };
    const testCase = expecting({ wire: [{ frames: [frame], end: 'app' }] });
    const wire = (frames: object[], end = 'peer') => ({
      wire: [{ frames, end }] as Observation['wire'],
    });
    expect(verdict(testCase, wire([frame]))).toEqual([]);
    expect(verdict({ ...testCase, check: ['end'] }, wire([frame]))).toHaveLength(1);
    expect(verdict(testCase, wire([frame], 'open'))).toHaveLength(1);
    expect(verdict(testCase, wire([frame, close]))).toHaveLength(1);
    expect(verdict({ ...testCase, relax: ['protocolClose'] }, wire([frame, close]))).toEqual([]);
    expect(verdict(testCase, {})).toEqual(['wire: expected 1 connections got 0']);
  });

  test('measures the time between events', () => {
    const timing = [{ after: 'open', event: 'close', minMs: 100, maxMs: 200 }];
    const testCase = expecting({}, { timing });
    const times = (ms: number): Partial<Observation> => ({
      times: [
        ['open', 50],
        ['close', 50 + ms],
      ],
    });
    expect(verdict(testCase, times(150))).toEqual([]);
    expect(verdict(testCase, times(99))).toHaveLength(1);
    expect(verdict(testCase, times(201))).toHaveLength(1);
    expect(verdict(testCase, {})).toHaveLength(1);
  });
});

describe('matchers', () => {
  test.each([
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, b: { $optional: true, $any: true } }, { a: 1 }, true],
    [{ a: 1, b: { $any: true } }, { a: 1, b: [2] }, true],
    [{ $oneOf: ['x', 'y'] }, 'y', true],
    [{ $oneOf: ['x', 'y'] }, 'z', false],
    [[1, 2], [1], false],
    [[], {}, false],
    [null, undefined, false],
    ['1', 1, false],
  ])('%j against %j: %s', (expected, actual, result) => {
    expect(matches(expected, actual)).toBe(result);
  });
});

describe('frames', () => {
  const asIs = (text: string) => text;

  test.each([0, 1, 125, 126, 65_535, 65_536, 70_000])(
    'of %i bytes survive a round trip',
    (count) => {
      const payload = { byte: 'a5', count };
      for (const mask of [false, true]) {
        const bytes = encodeFrame({ opcode: 'binary', mask, payload }, false, asIs);
        const parser = new FrameParser();
        parser.push(Buffer.concat([bytes, bytes]));
        expect(parser.frames).toHaveLength(2);
        const [, second] = parser.frames;
        expect(second).toMatchObject({ fin: true, rsv: 0, opcode: 2, masked: mask });
        expect(second?.body.equals(payloadBytes(payload, asIs))).toBe(true);
      }
    },
  );

  test('are found however the bytes are cut', () => {
    const bytes = Buffer.concat([
      encodeFrame({ opcode: 'text', fin: false, payload: 'ab' }, true, asIs),
      encodeFrame({ opcode: 'ping', payload: 'p' }, true, asIs),
      encodeFrame({ opcode: 'cont', payload: { utf8: 'c', count: 200 } }, true, asIs),
    ]);
    for (let size = 1; size <= bytes.length; size++) {
      const parser = new FrameParser();
      for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
      expect(parser.frames.map(({ opcode }) => opcode)).toEqual([1, 9, 0]);
      const [text, ping] = joinFragments(parser.frames);
      expect(text?.body.toString()).toBe(`ab${'c'.repeat(200)}`);
      expect(text?.fin).toBe(true);
      expect(ping?.body.toString()).toBe('p');
    }
  });
});

test('the limiter never runs more than its width', async () => {
  const limited = limiter(2);
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
  };
  const failing = limited(() => Promise.reject(new Error('x')));
  await expect(failing).rejects.toThrow('x');
  await Promise.all(Array.from({ length: 9 }, () => limited(work)));
  expect(most).toBe(2);
});
