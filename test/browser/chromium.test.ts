/** Proves that a browser and our server understand one another: Chromium, as far as one is installed. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../helpers/certificates.js';
import { VERY_PATIENT } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { Chromium, type Ended, findChromium } from './chromium.js';

const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_000_000];
/** As large as `send` takes them. */
const LARGEST = 5_242_864;
/** What a device reports where the peer gave none (C24). */
const NO_REASON = 'The link is down';
const program = findChromium();

describe.runIf(program !== undefined)('Chromium', VERY_PATIENT, () => {
  let browser: Chromium;
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = makeCertificates();
    browser = await Chromium.start(program as string);
  }, VERY_PATIENT.timeout);
  afterAll(async () => {
    await browser?.stop();
    certificates.remove();
  });

  it('exchanges texts, in order', async () => {
    const server = await TestServer.startEcho();
    const tab = await browser.tab();
    const { id, extensions, protocol } = await tab.open(server.url());
    const texts = [
      '',
      'Hello',
      'Größe 你好 👩‍👩‍👧‍👦',
      '\u0000',
      ...SIZES.map((size) => 'ü'.repeat(size)),
    ];

    expect(await tab.call('echoTexts', id, texts)).toEqual(texts);
    expect([extensions, protocol]).toEqual(['', '']);
  });

  it.each(['ArrayBuffer', 'view', 'Blob'])('exchanges bytes as %s, up to 5 MB', async (form) => {
    const server = await TestServer.startEcho();
    const tab = await browser.tab();
    const { id } = await tab.open(server.url());
    const sizes = [...SIZES, LARGEST];

    expect(await tab.call('echoBytes', id, sizes, form)).toEqual(sizes.map(() => true));
  });

  it.each([[[1000]], [[1000, 'done']], [[3000, 'ü'.repeat(61)]], [[4999, 'last']]])(
    'closes with %j',
    async (given) => {
      const server = await TestServer.startEcho();
      const tab = await browser.tab();
      const { id } = await tab.open(server.url());
      const [code, reason = ''] = given;

      const ended = await tab.call<Ended>('close', id, ...given);

      expect(ended).toEqual({ code, reason, wasClean: true });
      expect(await server.nextClose()).toMatchObject({ code, reason: reason || NO_REASON });
    },
  );

  it.each([
    [
      { code: 1000, reason: 'bye' },
      { code: 1000, reason: 'bye' },
    ],
    [
      { code: 1008, reason: 'ü'.repeat(61) },
      { code: 1008, reason: 'ü'.repeat(61) },
    ],
    [{ code: 1013 }, { code: 1013, reason: 'CLOSE_NORMAL' }],
    // As a device: codes above 1015 are 1000.
    [
      { code: 4000, reason: 'ours' },
      { code: 1000, reason: 'ours' },
    ],
  ])('is closed with %j', async (given, seen) => {
    const server = await TestServer.start();
    const tab = await browser.tab();
    const { id } = await tab.open(server.url());

    await server.close(await server.nextConnect(), given);

    expect(await tab.call('closed', id)).toEqual({ ...seen, wasClean: true });
  });

  it('is told 1001 by a server that stops', async () => {
    const server = await TestServer.start();
    const tab = await browser.tab();
    const { id } = await tab.open(server.url());

    await server.stop();

    expect(await tab.call('closed', id)).toMatchObject({ code: 1001, wasClean: true });
  });

  it('ends one connection alone with an empty close frame, which stops netstack', async () => {
    const server = await TestServer.startEcho();
    const tab = await browser.tab();
    const leaving = await tab.open(server.url());
    const staying = await tab.open(server.url());

    const ended = await tab.call<Ended>('close', leaving.id);

    expect(ended).toEqual({ code: 1005, reason: '', wasClean: true });
    expect(await server.nextClose()).toMatchObject({ code: 1000, reason: NO_REASON });
    expect(await tab.call('echoTexts', staying.id, ['still here'])).toEqual(['still here']);
    const late = await tab.open(server.url());
    expect(await tab.call('echoTexts', late.id, ['welcome'])).toEqual(['welcome']);
  });

  it('exchanges messages over wss', async () => {
    const server = await TestServer.startEcho({ serverCert: certificates.server });
    const url = `wss://localhost:${server.port}/`;
    const tab = await browser.tab({ ignoreHTTPSErrors: true });
    const { id } = await tab.open(url);

    expect(await tab.call('echoTexts', id, ['secret'])).toEqual(['secret']);
    expect(await tab.call('echoBytes', id, [LARGEST], 'view')).toEqual([true]);
    expect(await tab.call('close', id, 1000, 'bye')).toMatchObject({ code: 1000, reason: 'bye' });
    // The same certificate, where it is looked at.
    const strict = await browser.tab();
    expect(await strict.call('open', url)).toMatchObject({ code: 1006, wasClean: false });
  });

  it.each([
    ['kept', {}],
    ['not kept', { serverNoContextTakeover: true, clientNoContextTakeover: true }],
    ['small', { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
  ])('exchanges compressed messages, with windows %s', async (_what, options) => {
    const permessageDeflate = { threshold: 0, ...options };
    const server = await TestServer.startEcho({ permessageDeflate });
    const tab = await browser.tab();
    const { id, extensions } = await tab.open(server.url());
    const texts = ['', ...SIZES.map((size) => 'again and again '.repeat(size / 16))];

    expect(extensions).toMatch(/^permessage-deflate/);
    expect(await tab.call('echoTexts', id, texts)).toEqual(texts);
    expect(await tab.call('echoBytes', id, [...SIZES, LARGEST], 'view')).toEqual(
      [...SIZES, LARGEST].map(() => true),
    );
  });

  it('speaks the subprotocol of the server', async () => {
    const server = await TestServer.start({ protocol: 'chat.v2' });
    const tab = await browser.tab();

    const { protocol } = await tab.open(server.url(), ['chat.v1', 'chat.v2']);

    expect(protocol).toBe('chat.v2');
  });

  it('is let in from the pages of an allowed origin only', async () => {
    const ours = await TestServer.start({ allowedOrigins: [browser.origin] });
    const others = await TestServer.start({ allowedOrigins: ['https://elsewhere.invalid'] });
    const tab = await browser.tab();

    await tab.open(ours.url());

    expect(await tab.call('open', others.url())).toMatchObject({ code: 1006 });
  });

  it('has 200 sockets in 10 tabs, and closing the tabs ends them', async () => {
    const server = await TestServer.startEcho();
    const profile = await browser.profile();
    // Chromium allows 255 sockets in all.
    const tabs = await Promise.all(Array.from({ length: 10 }, () => profile.tab()));

    const right = await Promise.all(tabs.map((tab) => tab.call('crowd', server.url(), 20, 50)));

    expect(right).toEqual(tabs.map(() => 20 * 50));
    expect(await server.list()).toHaveLength(200);
    await Promise.all(tabs.map((tab) => tab.page.close()));
    await server.log.count('close', 200);
    const codes = server.log.values('close').map((value) => (value as Ended).code);
    expect(codes).toEqual(codes.map(() => 1001));
  });
});
