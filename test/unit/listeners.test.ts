/** on and off (§2.6; C5, C6). */

import { describe, expect, it, vi } from 'vitest';
import { callIsolated, Listeners } from '../../lib/listeners.js';
import { documented, netstack } from '../../lib/profile.js';
import { uncaughtExceptions } from '../helpers/uncaught.js';

type Slots = { a: (value: number) => unknown; b: () => unknown };

const make = (profile = documented): Listeners<Slots> => new Listeners<Slots>(['a', 'b'], profile);
const f = (): void => {};
const g = (): void => {};

describe('on', () => {
  it('replaces the listener', () => {
    const listeners = make();
    listeners.add(['a', f]);
    listeners.add(['a', g]);
    expect(listeners.current.a).toBe(g);
    expect(listeners.current.b).toBeUndefined();
  });

  it.each([['foo'], ['__proto__'], ['constructor'], ['']])('ignores the event %j', (name) => {
    const listeners = make();
    listeners.add([name, f]);
    listeners.remove([name]);
    expect(Object.keys(listeners.current)).toEqual(['a', 'b']);
    expect(Object.getPrototypeOf(listeners.current)).toBe(Object.prototype);
  });

  it.each([
    [[]],
    [['a']],
    [[5, f]],
    [['a', 5]],
    [['a', f, 1]],
    [['a', undefined]],
    [[undefined, f]],
  ])('throws for %j', (args) => {
    expect(() => make().add(args)).toThrow(
      expect.objectContaining({ code: 401, message: 'Parameter error' }),
    );
    expect(() => make(netstack).add(args)).toThrow(expect.objectContaining({ code: '401' }));
  });
});

describe('off', () => {
  it('removes the listener, or only the one it is given', () => {
    const listeners = make();
    listeners.add(['a', f]);
    listeners.remove(['a', g]);
    expect(listeners.current.a).toBe(f);
    listeners.remove(['a', f]);
    expect(listeners.current.a).toBeUndefined();
    listeners.add(['a', f]);
    listeners.remove(['a']);
    expect(listeners.current.a).toBeUndefined();
  });

  it.each([[[]], [[5]], [['a', 5]], [['a', undefined]], [['a', f, 1]]])('throws for %j', (args) => {
    const listeners = make();
    listeners.add(['a', f]);
    expect(() => listeners.remove(args)).toThrow(expect.objectContaining({ code: 401 }));
    expect(listeners.current.a).toBe(f);
  });
});

describe('an isolated call', () => {
  it('passes the arguments, and no this', () => {
    const listener = vi.fn(function (this: unknown, value: number) {
      return [this, value];
    });
    callIsolated(listener, 7);
    expect(listener).toHaveReturnedWith([undefined, 7]);
    callIsolated(undefined);
  });

  it('turns what is thrown into an uncaught exception', async () => {
    const thrown = uncaughtExceptions(1);
    callIsolated(() => {
      throw new Error('of a listener');
    });
    expect(String(await thrown)).toBe('Error: of a listener');
  });
});
