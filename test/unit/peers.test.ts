/** Who is found by which address, and who is not any more. */

import { describe, expect, it } from 'vitest';
import { Peers } from '../../lib/peers.js';
import { type PeerEvents, PLAIN, ServerPeer } from '../../lib/server-peer.js';
import type { Connection } from '../../lib/transport.js';

function peer(ip: string, port: number): ServerPeer {
  const about = { ip, port, state: 'open', request: PLAIN } as const;
  return new ServerPeer({} as Connection, about, {} as PeerEvents);
}

function peersOf(...all: ServerPeer[]): Peers {
  const peers = new Peers();
  for (const each of all) peers.add(each);
  return peers;
}

describe('the peers of a server', () => {
  it('are found by the object that they are known by, and by any other with its fields', () => {
    const [one, other] = [peer('10.0.0.1', 1), peer('10.0.0.1', 2)];
    const peers = peersOf(one, other);
    expect(peers.find(one.address)).toBe(one);
    expect(peers.find({ clientIP: '10.0.0.1', clientPort: 2 })).toBe(other);
    expect(peers.find({ clientIP: '10.0.0.1', clientPort: 3 })).toBeUndefined();
  });

  it('are found when they have come after somebody has asked by an address', () => {
    const peers = peersOf();
    expect(peers.find({ clientIP: '10.0.0.1', clientPort: 1 })).toBeUndefined();
    const late = peer('10.0.0.1', 1);
    peers.add(late);
    expect(peers.find({ clientIP: '10.0.0.1', clientPort: 1 })).toBe(late);
  });

  it('go by the fields of an object of ours that the application has changed', () => {
    const [one, other] = [peer('10.0.0.1', 1), peer('10.0.0.1', 2)];
    const peers = peersOf(one, other);
    one.address.clientPort = 2;
    expect(peers.find(one.address)).toBe(other);
  });

  it('are not found when they are gone, or those of another server', () => {
    const [one, foreign] = [peer('10.0.0.1', 1), peer('10.0.0.1', 2)];
    const [peers, others] = [peersOf(one), peersOf(foreign)];
    expect(peers.find(foreign.address)).toBeUndefined();
    peers.delete(foreign);
    expect(others.find(foreign.address)).toBe(foreign);
    peers.delete(one);
    expect(peers.find(one.address)).toBeUndefined();
    expect(peers.find({ clientIP: '10.0.0.1', clientPort: 1 })).toBeUndefined();
    expect([...peers]).toEqual([]);
  });

  it.each(['before they came', 'after they came', 'when one has gone'])(
    'with one address are meant by it from the newest on, asked first %s',
    (asked) => {
      const [old, middle, young, last] = Array.from({ length: 4 }, () => peer('10.0.0.1', 1));
      const peers = peersOf(peer('10.0.0.1', 2));
      const find = () => peers.find({ clientIP: '10.0.0.1', clientPort: 1 });
      if (asked === 'before they came') expect(find()).toBeUndefined();
      for (const each of [old, middle, young]) peers.add(each as ServerPeer);
      if (asked === 'after they came') expect(find()).toBe(young);
      peers.delete(middle as ServerPeer);
      expect(find()).toBe(young);
      peers.delete(young as ServerPeer);
      expect(find()).toBe(old);
      peers.add(last as ServerPeer);
      expect(find()).toBe(last);
      peers.delete(old as ServerPeer);
      expect(find()).toBe(last);
      peers.delete(last as ServerPeer);
      expect(find()).toBeUndefined();
    },
  );

  it('go only from where they are, and once', () => {
    const [one, gone, foreign] = [peer('10.0.0.1', 1), peer('10.0.0.1', 1), peer('10.0.0.1', 1)];
    const peers = peersOf(one, gone);
    peersOf(foreign);
    const find = () => peers.find({ clientIP: '10.0.0.1', clientPort: 1 });
    expect(find()).toBe(gone);
    for (const each of [gone, gone, foreign]) peers.delete(each);
    expect(find()).toBe(one);
    expect([...peers]).toEqual([one]);
  });

  it('with one address are each found by the object that they are known by', () => {
    const [old, young] = [peer('10.0.0.1', 1), peer('10.0.0.1', 1)];
    const peers = peersOf(old, young);
    expect(peers.find(old.address)).toBe(old);
    expect(peers.find(young.address)).toBe(young);
    peers.delete(young);
    // An address is what it says, as on a device: who has it now is meant.
    expect(peers.find(young.address)).toBe(old);
  });

  it('come and go without a look at their addresses while nobody asks by one', () => {
    const one = peer('10.0.0.1', 1);
    let looks = 0;
    Object.defineProperty(one, 'ip', {
      get: () => {
        looks += 1;
        return '10.0.0.1';
      },
    });
    const peers = peersOf(one);
    peers.delete(one);
    expect(looks).toBe(0);
  });

  it('have their addresses in the order of the text', () => {
    const peers = peersOf(peer('9.0.0.1', 1), peer('10.0.0.1', 20), peer('10.0.0.1', 3));
    expect(
      peers.sortedAddresses().map(({ clientIP, clientPort }) => [clientIP, clientPort]),
    ).toEqual([
      ['10.0.0.1', 20],
      ['10.0.0.1', 3],
      ['9.0.0.1', 1],
    ]);
  });

  it('have all their addresses listed where several are equal', () => {
    const [old, young, other] = [peer('10.0.0.1', 1), peer('10.0.0.1', 1), peer('10.0.0.1', 2)];
    const [first, second, ...rest] = peersOf(old, other, young).sortedAddresses();
    expect(first).toBe(old.address);
    expect(second).toBe(young.address);
    expect(rest).toEqual([{ clientIP: '10.0.0.1', clientPort: 2 }]);
  });
});
