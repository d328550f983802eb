/**
 * Two gateway processes with connections of their own publish numbers all the time while Redis is killed and
 * started again, twice: both recover by themselves within 5 s, every connection gets each number at most once
 * and in order, and what it did not get is in the gaps that its gateway reports, to the number.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Gap } from 'ohos-websocket/cluster';
import { expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { Changes, VERY_PATIENT, within } from '../helpers/deadline.js';
import { RedisServer } from './redis-server.js';

const TOPIC = 'numbers';
/** What the requirement allows. */
const RECOVERY_MS = 5000;

/** What a gateway says. */
interface Report {
  readonly listening?: { port: number; id: string };
  readonly state?: string;
  readonly gap?: Gap;
  readonly warning?: string;
  readonly stopped?: { published: number; counters: { repeated: number; malformed: number } };
}

class Gateway {
  readonly name: string;
  readonly gaps: Gap[] = [];
  readonly warnings: string[] = [];
  port = 0;
  id = '';
  state = 'joined';
  stopped: Report['stopped'];
  readonly #process: ChildProcess;
  /** Told of what the gateway reports, and of what its connections get. */
  readonly changes: Changes = new Changes();

  private constructor(name: string, redis: RedisServer) {
    this.name = name;
    const program = path.join(import.meta.dirname, 'gateway.mjs');
    this.#process = fork(program, [redis.socketPath, name]);
    onTestFinished(() => void this.#process.kill('SIGKILL'));
    this.#process.on('message', (report: Report) => {
      if (report.listening) Object.assign(this, report.listening);
      if (report.state) this.state = report.state;
      if (report.gap) this.gaps.push(report.gap);
      if (report.warning) this.warnings.push(report.warning);
      if (report.stopped) this.stopped = report.stopped;
      this.changes.notify();
    });
  }

  static async start(name: string, redis: RedisServer): Promise<Gateway> {
    const gateway = new Gateway(name, redis);
    const listening = () => (gateway.port > 0 ? true : undefined);
    await gateway.changes.until(listening, `gateway ${name} to listen`);
    return gateway;
  }

  publish(): void {
    this.#process.send({ publish: TOPIC });
  }

  async stop(): Promise<void> {
    this.#process.send({ stop: true });
    await this.changes.until(() => this.stopped, `gateway ${this.name} to stop`);
  }

  async inState(state: string, deadlineMs?: number): Promise<void> {
    const reached = () => (this.state === state ? true : undefined);
    await this.changes.until(reached, `gateway ${this.name} to be ${state}`, deadlineMs);
  }
}

/** A connection to a gateway, and the numbers that it got of each publisher. */
class Listener {
  readonly gateway: Gateway;
  readonly numbers = new Map<string, number[]>();

  private constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  static async open(gateway: Gateway): Promise<Listener> {
    const listener = new Listener(gateway);
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`);
    onTestFinished(() => socket.terminate());
    await within(once(socket, 'open'), 'a connection to a gateway');
    const subscribed = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const [publisher = '', number = ''] = String(data).split(' ');
        if (publisher === 'subscribed') resolve();
        else listener.#add(publisher, Number(number));
      });
    });
    socket.send(JSON.stringify({ subscribe: TOPIC }));
    await within(subscribed, 'a subscription');
    return listener;
  }

  #add(publisher: string, number: number): void {
    const numbers = this.of(publisher);
    numbers.push(number);
    this.numbers.set(publisher, numbers);
    this.gateway.changes.notify();
  }

  of(publisher: string): number[] {
    return this.numbers.get(publisher) ?? [];
  }

  /** Waits for so many more numbers of a publisher. */
  async more(publisher: string, count: number): Promise<void> {
    const target = this.of(publisher).length + count;
    await this.gateway.changes.until(
      () => (this.of(publisher).length >= target ? true : undefined),
      `${count} more numbers of ${publisher} at ${this.gateway.name}`,
    );
  }

  /** Waits until it has all of the first numbers of a publisher. */
  async upTo(publisher: string, last: number): Promise<void> {
    await this.gateway.changes.until(
      () => (this.of(publisher).length >= last ? true : undefined),
      `all ${last} numbers of ${publisher} at ${this.gateway.name}`,
    );
  }

  /** The numbers up to `last` that it neither got nor was told to have missed, and those that are both. */
  judge(publisher: Gateway, last: number): { unexplained: number[]; both: number[] } {
    const got = new Set(this.of(publisher.name));
    const missed = new Set<number>();
    for (const gap of this.gateway.gaps.filter((one) => one.publisher === publisher.id)) {
      for (let number = gap.from; number <= gap.to; number++) missed.add(number);
    }
    const all = Array.from({ length: last }, (_, n) => n + 1);
    return {
      unexplained: all.filter((number) => !got.has(number) && !missed.has(number)),
      both: all.filter((number) => got.has(number) && missed.has(number)),
    };
  }
}

it('Redis is killed and started again, twice, under two gateways', VERY_PATIENT, async () => {
  const redis = await RedisServer.start();
  const a = await Gateway.start('a', redis);
  const b = await Gateway.start('b', redis);
  const gateways = [a, b];
  const listeners = await Promise.all([a, a, b, b].map((gateway) => Listener.open(gateway)));
  const other = ({ gateway }: Listener) => (gateway === a ? b : a);
  for (const gateway of gateways) gateway.publish();

  for (let round = 0; round < 2; round++) {
    await Promise.all(listeners.map((listener) => listener.more(other(listener).name, 100)));
    await redis.kill();
    await Promise.all(gateways.map((gateway) => gateway.inState('apart')));
    // Local delivery goes on.
    await Promise.all(listeners.map((listener) => listener.more(listener.gateway.name, 100)));
    await redis.startAgain();
    await Promise.all(gateways.map((gateway) => gateway.inState('joined', RECOVERY_MS)));
    await Promise.all(listeners.map((listener) => listener.more(other(listener).name, 100)));
  }

  await Promise.all(gateways.map((gateway) => gateway.stop()));
  for (const listener of listeners) {
    const publisher = other(listener);
    const published = publisher.stopped?.published ?? 0;
    const isExplained = () => listener.judge(publisher, published).unexplained.length === 0;
    await listener.gateway.changes.until(
      () => (isExplained() ? true : undefined),
      `every number of ${publisher.name} to come or to be missed at ${listener.gateway.name}`,
    );
    expect(listener.judge(publisher, published).both).toEqual([]);
    for (const { name, stopped } of gateways) {
      // None of its own gateway's is missing; all in order, none twice.
      if (name === listener.gateway.name) await listener.upTo(name, stopped?.published ?? 0);
      const numbers = listener.of(name);
      expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y));
    }
  }
  for (const gateway of gateways) {
    expect(gateway.gaps.length).toBeGreaterThanOrEqual(2);
    expect(gateway.gaps.every(({ reason }) => reason === 'lost')).toBe(true);
    expect(gateway.stopped?.counters).toMatchObject({ repeated: 0, malformed: 0 });
    expect(gateway.warnings).toEqual([]);
  }
});
