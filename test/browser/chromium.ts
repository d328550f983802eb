/**
 * Chromium as the other end: one browser for a file of tests, a fresh profile for each test, and tabs whose
 * page (`page.js`) is served from 127.0.0.1, so that requests have an ordinary `Origin`.
 */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { plainEnvironment, within } from '../helpers/deadline.js';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];
const SCRIPT = fileURLToPath(new URL('./page.js', import.meta.url));

/** The path of an installed browser; undefined, and said, if there is none. */
export function findChromium(): string | undefined {
  for (const name of PROGRAMS) {
    const { status, stdout } = spawnSync('which', [name], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  process.stdout.write(`not run: test/browser, for want of ${PROGRAMS.join(' or ')}\n`);
  return undefined;
}

export interface Opened {
  readonly id: number;
  readonly extensions: string;
  readonly protocol: string;
}

export interface Ended {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export class Chromium {
  /** Of the pages: what their requests have as `Origin`. */
  readonly origin: string;
  readonly #browser: Browser;
  readonly #pages: http.Server;

  private constructor(browser: Browser, pages: http.Server) {
    this.#browser = browser;
    this.#pages = pages;
    this.origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  }

  static async start(executablePath: string): Promise<Chromium> {
    const pages = http.createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>a tab</title>');
    });
    pages.listen(0, '127.0.0.1');
    await once(pages, 'listening');
    const env = plainEnvironment() as Record<string, string>;
    return new Chromium(await chromium.launch({ executablePath, env }), pages);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    this.#pages.close();
  }

  /** A profile of its own, which takes any certificate if asked to. */
  async profile(options: { ignoreHTTPSErrors?: boolean } = {}): Promise<Profile> {
    const context = await this.#browser.newContext(options);
    onTestFinished(() => context.close());
    await context.addInitScript({ path: SCRIPT });
    return new Profile(context, this.origin);
  }

  /** A tab in a profile of its own. */
  async tab(options: { ignoreHTTPSErrors?: boolean } = {}): Promise<Tab> {
    return (await this.profile(options)).tab();
  }
}

export class Profile {
  readonly #context: BrowserContext;
  readonly #origin: string;

  constructor(context: BrowserContext, origin: string) {
    this.#context = context;
    this.#origin = origin;
  }

  async tab(): Promise<Tab> {
    const page = await this.#context.newPage();
    await page.goto(this.#origin);
    return new Tab(page);
  }
}

export class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Calls a function of `page.js`. */
  call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    const given = args.map((argument) => JSON.stringify(argument)).join(', ');
    return within(this.page.evaluate<T>(`peer.${name}(${given})`), `'${name}' of the tab`);
  }

  /** Opens a connection, which has to succeed. */
  async open(url: string, protocols: readonly string[] = []): Promise<Opened> {
    const outcome = await this.call<Opened | Ended>('open', url, protocols);
    if (!('id' in outcome)) throw new Error(`no connection: ${JSON.stringify(outcome)}`);
    return outcome;
  }
}
