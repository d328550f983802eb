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
    const peers = peersOf(one);
    expect(peers.find(foreign.address)).toBeUndefined();
    peers.delete(one);
    expect(peers.find(one.address)).toBeUndefined();
    expect(peers.find({ clientIP: '10.0.0.1', clientPort: 1 })).toBeUndefined();
    expect([...peers]).toEqual([]);
  });

  it.each(['before', 'after'])(
    'of two with one address the newer is meant, asked %s they came',
    (asked) => {
      const [old, young] = [peer('10.0.0.1', 1), peer('10.0.0.1', 1)];
      const peers = peersOf();
      const find = () => peers.find({ clientIP: '10.0.0.1', clientPort: 1 });
      if (asked === 'before') find();
      peers.add(old);
      peers.add(young);
      expect(find()).toBe(young);
      peers.delete(old);
      expect(find()).toBe(young);
      peers.delete(young);
      expect(find()).toBeUndefined();
    },
  );

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
});
