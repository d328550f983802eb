/**
 * The page of `examples/dashboard.mjs` as a browser shows it: that its numbers and events are those of the
 * server, that it keeps up, and that it says when the server has gone.
 */

import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Child } from '../helpers/child.js';
import { DEADLINE_MS, VERY_PATIENT } from '../helpers/deadline.js';
import { Chromium, findChromium } from './chromium.js';

const EXAMPLE = new URL('../../examples/dashboard.mjs', import.meta.url);
const program = findChromium();

describe.runIf(program !== undefined)('the dashboard in Chromium', VERY_PATIENT, () => {
  let browser: Chromium;
  beforeAll(async () => {
    browser = await Chromium.start(program as string);
  }, VERY_PATIENT.timeout);
  afterAll(() => browser?.stop());

  it('shows the numbers and the events of the server, live, until it is gone', async () => {
    const dashboard = new Child(EXAMPLE, { args: ['0', '0'] });
    const [, url = '', server = ''] = await dashboard.printed(/page: (\S+) {2}server: (\S+)/);
    const { page } = await browser.tab();
    page.setDefaultTimeout(DEADLINE_MS);
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(message.text());
    });
    await page.goto(url);
    /** Waits until the number of this name is shown as this text. */
    const shows = (name: string, text: string) =>
      page.locator('#numbers div', { hasText: new RegExp(`^${name}${text}$`) }).waitFor();
    const state = page.locator('#state');
    const events = page.locator('#events li');
    await page.locator('#state', { hasText: 'live' }).waitFor();
    await shows('open', '0');

    const client = new WebSocket(server);
    onTestFinished(() => client.terminate());
    await once(client, 'open');
    await shows('open', '1');
    await events.filter({ hasText: /open 127\.0\.0\.1:\d+ \{\}/ }).waitFor();
    for (let n = 0; n < 5; n++) client.send('hello');
    await shows('received', '5');
    await shows('sent', '5');
    // The line has a point for each second but the first.
    const points = await page.locator('#line').getAttribute('points');
    expect(points).toMatch(/^(\d+,[\d.]+ ?)+$/);

    expect((await fetch(server.replace('ws:', 'http:'))).status).toBe(426);
    await shows('refused', '1');

    client.close(4001, '<b>bye</b>');
    await shows('open', '0');
    // What a peer says is text for the page.
    await events.filter({ hasText: '<b>bye</b>' }).waitFor();
    expect(await page.locator('#events b').count()).toBe(0);

    for (let n = 0; n < 15; n++) {
      const visitor = new WebSocket(server);
      await once(visitor, 'open');
      visitor.close();
      await once(visitor, 'close');
    }
    await shows('opened', '16');
    expect(await events.count()).toBe(20);

    dashboard.kill('SIGINT');
    await page.locator('#state', { hasText: 'gone' }).waitFor();
    expect(await state.textContent()).toBe('gone');
    expect(wrong).toEqual([]);
    await dashboard.exits(0);
  });
});
