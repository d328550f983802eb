/**
 * Proves `closeTimeoutMs` in both roles: a connection whose peer does not read is given up after it, and
 * not after another one's time. Two connections close one after the other; only the second, whose time is
 * short, is over.
 */

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';
import { FLOOD, openPair, type Pair, ROLES } from './pair.js';

describe.each(ROLES)('closeTimeoutMs of our %s', PATIENT, (role) => {
  it('is how long a peer may make no progress', async () => {
    const patient = await openPair(role, { limits: { closeTimeoutMs: 600_000 } });
    const hasty = await openPair(role, { limits: { closeTimeoutMs: 50 } });
    await closeWithoutReader(patient);
    await closeWithoutReader(hasty);

    expect(await hasty.nextClose()).toMatchObject({ code: 1000, reason: 'CLOSE_NORMAL' });
    hasty.peer.readOn();
    await hasty.peer.readToEnd();

    expect(patient.names).not.toContain('close');
    // Within its time the peer may take everything.
    patient.peer.readOn();
    for (const { length } of FLOOD) {
      expect((await patient.peer.readFrame()).payload.length).toBe(length);
    }
    expect((await patient.peer.expectClose()).code).toBe(1000);
    patient.peer.sendClose(1000);
    expect(await patient.nextClose()).toMatchObject({ code: 1000 });
  });
});

async function closeWithoutReader({ peer, send, close }: Pair): Promise<void> {
  peer.stopReading();
  for (const bytes of FLOOD) void send(bytes);
  await close();
}
