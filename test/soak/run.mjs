/**
 * The soak: `npm run soak -- MINUTES` (10 if not said). Our server and our client, each in a process of its own, talk
 * to `ws` for so long (`conversations.mjs` has what goes on), and every message is compared. Fails if a message
 * was lost or changed, a connection is left over, or memory grows after the first quarter of the time.
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) {
  process.stderr.write('usage: npm run soak -- MINUTES\n');
  process.exit(2);
}
const SCRIPT = fileURLToPath(new URL('./process.mjs', import.meta.url));
const MIB = 1 << 20;
/** Between the medians of the second and the last quarter: more than that is a leak. */
const GROWTH = { share: 0.05, bytes: 8 * MIB };

class Soaked {
  #process;
  /** @type {{ bytes: number, descriptors: number, counts: object }[]} */
  samples = [];
  /** @type {(value: any) => void} */
  #resolve = () => {};

  constructor(role) {
    this.role = role;
    this.#process = fork(SCRIPT, [role], { execArgv: ['--expose-gc'] });
    this.ready = new Promise((resolve) => {
      this.#process.on('message', ({ ready, sample, ended }) => {
        if (ready) resolve(ready);
        if (sample) this.samples.push({ ...sample, at: performance.now() });
        if (ended) this.#resolve(ended);
      });
    });
    this.#process.on('exit', (code, signal) => {
      const failure = `the process '${role}' has died: ${signal ?? code}`;
      this.#resolve({ counts: {}, failures: [failure], left: 0 });
    });
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  tell(order, argument = {}) {
    if (this.#process.connected) this.#process.send({ order, ...argument });
    return this.ended;
  }

  leave() {
    this.#process.kill();
  }

  /** What grew after the first quarter, and how fast. */
  growth() {
    const quarter = (n) =>
      this.samples.slice((this.samples.length * n) / 4, (this.samples.length * (n + 1)) / 4);
    const median = (of) => of.map(({ bytes }) => bytes).sort((a, b) => a - b)[of.length >> 1] ?? 0;
    const settled = this.samples.slice(this.samples.length / 4);
    const before = median(quarter(1));
    const after = median(quarter(3));
    const descriptors = [quarter(1), quarter(3)].map((of) =>
      Math.max(0, ...of.map((sample) => sample.descriptors)),
    );
    return { before, after, descriptors, perMinute: slope(settled) };
  }
}

/** Bytes a minute, by least squares. */
function slope(samples) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const at = mean(samples.map((sample) => sample.at));
  const bytes = mean(samples.map((sample) => sample.bytes));
  let up = 0;
  let across = 0;
  for (const sample of samples) {
    up += (sample.at - at) * (sample.bytes - bytes);
    across += (sample.at - at) ** 2;
  }
  return across === 0 ? 0 : (up / across) * 60_000;
}

const [server, client, peers] = ['server', 'client', 'peers'].map((role) => new Soaked(role));
const all = [server, client, peers];
const mib = (bytes) => (bytes / MIB).toFixed(1);

const { port } = await server.ready;
const { port: peersPort } = await peers.ready;
await client.ready;
peers.tell('converse', { port });
client.tell('converse', { port: peersPort });

const began = performance.now();
const progress = setInterval(() => {
  const shown = [server, client].map(
    ({ role, samples }) => `${role} ${mib(samples.at(-1)?.bytes ?? 0)} MiB`,
  );
  const messages = [client, peers].reduce(
    (sum, { samples }) => sum + (samples.at(-1)?.counts.messages ?? 0),
    0,
  );
  const elapsed = ((performance.now() - began) / 60_000).toFixed(1);
  process.stdout.write(`${elapsed} min: ${messages} messages; ${shown.join(', ')}\n`);
}, 30_000);
await Promise.race([
  new Promise((resolve) => setTimeout(resolve, minutes * 60_000)),
  ...all.map(({ ended }) => ended),
]);
clearInterval(progress);

// Those that converse first: the others have to be there to the end.
const outcomes = [];
for (const one of [client, peers, server]) outcomes.push({ one, ...(await one.tell('stop')) });
const failures = [];
for (const { one, counts, failures: failed, left } of outcomes) {
  failures.push(...failed.map((failure) => `${one.role}: ${failure}`));
  if (left > 0) failures.push(`${one.role}: ${left} connections are left over`);
  if (counts.messages !== undefined) {
    const whose = one === client ? 'our client' : 'our server';
    process.stdout.write(
      `${whose}: ${counts.connections} connections, ${counts.messages} messages, ${mib(counts.bytes)} MiB came back as they were sent\n`,
    );
  }
}
for (const one of [server, client]) {
  const { before, after, descriptors, perMinute } = one.growth();
  process.stdout.write(
    `memory of our ${one.role}: ${mib(before)} MiB in the second quarter, ${mib(after)} MiB in the last, ` +
      `${(perMinute / 1024).toFixed(0)} KiB a minute; at most ${descriptors.join(', then ')} descriptors\n`,
  );
  if (after - before > before * GROWTH.share + GROWTH.bytes) {
    failures.push(`${one.role}: memory grows`);
  }
  if (descriptors[1] > descriptors[0] + 10) failures.push(`${one.role}: descriptors leak`);
}
for (const failure of failures.slice(0, 20)) process.stdout.write(`FAILED ${failure}\n`);
process.stdout.write(
  failures.length === 0 ? 'nothing lost, nothing grows\n' : `${failures.length} failures\n`,
);
for (const one of all) one.leave();
process.exitCode = failures.length === 0 ? 0 : 1;
