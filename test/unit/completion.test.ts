/** Outcomes of calls: promise or callback, never at once, errors of callbacks uncaught (§2.1). */

import { describe, expect, it, vi } from 'vitest';
import { ACCEPTED, acceptedAfter, deliver, Outcome } from '../../lib/completion.js';
import { businessError } from '../../lib/errors.js';
import { rejection, settled } from '../helpers/fake-transport.js';
import { uncaughtExceptions } from '../helpers/uncaught.js';

describe('a promise', () => {
  it('is the same one for every accepted call', () => {
    expect(deliver(ACCEPTED, undefined)).toBe(ACCEPTED);
  });

  it('takes the first outcome', async () => {
    const outcome = new Outcome();
    outcome.accept();
    outcome.reject(businessError('other'));
    await expect(outcome.promise).resolves.toBe(true);
  });

  it('rejects with the error itself', async () => {
    const outcome = new Outcome();
    const error = businessError('url');
    outcome.reject(error);
    expect(await rejection(outcome.promise)).toBe(error);
  });

  it('waits for what is pending', async () => {
    await expect(acceptedAfter(Promise.resolve())).resolves.toBe(true);
  });
});

describe('a callback', () => {
  it('is called with (undefined, true), after the call has returned', async () => {
    const callback = vi.fn();
    expect(deliver(ACCEPTED, callback)).toBeUndefined();
    expect(callback).not.toHaveBeenCalled();
    await settled();
    expect(callback.mock.calls).toEqual([[undefined, true]]);
  });

  it('is called with (error, undefined)', async () => {
    const callback = vi.fn();
    const error = businessError('url');
    expect(deliver(Promise.reject(error), callback)).toBeUndefined();
    await settled();
    expect(callback.mock.calls).toEqual([[error, undefined]]);
  });

  it('is called in the order of the calls, whatever the outcomes', async () => {
    const order: number[] = [];
    deliver(ACCEPTED, () => order.push(1));
    deliver(Promise.reject(businessError('url')), () => order.push(2));
    deliver(ACCEPTED, () => order.push(3));
    await settled();
    expect(order).toEqual([1, 2, 3]);
  });

  it('that throws is an uncaught exception', async () => {
    const thrown = uncaughtExceptions(2);
    const fail = (): never => {
      throw new Error('of a callback');
    };
    deliver(ACCEPTED, fail);
    deliver(Promise.reject(businessError('url')), fail);
    expect((await thrown).map(String)).toEqual(Array(2).fill('Error: of a callback'));
  });
});
