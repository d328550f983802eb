/** The pure parts: frames, the inbox, dropped messages, the roll call, the spread of topics over channels. */

import { describe, expect, it } from 'vitest';
import { type DroppedRow, Drops } from '../../lib/cluster/drops.js';
import {
  decode,
  encodeMark,
  encodeMessage,
  encodeQuestion,
  MAX_TOPIC_BYTES,
} from '../../lib/cluster/frame.js';
import { Inbox } from '../../lib/cluster/inbox.js';
import { RollCall } from '../../lib/cluster/roll-call.js';
import { Topics } from '../../lib/cluster/topics.js';
import { settled } from '../helpers/fake-transport.js';

const publisher = '0123456789abcdef';

describe('frames', () => {
  it.each([
    ['text', 'ünï', true],
    ['an empty text', '', true],
    ['bytes', Uint8Array.of(0, 255, 7), false],
    ['no bytes', new Uint8Array(0), false],
  ])('carry %s', (_what, data, isText) => {
    const head = { publisher, sequence: 2 ** 48 - 1 };
    expect(decode(encodeMessage(head, 'töpic', data))).toEqual({
      kind: 'message',
      ...head,
      topic: 'töpic',
      payload: Buffer.from(data as string),
      isText,
    });
  });

  it('carry marks and questions', () => {
    const head = { publisher, sequence: 7 };
    expect(decode(encodeMark(head))).toEqual({ kind: 'mark', ...head });
    expect(decode(encodeQuestion(publisher, [0, 16_383]))).toEqual({
      kind: 'question',
      publisher,
      sequence: 0,
      channels: [0, 16_383],
    });
  });

  it('carry the longest topic', () => {
    const topic = 'x'.repeat(MAX_TOPIC_BYTES);
    expect(decode(encodeMessage({ publisher, sequence: 1 }, topic, 'y'))).toMatchObject({ topic });
  });

  it('cut anywhere in the head, of no kind, or with number 0 are none', () => {
    const whole = encodeMessage({ publisher, sequence: 1 }, 'topic', 'data');
    for (let size = 0; size < 15 + 2 + 5; size++) {
      expect(decode(whole.subarray(0, size))).toBe(undefined);
    }
    expect(decode(Buffer.alloc(15))).toBe(undefined);
    expect(decode(Buffer.alloc(15, 9))).toBe(undefined);
    expect(decode(encodeMessage({ publisher, sequence: 0 }, 'topic', 'data'))).toBe(undefined);
  });
});

describe('the inbox', () => {
  it('delivers at once while nobody asks to wait', () => {
    const taken: number[] = [];
    const inbox = new Inbox<number>(0, (n) => taken.push(n));
    expect([inbox.push(1, 100), inbox.push(2, 100)]).toEqual([true, true]);
    expect(taken).toEqual([1, 2]);
  });

  it('keeps order and bound while it is asked to wait', async () => {
    const taken: number[] = [];
    let go: () => void = () => undefined;
    const inbox = new Inbox<number>(10, (n) => {
      taken.push(n);
      return n === 1 ? new Promise<void>((resolve) => (go = resolve)) : undefined;
    });
    expect(inbox.push(1, 4)).toBe(true);
    expect(inbox.push(2, 4)).toBe(true);
    expect(inbox.push(3, 6)).toBe(true);
    expect(inbox.push(4, 1)).toBe(false);
    expect(inbox.waitingBytes).toBe(10);
    expect(taken).toEqual([1]);
    go();
    await settled();
    expect(taken).toEqual([1, 2, 3]);
    expect(inbox.waitingBytes).toBe(0);
    inbox.push(5, 1);
    expect(taken).toEqual([1, 2, 3, 5]);
  });

  it('goes on after a rejection', async () => {
    const taken: number[] = [];
    const inbox = new Inbox<number>(10, async (n) => {
      taken.push(n);
      throw new Error('the local side failed');
    });
    inbox.push(1, 1);
    inbox.push(2, 1);
    await settled();
    expect(taken).toEqual([1, 2]);
  });
});

describe('dropped messages', () => {
  it('in a row are one gap', () => {
    const rows: DroppedRow[] = [];
    const drops = new Drops((row) => rows.push(row));
    for (const sequence of [3, 4, 5, 7]) drops.add(1, 'a', sequence);
    drops.add(1, 'b', 8);
    drops.add(2, 'b', 9);
    drops.flush();
    drops.flush();
    expect(rows).toEqual([
      { channel: 1, publisher: 'a', from: 3, to: 5 },
      { channel: 1, publisher: 'a', from: 7, to: 7 },
      { channel: 1, publisher: 'b', from: 8, to: 8 },
      { channel: 2, publisher: 'b', from: 9, to: 9 },
    ]);
  });
});

describe('the roll call', () => {
  const HOUR = 60 * 60_000;

  it('forgets who was silent for two hours, once', () => {
    const roll = new RollCall();
    expect(roll.call(['a', 'b'], new Set(['a']), 0)).toEqual([]);
    expect(roll.call(['a', 'b'], new Set(['a']), 2 * HOUR - 1)).toEqual([]);
    expect(roll.call(['a', 'b'], new Set(['a']), 2 * HOUR)).toEqual(['b']);
    expect(roll.call(['a', 'b'], new Set(['a']), 2 * HOUR)).toEqual([]);
  });

  it('counts from the last sign of life', () => {
    const roll = new RollCall();
    roll.call(['a'], new Set(), 0);
    roll.call(['a'], new Set(['a']), HOUR);
    expect(roll.call(['a'], new Set(), 2 * HOUR)).toEqual([]);
    expect(roll.call(['a'], new Set(), 4 * HOUR)).toEqual(['a']);
  });
});

describe('topics', () => {
  it('are spread evenly, the same way every time', () => {
    const topics = new Topics(64);
    const load = new Array(64).fill(0);
    for (let n = 0; n < 64_000; n++) load[topics.channelOf(`room/${n}`)] += 1;
    expect(Math.min(...load)).toBeGreaterThan(800);
    expect(Math.max(...load)).toBeLessThan(1200);
    // Fixed: machines of different versions have to agree.
    expect(['room/1', 'news', 'ünï'].map((topic) => topics.channelOf(topic))).toEqual([26, 6, 32]);
  });

  it('give their channel up with the last of them', () => {
    const topics = new Topics(1);
    topics.add('a');
    topics.add('b');
    expect(topics.remove('a')).toBe(undefined);
    expect(topics.remove('a')).toBe(undefined);
    expect(topics.of(0)).toEqual(['b']);
    expect(topics.remove('b')).toBe(0);
    expect(topics.of(0)).toEqual([]);
    expect([...topics.all()]).toEqual([]);
  });
});
