/** When what is sent is shown to the engine: how often native code is crossed into, over a real engine and real sockets. */

import { describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { createWebSocket, type WebSocket } from '../../lib/index.js';
import { PATIENT, within } from '../helpers/deadline.js';
import { type FrameSpec, Opcode, RawListener } from '../helpers/peers.js';

const COUNT = 100;

const replies: Record<string, (ws: WebSocket) => unknown> = {
  'at once': (ws) => ws.send('reply'),
  'after an await': async (ws) => {
    await undefined;
    await ws.send('reply');
  },
  'after a tick': (ws) => process.nextTick(() => void ws.send('reply')),
};

describe('what the handlers of a client send', PATIENT, () => {
  it.each(Object.keys(replies))('leaves together, also if they do so %s', async (when) => {
    const listener = await RawListener.listen();
    const ws = createWebSocket();
    await ws.connect(listener.url());
    const peer = await listener.acceptOpen();
    let heard = 0;
    const all = new Promise<void>((resolve) => {
      ws.on('message', () => {
        void replies[when]?.(ws);
        heard += 1;
        if (heard === COUNT) resolve();
      });
    });
    const wake = vi.spyOn(binding, 'wake');

    const message: FrameSpec = { opcode: Opcode.text, payload: 'x' };
    peer.send(...Array.from({ length: COUNT }, () => message));
    await within(all, 'all messages');
    for (let n = 0; n < COUNT; n += 1) expect(await peer.expectText()).toBe('reply');

    // One packet is read at once; the system may cut it all the same.
    expect(wake.mock.calls.length).toBeLessThan(10);
    wake.mockRestore();
    void ws.close();
  });
});
