/**
 * The examples as the TypeScript of an application under its own Vitest, whose configuration leads
 * the platform's modules to this package. Run by `vitest-alias.test.ts`.
 */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../helpers/free-port.js';
import { sayHello, startEcho } from '../peers.js';
import { clientExamples } from './client.js';
import { clientLines, type Profile, serverLines } from './expected.js';
import { serverExamples } from './server.js';

const profile = (process.env['OHOS_WEBSOCKET_PROFILE'] ?? 'documented') as Profile;
const patience = { timeout: 10_000 };

describe(`a client, ${profile}`, () => {
  let echo: Awaited<ReturnType<typeof startEcho>>;
  beforeAll(async () => {
    echo = await startEcho();
  });
  afterAll(() => echo.close());

  it.each(Object.entries(clientExamples))('%s', async (name, example) => {
    const lines: string[] = [];
    const ws = example(echo.url, (line) => lines.push(line));
    await vi.waitFor(() => expect(lines).toEqual(clientLines(profile)[name]), patience);
    await ws.close().catch(() => undefined);
  });
});

describe(`a server, ${profile}`, () => {
  it.each(Object.entries(serverExamples))('%s', async (name, example) => {
    const lines: string[] = [];
    const server = example(await freePort(), (line) => lines.push(line));
    const expected = serverLines[name] ?? [];
    await vi.waitFor(() => expect(lines[0]).toBe(expected[0]), patience);
    if (server.port !== undefined) await sayHello(server.port);
    await vi.waitFor(() => expect(lines).toEqual(expected), patience);
    await server.stop().catch(() => undefined);
  });
});
