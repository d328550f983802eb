// @ts-check
/**
 * The process of one case: takes the case from the parent, plays it, answers, and exits. It leaves
 * by `process.exit` with whatever the case left open, so a module that cannot stand that is seen.
 */

import { playCase } from './play.mjs';

/** @import { CaseOrder, CaseReport } from './format.js' */

process.once('message', async (/** @type {CaseOrder} */ order) => {
  /** @type {CaseReport} */
  let report;
  try {
    report = { observation: await playCase(order) };
  } catch (error) {
    report = { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(report, () => process.exit(0));
});
