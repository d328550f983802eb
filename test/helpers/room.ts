/** A server with raw peers, each known to the server by its connection, in the order in which they came. */

import { type ClientAddress, type ServerConfig, TestServer } from './endpoints.js';
import { RawPeer } from './peers.js';

export interface Guest {
  readonly peer: RawPeer;
  readonly connection: ClientAddress;
}

export class Room {
  readonly test: TestServer;
  readonly guests: Guest[] = [];

  private constructor(test: TestServer) {
    this.test = test;
  }

  static async open(guests: number, config: Partial<ServerConfig> = {}): Promise<Room> {
    const room = new Room(await TestServer.start(config));
    while (room.guests.length < guests) await room.join();
    return room;
  }

  get server(): TestServer['server'] {
    return this.test.server;
  }

  connection(index: number): ClientAddress {
    return this.guest(index).connection;
  }

  peer(index: number): RawPeer {
    return this.guest(index).peer;
  }

  guest(index: number): Guest {
    const guest = this.guests[index];
    if (guest === undefined) throw new Error(`there is no guest ${index}`);
    return guest;
  }

  async join(
    options: Parameters<typeof RawPeer.open>[0] = { port: this.test.port },
  ): Promise<Guest> {
    const peer = await RawPeer.open(options);
    const guest = { peer, connection: await this.test.nextConnect() };
    this.guests.push(guest);
    return guest;
  }

  /** What each has got since it was last asked, up to a mark that is sent to each now. */
  async received(): Promise<string[][]> {
    return Promise.all(this.guests.map((guest) => this.receivedBy(guest)));
  }

  async receivedBy({ peer, connection }: Guest): Promise<string[]> {
    void this.server.send('(mark)', connection);
    const texts: string[] = [];
    for (;;) {
      const text = await peer.expectText();
      if (text === '(mark)') return texts;
      texts.push(text);
    }
  }
}
