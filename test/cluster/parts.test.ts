/** The pure parts: frames, the inbox, the spread of topics over channels. */

import { describe, expect, it } from 'vitest';
import {
  decode,
  encodeMark,
  encodeMessage,
  encodeQuestion,
  MAX_TOPIC_BYTES,
} from '../../lib/cluster/frame.js';
import { Inbox } from '../../lib/cluster/inbox.js';
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
