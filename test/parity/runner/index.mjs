// @ts-check
/**
 * What the tests, and whoever else embeds the runner, need of it.
 */

export { differences } from './compare.mjs';
export { holdsFor, loadCases } from './corpus.mjs';
export { encodeFrame, FrameParser, joinFragments } from './frames.mjs';
export { matches } from './match.mjs';
export { payloadBytes } from './payload.mjs';
export { limiter, runCase } from './run.mjs';
