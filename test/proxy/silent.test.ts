/**
 * Proves that an attempt whose proxy falls silent ends by itself, after the 15 s of `handshakeTimeoutMs`. Slow: one
 * test waits for all of it, with every kind of silence at the same time.
 */

import { describe, expect, it } from 'vitest';
import { VERY_PATIENT, within } from '../helpers/deadline.js';
import { TestClient } from '../helpers/endpoints.js';
import { answer, ESTABLISHED, type Script, ScriptedProxy, silent } from './scripted-proxy.js';

interface Silence {
  readonly what: string;
  readonly script: Script;
  readonly scheme: 'ws' | 'wss';
  /** Where the attempt has got to. */
  readonly phase: string;
}

/** Says a byte now and then, so that something always comes. */
const dribble: Script = (_request, socket) => {
  let at = 0;
  const text = `HTTP/1.1 200 OK\r\nX-Slow: ${'x'.repeat(1000)}`;
  const timer = setInterval(() => socket.write(text[at++] ?? 'x'), 500);
  socket.on('close', () => clearInterval(timer));
};

const silences: readonly Silence[] = [
  { what: 'no answer', script: silent, scheme: 'ws', phase: 'proxy' },
  { what: 'no answer for wss', script: silent, scheme: 'wss', phase: 'proxy' },
  { what: 'half an answer', script: answer('HTTP/1.1 200 OK\r\n'), scheme: 'ws', phase: 'proxy' },
  { what: 'an answer that never ends', script: dribble, scheme: 'ws', phase: 'proxy' },
  { what: 'a silent tunnel', script: answer(ESTABLISHED), scheme: 'ws', phase: 'handshake' },
  { what: 'a silent tunnel for wss', script: answer(ESTABLISHED), scheme: 'wss', phase: 'tls' },
];

describe('a proxy that falls silent', VERY_PATIENT, () => {
  it('ends the attempt', async () => {
    const outcomes = await Promise.all(
      silences.map(async ({ what, script, scheme }) => {
        const proxy = await ScriptedProxy.listen(script);
        const client = new TestClient();
        const begin = performance.now();
        await client.connect(`${scheme}://target.test/`, { proxy: proxy.option });
        const error = await errorOf(client).catch(({ message }: Error) => message);
        if (typeof error === 'string') return { what, error };
        const { code, data, cause } = error;
        const seconds = (performance.now() - begin) / 1000;
        const phase = (cause as { phase?: unknown } | undefined)?.phase;
        return { what, code, data, phase, inTime: seconds > 10 && seconds < 25 };
      }),
    );

    expect(outcomes).toEqual(
      silences.map(({ what, phase }) => ({ what, code: 200, data: '0', phase, inTime: true })),
    );
  });
});

interface ErrorEvent {
  readonly code: number;
  readonly data: string;
  readonly cause?: unknown;
}

/** The client's error, which takes longer than what other tests wait for. */
function errorOf(client: TestClient): Promise<ErrorEvent> {
  const error = new Promise<ErrorEvent>((resolve) => {
    client.ws.on('error', (event) => resolve(event as unknown as ErrorEvent));
  });
  return within(error, 'the end of the attempt', 30_000);
}
