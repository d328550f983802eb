/** Makes the engine turn, for tests of what must not happen meanwhile. */

import type { TestServer } from './endpoints.js';
import { Opcode, RawPeer } from './peers.js';

/**
 * Round trips over a connection of its own to a server of this thread. With each the engine has made a turn, in
 * which it reads everybody who has something to be read: at least 64 KiB each, where that came before.
 */
export async function turns(server: TestServer, count = 1000): Promise<void> {
  const peer = await RawPeer.open({ port: server.port });
  for (let n = 0; n < count; n++) {
    peer.send({ opcode: Opcode.ping, payload: String(n) });
    await peer.expectFrame(Opcode.pong);
  }
  peer.socket.destroy();
}
