/**
 * Words of TLS that carry no data (key updates of OpenSSL's tool): some are taken, and who sends nothing else is dropped,
 * since OpenSSL would read them on and on while the other connections of the thread wait.
 */

import { describe, expect, it } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { PATIENT } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { connectRenewing, type RenewingPeer } from './tls-peers.js';

const certificates = certificatesOfFile();
/** More than that in a row are too many. */
const MOST = 32;

async function connect() {
  const server = await TestServer.start({ serverCert: certificates.server });
  return { server, peer: connectRenewing(server.port, certificates.caPath) };
}

async function renew(peer: RenewingPeer, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await peer.renewKeys();
}

/** The tool says by its end, between two of them, that it was dropped. */
function renewTooOften(peer: RenewingPeer): void {
  renew(peer, MOST + 10).catch(() => undefined);
}

describe('a peer that sends key updates', PATIENT, () => {
  it('is served, if data come between them', async () => {
    const { server, peer } = await connect();
    await peer.upgrade();

    for (const text of ['one', 'two', 'three']) {
      await renew(peer, 20);
      peer.sendText(text);
      expect((await server.nextMessage()).data).toBe(text);
    }
  });

  it('ends an open connection with too many of them', async () => {
    const { server, peer } = await connect();
    await peer.upgrade();

    renewTooOften(peer);

    await server.nextClose();
  });

  it('ends before its request with too many of them', async () => {
    const { server, peer } = await connect();
    await peer.renewKeys();

    renewTooOften(peer);

    const pending = async () => (await server.server.stats()).handshakes.pending;
    await expect.poll(pending, { timeout: 10_000 }).toBe(0);
  });
});
