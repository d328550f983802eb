/**
 * The connections of a server: all of them, and each by its address, for whoever names it by an object that is not
 * ours.
 *
 * Several may have one address: a client may use one port of its own for connections to several addresses of the server.
 * Such an address means the newest of those that are there.
 */

import { peerOf, type ServerPeer } from './server-peer.js';
import type { WebSocketConnection } from './server-types.js';

export class Peers implements Iterable<ServerPeer> {
  readonly #all = new Set<ServerPeer>();
  /**
   * Those of each address, the newest last; no list is empty. Made when somebody asks by an address first: most servers
   * never see any but the objects that they were given.
   */
  #byAddress: Map<string, ServerPeer[]> | undefined;

  [Symbol.iterator](): IterableIterator<ServerPeer> {
    return this.#all.values();
  }

  add(peer: ServerPeer): void {
    peer.peers = this;
    this.#all.add(peer);
    if (this.#byAddress !== undefined) enter(this.#byAddress, peer);
  }

  delete(peer: ServerPeer): void {
    if (peer.peers !== this) return;
    peer.peers = undefined;
    this.#all.delete(peer);
    if (this.#byAddress !== undefined) remove(this.#byAddress, peer);
  }

  /**
   * The peer of an address. An object of our own knows its peer, but is the application's to change: the fields count,
   * as for any other object.
   */
  find(address: WebSocketConnection): ServerPeer | undefined {
    const { clientIP, clientPort } = address;
    const peer = peerOf(address);
    if (peer?.peers === this && peer.port === clientPort && peer.ip === clientIP) return peer;
    return this.#known().get(keyOf(clientIP, clientPort))?.at(-1);
  }

  /** The addresses of all, in the order of their text, as netstack's sorted map has them (S14). */
  sortedAddresses(): WebSocketConnection[] {
    const known = [...this.#known()].sort(([one], [other]) => (one < other ? -1 : 1));
    return known.flatMap(([, peers]) => peers.map(({ address }) => address));
  }

  #known(): ReadonlyMap<string, readonly ServerPeer[]> {
    if (this.#byAddress === undefined) {
      this.#byAddress = new Map();
      for (const peer of this.#all) enter(this.#byAddress, peer);
    }
    return this.#byAddress;
  }
}

function enter(byAddress: Map<string, ServerPeer[]>, peer: ServerPeer): void {
  const key = keyOf(peer.ip, peer.port);
  const those = byAddress.get(key);
  if (those === undefined) byAddress.set(key, [peer]);
  else those.push(peer);
}

function remove(byAddress: Map<string, ServerPeer[]>, peer: ServerPeer): void {
  const key = keyOf(peer.ip, peer.port);
  const those = byAddress.get(key) ?? [];
  if (those.length === 1) byAddress.delete(key);
  else those.splice(those.indexOf(peer), 1);
}

function keyOf(ip: string, port: number): string {
  return `${ip}:${port}`;
}
