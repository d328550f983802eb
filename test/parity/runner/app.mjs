// @ts-check
/**
 * The app's side of a case: runs its steps against the module under test, one after the other, and
 * records what the calls gave back and which events came.
 */

import { decodeValue, encodeError, encodeValue } from './values.mjs';
import { Changes, sleep } from './waiting.mjs';

/**
 * @import { AppStep, Json, ObservedCall, ObservedEvent } from './format.js'
 * @import { Stage } from './stage.mjs'
 */

/**
 * The module under test; deliberately untyped beyond its shape, since cases call it wrongly too.
 *
 * @typedef {Record<string, (...args: unknown[]) => unknown>} Endpoint
 * @typedef {{ createWebSocket(): Endpoint, createWebSocketServer(): Endpoint }} Api
 */

const CLIENT_EVENTS = ['headerReceive', 'open', 'openInfo', 'message', 'dataEnd', 'error', 'close'];
const SERVER_EVENTS = ['connect', 'messageReceive', 'error', 'close'];
const MAIN = 'main';

const OUTCOME_LIMIT_MS = 6000;
const CALLBACK_LIMIT_MS = 1500;
const EVENT_LIMIT_MS = 6000;
const SCRIPTS_LIMIT_MS = 7500;

export class AppDriver {
  /** @type {ObservedCall[]} */
  calls = [];
  /** @type {ObservedEvent[]} */
  events = [];
  /** When each event came, in milliseconds since the start. @type {[string, number][]} */
  times = [];

  #api;
  #stage;
  #startedAt = performance.now();
  #changes = new Changes();
  /** @type {Map<string, Endpoint>} */
  #endpoints = new Map();
  /** Listeners with a tag, for `off` and `reuse`. @type {Map<string, (...args: unknown[]) => void>} */
  #tagged = new Map();

  /**
   * @param {Api} api
   * @param {Stage} stage
   */
  constructor(api, stage) {
    this.#api = api;
    this.#stage = stage;
  }

  /** @param {readonly AppStep[]} steps */
  async run(steps) {
    for (const [index, step] of steps.entries()) await this.#step(step, index);
  }

