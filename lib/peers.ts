/**
 * The connections of a server: all of them, and each by its address, for whoever names it by an object that is not
 * ours.
 */

import { peerOf, type ServerPeer } from './server-peer.js';
import type { WebSocketConnection } from './server-types.js';

export class Peers implements Iterable<ServerPeer> {
  readonly #all = new Set<ServerPeer>();
  /** Made when somebody asks by an address first: most servers never see any but the objects that they were given. */
  #byAddress: Map<string, ServerPeer> | undefined;

  [Symbol.iterator](): IterableIterator<ServerPeer> {
    return this.#all.values();
  }

  add(peer: ServerPeer): void {
    this.#all.add(peer);
    this.#byAddress?.set(keyOf(peer.ip, peer.port), peer);
  }

  delete(peer: ServerPeer): void {
    this.#all.delete(peer);
    const key = keyOf(peer.ip, peer.port);
    // The address may be in use again already.
    if (this.#byAddress?.get(key) === peer) this.#byAddress.delete(key);
  }

  /**
   * The peer of an address. An object of our own knows its peer, but is the application's to change: the fields count,
   * as for any other object.
   */
  find(address: WebSocketConnection): ServerPeer | undefined {
    const { clientIP, clientPort } = address;
    const peer = peerOf(address);
    if (
      peer !== undefined &&
      peer.port === clientPort &&
      peer.ip === clientIP &&
      this.#all.has(peer)
    ) {
      return peer;
    }
    return this.#known().get(keyOf(clientIP, clientPort));
  }

  /** The addresses in the order of their text, as netstack's sorted map has them (S14). */
  sortedAddresses(): WebSocketConnection[] {
    const known = this.#known();
    const keys = [...known.keys()].sort();
    return keys.flatMap((key) => known.get(key)?.address ?? []);
  }

  #known(): Map<string, ServerPeer> {
    if (this.#byAddress === undefined) {
      this.#byAddress = new Map();
      // Of two with the same address, the newer.
      for (const peer of this.#all) this.#byAddress.set(keyOf(peer.ip, peer.port), peer);
    }
    return this.#byAddress;
  }
}

function keyOf(ip: string, port: number): string {
  return `${ip}:${port}`;
}
