/** To which engines a published message goes, with engines that the test plays. */

import { beforeEach, describe, expect, test } from 'vitest';
import type { WebSocketConnection } from '../../lib/server-types.js';
import { call, newServer } from '../helpers/fake-endpoints.js';
import { accepted, cleanClose, FakePublisher } from '../helpers/fake-transport.js';

const engines = [new FakePublisher(), new FakePublisher(), new FakePublisher()];

beforeEach(() => {
  for (const engine of engines) {
    engine.published.length = 0;
    engine.pending = undefined;
  }
});

/** A running server with two connections on each engine: ports 1 and 2, 3 and 4, 5 and 6. */
async function started() {
  const { server, transport } = newServer();
  const starting = call(server, 'start', { serverPort: 8080 });
  transport.server.handler.onStarted([8080], undefined);
  await starting;
  const handlers = [1, 2, 3, 4, 5, 6].map(
    (port) =>
      accepted(transport.server, '10.0.0.1', port, engines[Math.floor((port - 1) / 2)]).handler,
  );
  return { server, handlers };
}

const of = (clientPort: number): WebSocketConnection => ({ clientIP: '10.0.0.1', clientPort });
const counts = () => engines.map(({ published }) => published.length);

describe('a published message', () => {
  test('goes to the engines that have subscribers, and to no other', async () => {
    const { server, handlers } = await started();
    await server.publish('news', 'nobody');
    expect(counts()).toEqual([0, 0, 0]);

    for (const port of [1, 3, 4]) await server.subscribe(of(port), 'news');
    await server.publish('news', 'one');
    expect(counts()).toEqual([1, 1, 0]);

    await server.unsubscribe(of(1), 'news');
    await server.unsubscribe(of(3), 'news');
    await server.unsubscribe(of(3), 'news');
    await server.publish('news', 'two');
    expect(counts()).toEqual([1, 2, 0]);

    handlers[3]?.onClosed(cleanClose);
    await server.subscribe(of(6), 'news');
    await server.publish('news', 'three');
    expect(counts()).toEqual([1, 2, 1]);
    expect(server.subscriberCount('news')).toBe(1);
  });

  test('to everybody goes where there is somebody', async () => {
    const { server, handlers } = await started();
    for (const n of [2, 3]) handlers[n]?.onClosed(cleanClose);
    await server.broadcast('one');
    expect(counts()).toEqual([1, 0, 1]);
    handlers[0]?.onClosed(cleanClose);
    await server.broadcast('two');
    handlers[1]?.onClosed(cleanClose);
    await server.broadcast('three');
    expect(counts()).toEqual([2, 0, 3]);
  });

  test('waits for every engine that has to catch up', async () => {
    const { server } = await started();
    for (const port of [1, 3, 5]) await server.subscribe(of(port), 'news');
    const releases: (() => void)[] = [];
    for (const engine of engines.slice(1)) {
      engine.pending = new Promise((resolve) => {
        releases.push(resolve);
      });
    }
    let published = false;
    const publishing = server.publish('news', 'x').then(() => {
      published = true;
    });
    releases[0]?.();
    await engines[1]?.pending;
    await new Promise((resolve) => setImmediate(resolve));
    expect(published).toBe(false);
    releases[1]?.();
    await publishing;
  });
});