  /**
   * @param {AppStep} step
   * @param {number} index
   */
  async #step(step, index) {
    switch (step.op) {
      case 'createWebSocket':
        this.#create(this.#api.createWebSocket(), CLIENT_EVENTS, step);
        break;
      case 'createWebSocketServer':
        this.#create(this.#api.createWebSocketServer(), SERVER_EVENTS, step);
        break;
      case 'on':
      case 'off':
        this.#subscribe(step, index);
        break;
      case 'wait':
        await sleep(step.ms ?? 0);
        break;
      case 'waitEvent':
        await this.#waitEvent(step, index);
        break;
      case 'signal':
        this.#stage.signals.raise(step.name ?? '');
        break;
      case 'waitSignal':
        await this.#waitSignal(step, index);
        break;
      case 'startClients':
        this.#stage.startClients();
        break;
      case 'waitPeer':
        this.#stage.startClients();
        await this.#within(this.#stage.scriptsEnded(), SCRIPTS_LIMIT_MS);
        break;
      default:
        await this.#callStep(step, index);
    }
  }

  /**
   * @param {Endpoint} endpoint
   * @param {readonly string[]} allEvents
   * @param {AppStep} step
   */
  #create(endpoint, allEvents, { object = MAIN, listen = [...allEvents] }) {
    this.#endpoints.set(object, endpoint);
    for (const event of listen === false ? [] : listen) {
      this.#invoke(object, 'on', [event, this.#recorder(object, event)]);
    }
  }

  /**
   * @param {AppStep} step
   * @param {number} index
   */
  #subscribe(step, index) {
    const object = step.object ?? MAIN;
    /** @type {ObservedCall} */
    const call = { step: index, op: step.op };
    this.calls.push(call);
    try {
      call.returned = this.#encode(this.#invoke(object, step.op, this.#subscription(step, object)));
    } catch (error) {
      call.thrown = encodeError(error, this.#stage);
    }
  }

  /**
   * The arguments of an `on` or `off` step.
   *
   * @param {AppStep} step
   * @param {string} object
   */
  #subscription({ op, args, event = '', listener, reuse }, object) {
    if (args) return args.map((arg) => decodeValue(arg, this.#stage, () => () => {}));
    if (op === 'off') {
      return listener === undefined ? [event] : [event, this.#tagged.get(listener) ?? (() => {})];
    }
    const known = listener !== undefined && reuse ? this.#tagged.get(listener) : undefined;
    const recorder = known ?? this.#recorder(object, event, listener);
    if (listener !== undefined) this.#tagged.set(listener, recorder);
    return [event, recorder];
  }

  /**
   * @param {AppStep} step
   * @param {number} index
   */
  async #callStep(step, index) {
    const outcome = this.#call(step, index);
    if (step.await !== false) await outcome;
    else if (step.gapMs !== 0) await sleep(step.gapMs ?? 0);
  }

  /**
   * Makes the call now; resolves when its outcome is recorded, or has not come for too long.
   *
   * @param {AppStep} step
   * @param {number} index
   * @returns {Promise<unknown>}
   */
  #call({ op, object = MAIN, args = [] }, index) {
    /** @type {ObservedCall} */
    const call = { step: index, op };
    this.calls.push(call);
    /** @type {Promise<void> | undefined} */
    let calledBack;
    const callback = () => {
      const { promise, resolve } = withResolvers();
      calledBack = promise;
      return (/** @type {unknown[]} */ ...values) => {
        call.callback = [
          ...(call.callback ?? []),
          values.map((value) => this.#encodeResult(value)),
        ];
        resolve();
      };
    };
    /** @type {unknown} */
    let returned;
    try {
      returned = this.#invoke(
        object,
        op,
        args.map((arg) => decodeValue(arg, this.#stage, callback)),
      );
    } catch (error) {
      call.thrown = encodeError(error, this.#stage);
      return Promise.resolve();
    }
    if (isThenable(returned)) return this.#settle(call, returned);
    call.returned = this.#encode(returned);
    return calledBack === undefined ? Promise.resolve() : this.#awaitCallback(call, calledBack);
  }

  /**
   * @param {ObservedCall} call
   * @param {PromiseLike<unknown>} promise
   */
  async #settle(call, promise) {
    call.pending = true;
    const settled = promise.then(
      (value) => {
        delete call.pending;
        call.resolved = this.#encode(value);
      },
      (error) => {
        delete call.pending;
        call.rejected = encodeError(error, this.#stage);
      },
    );
    await this.#within(settled, OUTCOME_LIMIT_MS);
  }

  /**
   * @param {ObservedCall} call
   * @param {Promise<void>} calledBack
   */
  async #awaitCallback(call, calledBack) {
    await this.#within(calledBack, CALLBACK_LIMIT_MS);
    call.callback ??= 'never';
  }

  /**
   * @param {AppStep} step
   * @param {number} index
   */
  async #waitEvent({ event = '', object, count = 1, timeoutMs = EVENT_LIMIT_MS }, index) {
    const isMeant = (/** @type {ObservedEvent} */ seen) =>
      seen.event === event && (object === undefined || (seen.object ?? MAIN) === object);
    const enough = () => this.events.filter(isMeant).length >= count;
    if (!(await this.#changes.until(enough, timeoutMs * this.#stage.patience))) {
      this.calls.push({ step: index, op: 'waitEvent', event, timedOut: true });
    }
  }

  /**
   * @param {AppStep} step
   * @param {number} index
   */
  async #waitSignal({ name = '' }, index) {
    try {
      await this.#stage.signals.wait(name);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      this.calls.push({ step: index, op: 'waitSignal', failed: message });
    }
  }

  /**
   * A listener that records.
   *
   * @param {string} object
   * @param {string} event
   * @param {string} [tag]
   */
  #recorder(object, event, tag) {
    return (/** @type {unknown[]} */ ...args) => {
      this.events.push({
        event,
        args: args.map((arg) => this.#encode(arg)),
        ...(object !== MAIN && { object }),
        ...(tag !== undefined && { listener: tag }),
      });
      this.times.push([event, Math.round(performance.now() - this.#startedAt)]);
      this.#changes.notify();
    };
  }

  /**
   * @param {string} object
   * @param {string} method
   * @param {readonly unknown[]} args
   */
  #invoke(object, method, args) {
    const endpoint = this.#endpoints.get(object);
    const call = endpoint?.[method];
    if (endpoint === undefined || call === undefined) throw new Error(`no ${object}.${method}`);
    return call.apply(endpoint, [...args]);
  }

  /**
   * @param {PromiseLike<unknown>} promise
   * @param {number} limitMs
   */
  async #within(promise, limitMs) {
    let settled = false;
    const changes = new Changes();
    const settle = () => {
      settled = true;
      changes.notify();
    };
    promise.then(settle, settle);
    await changes.until(() => settled, limitMs * this.#stage.patience);
  }

  /**
   * @param {unknown} value
   * @returns {Json}
   */
  #encode(value) {
    return encodeValue(value, this.#stage);
  }

  /** @param {unknown} value of a callback: an error or a result */
  #encodeResult(value) {
    const isError = value !== null && typeof value === 'object' && 'code' in value;
    return isError ? encodeError(value, this.#stage) : this.#encode(value);
  }
}

/** @returns {{ promise: Promise<void>, resolve: () => void }} */
function withResolvers() {
  let resolve = () => {};
  const promise = new Promise((/** @type {(value: void) => void} */ done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/**
 * @param {unknown} value
 * @returns {value is PromiseLike<unknown>}
 */
function isThenable(value) {
  return typeof (/** @type {{ then?: unknown } | null} */ (value)?.then) === 'function';
}
