// Proves that the load generator and the compared clients can be believed: lets them meet the server
// of each case in self-test-cases.mjs, and looks whether they say of it what they must.

import { Child } from './children.mjs';
import { BUILD_DIRECTORY, TLS_DIRECTORY } from './paths.mjs';
import { certificateFiles, makeCertificate } from './prepare.mjs';
import { CHOSEN, makeScriptedServer } from './scripted-server.mjs';
import { CASES, STRANGER_DIRECTORY } from './self-test-cases.mjs';
import { clientCommand } from './servers.mjs';

/** @typedef {import('./self-test-cases.mjs').Case} Case */

/** Messages, or connections, of a case. */
const MESSAGES = 300;

/**
 * @param {Case} wanted
 * @param {number} port
 * @returns {readonly string[]} the command line
 */
function commandLine(wanted, port) {
  const options = { port, connections: 3, inflight: 4, size: wanted.size ?? 64, stall: 0.7 };
  if (wanted.client) {
    return clientCommand(wanted.client, { ...options, warmup: 0.2, seconds: 0.3 });
  }
  const ca = wanted.tls && { ca: certificateFiles(TLS_DIRECTORY).cert };
  const all = Object.entries({ ...options, messages: MESSAGES, ...ca, ...wanted.options });
  return [
    `${BUILD_DIRECTORY}/load`,
    ...all.flatMap(([name, value]) => (value === '' ? [] : [`--${name}`, String(value)])),
  ];
}

/**
 * @param {Case} wanted
 * @returns {Promise<string>} what is wrong with the load generator; '' if nothing is
 */
async function runCase(wanted) {
  const server = makeScriptedServer(wanted);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const load = new Child('the load generator', commandLine(wanted, port));
  try {
    let result = await load.line(20);
    while (result.phase) result = await load.line(20); // the clients tell these always
    const { errors, verified } = result;
    const status = await load.exit(5);
    const said = `status ${status}, ${verified} verified, ${errors[0]}`;
    if (wanted.error) return status === 1 && wanted.error.test(errors[0] ?? '') ? '' : said;
    const due = wanted.verified ?? MESSAGES;
    const isEnough = wanted.client ? verified > CHOSEN : verified === due;
    const isRight = status === 0 && isEnough && (wanted.check?.(result) ?? true);
    return isRight ? '' : said;
  } finally {
    load.kill();
    server.close();
  }
}

/** @returns {Promise<number>} the exit status */
export async function selfTest() {
  makeCertificate(STRANGER_DIRECTORY);
  let failed = 0;
  for (const wanted of CASES) {
    const problem = await runCase(wanted).catch(({ message }) => message);
    console.log(`${problem === '' ? 'ok  ' : 'FAIL'} ${wanted.name}${problem && ` (${problem})`}`);
    if (problem !== '') failed += 1;
  }
  console.log(`${CASES.length} cases, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
