/** The ledger: which numbers are loss, which repetition, and what a first word means. */

import { describe, expect, it } from 'vitest';
import { Ledger } from '../../lib/cluster/ledger.js';

const NEW = { repeated: false, missing: undefined };
const REPEATED = { repeated: true, missing: undefined };

describe('a publisher that registered later than we subscribed', () => {
  const listening = () => {
    const ledger = new Ledger();
    ledger.settle(['earlier']);
    return ledger;
  };

  it('begins at 1', () => {
    const ledger = listening();
    expect(ledger.take('later', 1)).toEqual(NEW);
    expect(ledger.take('later', 2)).toEqual(NEW);
  });

  it('has lost what is before its first word', () => {
    const ledger = listening();
    expect(ledger.take('later', 3)).toEqual({ repeated: false, missing: { from: 1, to: 2 } });
    expect(listening().mark('later', 2)).toEqual({ from: 1, to: 2 });
    expect(listening().mark('later', 0)).toBe(undefined);
  });
});

describe('a publisher that may have sent before we subscribed', () => {
  it.each([
    ['was registered', ['earlier']],
    ['is heard before we know who was', undefined],
  ])('%s: its first word is the beginning', (_what, registered) => {
    const ledger = new Ledger();
    if (registered !== undefined) ledger.settle(registered);
    expect(ledger.take('earlier', 7)).toEqual(NEW);
    expect(ledger.take('earlier', 9)).toEqual({ repeated: false, missing: { from: 8, to: 8 } });
  });

  it('tells by a mark where it is', () => {
    const ledger = new Ledger();
    ledger.settle(['earlier', 'silent']);
    expect(ledger.mark('earlier', 7)).toBe(undefined);
    expect(ledger.take('earlier', 9).missing).toEqual({ from: 8, to: 8 });
    expect(ledger.mark('silent', 0)).toBe(undefined);
    expect(ledger.take('silent', 2).missing).toEqual({ from: 1, to: 1 });
  });
});

describe('completeness', () => {
  it('comes with the first word of everybody who was there', () => {
    const ledger = new Ledger();
    expect([ledger.isSettled, ledger.isComplete]).toEqual([false, false]);
    ledger.take('heard', 3);
    ledger.settle(['heard', 'a', 'b']);
    expect([ledger.isSettled, ledger.isComplete]).toEqual([true, false]);
    ledger.mark('a', 0);
    expect(ledger.isComplete).toBe(false);
    ledger.take('b', 9);
    expect(ledger.isComplete).toBe(true);
  });

  it('does not wait for the dead, who begin anew if they come back', () => {
    const ledger = new Ledger();
    ledger.settle(['a', 'dead']);
    ledger.expectOnly(new Set(['a', 'another']));
    expect(ledger.isComplete).toBe(false);
    ledger.mark('a', 2);
    expect(ledger.isComplete).toBe(true);
    expect(ledger.mark('dead', 2)).toEqual({ from: 1, to: 2 });
  });
});

describe('a known publisher', () => {
  it('repeats what is not above its last number', () => {
    const ledger = new Ledger();
    ledger.settle([]);
    ledger.take('a', 1);
    ledger.take('a', 2);
    expect(ledger.take('a', 2)).toEqual(REPEATED);
    expect(ledger.take('a', 1)).toEqual(REPEATED);
    expect(ledger.take('a', 3)).toEqual(NEW);
  });

  it('is told of each loss once, be it by a message or by a mark', () => {
    const ledger = new Ledger();
    ledger.settle([]);
    ledger.take('a', 1);
    expect(ledger.mark('a', 4)).toEqual({ from: 2, to: 4 });
    expect(ledger.mark('a', 4)).toBe(undefined);
    expect(ledger.mark('a', 3)).toBe(undefined);
    expect(ledger.take('a', 5)).toEqual(NEW);
  });

  it('is no other one, and may be forgotten', () => {
    const ledger = new Ledger();
    ledger.settle([]);
    ledger.take('a', 1);
    expect(ledger.take('b', 1)).toEqual(NEW);
    expect([...ledger.publishers()]).toEqual(['a', 'b']);
    ledger.forget('a');
    expect([...ledger.publishers()]).toEqual(['b']);
    expect(ledger.take('a', 1)).toEqual(NEW);
  });
});
