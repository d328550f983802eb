// @ts-check
/**
 * Plays one case in this process and returns what was observed.
 */

import { AppDriver } from './app.mjs';
import { Stage } from './stage.mjs';
import { sleep } from './waiting.mjs';

/**
 * @import { CaseOrder, Observation } from './format.js'
 * @import { Api } from './app.mjs'
 */

const SETTLE_MS = 300;

/**
 * @param {CaseOrder} order
 * @returns {Promise<Observation>}
 */
export async function playCase(order) {
  const { testCase } = order;
  const uncaught = watchUncaught();
  const api = await loadApi(order.entry);
  const stage = new Stage(order);
  await stage.open();
  const app = new AppDriver(api, stage);
  await app.run(testCase.app);
  // A span in which nothing more may come: there is no event for that.
  await sleep(testCase.settleMs ?? SETTLE_MS);
  return {
    calls: app.calls,
    events: app.events,
    wire: stage.connections.map((connection) => connection.describe(testCase.check ?? [])),
    times: app.times,
    uncaught,
  };
}

/**
 * The two functions of the module under test, wherever it exports them.
 *
 * @param {string} entry
 * @returns {Promise<Api>}
 */
async function loadApi(entry) {
  const module = await import(entry);
  const candidates = [module.webSocket, module.default?.webSocket, module, module.default];
  const api = candidates.find((candidate) => typeof candidate?.createWebSocket === 'function');
  if (!api) throw new Error(`${entry} exports no createWebSocket`);
  return api;
}

/** @returns {string[]} grows with every exception and rejection that nobody handles */
function watchUncaught() {
  /** @type {string[]} */
  const seen = [];
  const keep = (/** @type {unknown} */ error) => {
    seen.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  };
  process.on('uncaughtException', keep);
  process.on('unhandledRejection', keep);
  return seen;
}
