/**
 * The shapes that the server's calls accept (§3.1, §3.3). Each function says why arguments are
 * refused.
 */

import type { Profile } from './profile.js';
import { byteLength } from './send-queue.js';
import { isAddress } from './server-peer.js';
import { isFunction, isObject, isSendable, isText, mismatch, whyNotSendable } from './validate.js';

/** `start(config)`; a boolean after it is accepted and has no effect, as in netstack. */
export function startProblem(args: readonly unknown[], profile: Profile): string | undefined {
  const [config, second] = args;
  if (!isObject(config)) return mismatch('config', 'an object', config);
  if (args.length > 2) return `expected 1 argument, received ${args.length}`;
  if (args.length === 1 || (profile.undefinedIsOmitted && second === undefined)) return undefined;
  return typeof second === 'boolean' ? undefined : mismatch('argument 2', 'nothing', second);
}

/** `send(data, connection)`, exactly. */
export function sendProblem(args: readonly unknown[], profile: Profile): string | undefined {
  const [data, connection] = args;
  if (!isSendable(data, profile.acceptsViews)) return whyNotSendable(data, profile.acceptsViews);
  if (!isAddress(connection)) return addressMismatch(connection);
  return args.length === 2 ? undefined : `expected 2 arguments, received ${args.length}`;
}

/** What can be the name of a topic. */
export function isTopic(topic: unknown, maxBytes: number): topic is string {
  return isText(topic) && (topic.length * 3 <= maxBytes || Buffer.byteLength(topic) <= maxBytes);
}

function topicMismatch(topic: unknown, maxBytes: number): string {
  return isText(topic)
    ? `topic of ${Buffer.byteLength(topic)} bytes; the limit is ${maxBytes}`
    : mismatch('topic', 'a string that is not empty', topic === '' ? "''" : topic);
}

/** `subscribe(connection, topic)` and `unsubscribe(connection, topic)`. */
export function subscribeProblem(args: readonly unknown[], maxBytes: number): string | undefined {
  const [connection, topic] = args;
  if (!isAddress(connection)) return addressMismatch(connection);
  if (!isTopic(topic, maxBytes)) return topicMismatch(topic, maxBytes);
  return args.length === 2 ? undefined : `expected 2 arguments, received ${args.length}`;
}

/** `publish(topic, data)`, with options or without. */
export function publishProblem(
  args: readonly unknown[],
  maxBytes: number,
  profile: Profile,
): string | undefined {
  const [topic, data, options] = args;
  if (!isTopic(topic, maxBytes)) return topicMismatch(topic, maxBytes);
  if (!isSendable(data, profile.acceptsViews)) return whyNotSendable(data, profile.acceptsViews);
  if (args.length > 3) return `expected at most 3 arguments, received ${args.length}`;
  if (options === undefined) return undefined;
  if (!isObject(options)) return mismatch('options', 'an object', options);
  const { except } = options;
  return except === undefined || isAddress(except)
    ? undefined
    : mismatch('except', 'an object with clientIP and clientPort', except);
}

/** `broadcast(data)`. */
export function broadcastProblem(args: readonly unknown[], profile: Profile): string | undefined {
  const [data] = args;
  if (!isSendable(data, profile.acceptsViews)) return whyNotSendable(data, profile.acceptsViews);
  return args.length === 1 ? undefined : `expected 1 argument, received ${args.length}`;
}

/** `close(connection)` or `close(connection, options)`. */
export function closeProblem(args: readonly unknown[], profile: Profile): string | undefined {
  const [connection, options] = args;
  if (!isAddress(connection)) return addressMismatch(connection);
  if (args.length > 2) return `expected at most 2 arguments, received ${args.length}`;
  const isAbsent = options === undefined || options === null;
  if (args.length === 1 || (profile.undefinedIsOmitted && isAbsent)) return undefined;
  if (!isObject(options)) return mismatch('options', 'an object', options);
  return optionsProblem(options, profile);
}

/**
 * Unlike the client's, a field of a wrong type is refused; unlike netstack's, one may be missing
 * (S16).
 */
function optionsProblem(options: Record<string, unknown>, profile: Profile): string | undefined {
  const mayMiss = !profile.closeNeedsBothOptions;
  const { code, reason } = options;
  if (typeof code !== 'number' && !(mayMiss && code === undefined)) {
    return mismatch('code', 'a number', code);
  }
  if (typeof reason !== 'string' && !(mayMiss && reason === undefined)) {
    return mismatch('reason', 'a string', reason);
  }
  return undefined;
}

/** `pause(connection)` and its like, exactly. */
export function connectionProblem(args: readonly unknown[]): string | undefined {
  const [connection] = args;
  if (!isAddress(connection)) return addressMismatch(connection);
  return args.length === 1 ? undefined : `expected 1 argument, received ${args.length}`;
}

/** RFC 6455 §5.5. */
const MAX_CONTROL_BYTES = 125;

/** `ping(connection)` or `ping(connection, data)`: the bytes to send, or what is wrong. */
export function pingPayload(args: readonly unknown[]): Uint8Array | string {
  const [connection, data = ''] = args;
  if (!isAddress(connection)) return addressMismatch(connection);
  if (args.length > 2) return `expected at most 2 arguments, received ${args.length}`;
  if (!isSendable(data, true)) return whyNotSendable(data, true);
  const size = byteLength(data);
  return size <= MAX_CONTROL_BYTES
    ? copyOf(data)
    : `${size} bytes for a ping; the limit is ${MAX_CONTROL_BYTES}`;
}

/** The caller may change what it gave as soon as the call has returned. */
function copyOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : new Uint8Array(data.slice(0));
}

function addressMismatch(connection: unknown): string {
  return mismatch('connection', 'an object with clientIP and clientPort', connection);
}

/** A function in the last place, to be told of refused arguments where the profile does that. */
export function errorCallback(
  args: readonly unknown[],
  profile: Profile,
): ((...args: unknown[]) => unknown) | undefined {
  const last = args.at(-1);
  const isCalled = profile.serverCloseCallsBack && args.length <= 2 && isFunction(last);
  return isCalled ? last : undefined;
}
