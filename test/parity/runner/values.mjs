// @ts-check
/**
 * Values between a case and the module under test: arguments from their JSON description, and what
 * the module gave back as JSON, with everything that differs from run to run replaced by a name.
 */

import { INLINE_BYTES, payloadBytes, sha256 } from './payload.mjs';

/**
 * @import { Json, PayloadSpec } from './format.js'
 * @import { Stage } from './stage.mjs'
 */

/** @type {Json} */
const UNDEFINED = { $: 'undefined' };
const ACCEPT_LENGTH = 28;

/**
 * The argument a JSON value describes. `callback` makes the function of `{ "$": "callback" }`.
 *
 * @param {Json | undefined} value
 * @param {Stage} stage
 * @param {() => unknown} callback
 * @returns {unknown}
 */
export function decodeValue(value, stage, callback) {
  const decode = (/** @type {Json | undefined} */ inner) => decodeValue(inner, stage, callback);
  if (typeof value === 'string') return decodeText(value, stage);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(decode);
  if (value.$ === 'callback') return callback();
  if (value.$ === 'conn') {
    return { ...connectionName(Number(value.client), stage), ...Object(decode(value.extra ?? {})) };
  }
  if (typeof value.$ === 'string') return special(value.$, value, stage);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decode(inner)]));
}

/**
 * @param {string} text
 * @param {Stage} stage
 */
function decodeText(text, stage) {
  const port = /^\{(port|port2|closedPort)\}$/.exec(text)?.[1];
  if (port === undefined) return stage.fill(text);
  return stage.ports[/** @type {'port' | 'port2' | 'closedPort'} */ (port)];
}

/**
 * @param {number} index
 * @param {Stage} stage
 */
function connectionName(index, stage) {
  const connection = stage.connections[index];
  return { clientIP: connection?.from ?? '127.0.0.1', clientPort: connection?.localPort || 1 };
}

/**
 * @param {string} kind
 * @param {{ [key: string]: Json | undefined }} value
 * @param {Stage} stage
 */
function special(kind, value, stage) {
  const bytes = () => payloadBytes(/** @type {PayloadSpec} */ (value), stage.fill);
  const arrayBuffer = () => Uint8Array.from(bytes()).buffer;
  switch (kind) {
    case 'undefined':
      return undefined;
    case 'NaN':
      return Number.NaN;
    case 'function':
      return () => {};
    case 'symbol':
      return Symbol('parity');
    case 'string':
      return stage.fill(String(value.value));
    case 'text':
      return bytes().toString('utf8');
    case 'utf16': {
      const units = /** @type {string[]} */ (value.units);
      return String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16)));
    }
    case 'arrayBuffer':
      return arrayBuffer();
    case 'uint8Array':
      return new Uint8Array(arrayBuffer());
    case 'dataView':
      return new DataView(arrayBuffer());
    case 'buffer':
      return Buffer.from(bytes());
    default:
      throw new Error(`unknown value ${kind}`);
  }
}

/**
 * The JSON description of an observed value.
 *
 * @param {unknown} value
 * @param {Stage} stage
 * @returns {Json}
 */
export function encodeValue(value, stage) {
  switch (typeof value) {
    case 'undefined':
      return UNDEFINED;
    case 'string':
      return encodeText(value, stage);
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : encodeObject(value, stage);
    default:
      return { $: typeof value };
  }
}

/**
 * An error as the calls of a case compare it: code and message alone.
 *
 * @param {unknown} error
 * @param {Stage} stage
 * @returns {Json}
 */
export function encodeError(error, stage) {
  if (error === null || typeof error !== 'object') return { value: encodeValue(error, stage) };
  const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (error);
  return { code: encodeValue(code, stage), message: encodeValue(message, stage) };
}

/**
 * @param {string} text
 * @param {Stage} stage
 */
function encodeText(text, stage) {
  if (text.length === ACCEPT_LENGTH && stage.connections.some(({ accept }) => accept === text)) {
    return '{accept}';
  }
  const bytes = Buffer.from(text);
  return bytes.length > INLINE_BYTES
    ? { $: 'text', utf8Bytes: bytes.length, sha256: sha256(bytes) }
    : text;
}

/**
 * @param {object} value
 * @param {Stage} stage
 * @returns {Json}
 */
function encodeObject(value, stage) {
  if (value instanceof ArrayBuffer) {
    const bytes = Buffer.from(value);
    return bytes.length > INLINE_BYTES
      ? { $: 'bytes', length: bytes.length, sha256: sha256(bytes) }
      : { hex: bytes.toString('hex') };
  }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const kind = value.constructor.name;
    return { $: kind, hex: bytes.subarray(0, INLINE_BYTES).toString('hex') };
  }
  if (Array.isArray(value)) return value.map((inner) => encodeValue(inner, stage));
  const fields = Object.entries(value);
  // The message of an Error is its own property, but not an enumerable one.
  if (value instanceof Error) fields.push(['message', value.message]);
  return Object.fromEntries(
    fields.map(([key, inner]) => [
      key,
      key === 'clientPort' ? encodePort(value, inner, stage) : encodeValue(inner, stage),
    ]),
  );
}

/**
 * A client's port by the number of the scripted client that has it. Clients of different addresses
 * may have the same port.
 *
 * @param {object} owner the object with the port and, usually, the address
 * @param {unknown} port
 * @param {Stage} stage
 */
function encodePort(owner, port, stage) {
  const { clientIP } = /** @type {{ clientIP?: unknown }} */ (owner);
  const index = stage.connections.findIndex(
    ({ from = '127.0.0.1', localPort }) =>
      localPort === port && (clientIP === undefined || clientIP === from),
  );
  return index < 0 ? encodeValue(port, stage) : `{client${index}}`;
}
