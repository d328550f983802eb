/** The client of npm's `ws` as the tests of a server's outside use it. */

import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket as WsClient } from 'ws';

/** A client that offers no compression unless told to. */
export async function wsClient(url: string, options: object = {}): Promise<WsClient> {
  const client = new WsClient(url, { perMessageDeflate: false, ...options });
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  return client;
}

/** How the connection ended, for a client. */
export function ended(client: WsClient): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    client.once('close', (code: number, reason: Buffer) =>
      resolve({ code, reason: reason.toString() }),
    );
  });
}
