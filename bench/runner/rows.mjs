// What is measured: the rows of the table.

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {'text' | 'unicode' | 'binary'} kind
 * @property {number} size bytes of a message
 * @property {number} connections
 * @property {number} inflight messages under way on each connection
 * @property {boolean} extra only measured when asked for with --row
 */

/**
 * @param {number} bytes
 * @returns {string}
 */
function sizeName(bytes) {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024}MiB`;
  return bytes >= 1024 ? `${bytes / 1024}KiB` : `${bytes}B`;
}

/**
 * @param {Row['kind']} kind
 * @param {number} size
 * @param {number} connections
 * @param {number} inflight
 * @param {boolean} [extra]
 * @returns {Row}
 */
function row(kind, size, connections, inflight, extra = false) {
  const crowd = connections > 64 ? `-${connections}conns` : '';
  const name = `${kind}-${sizeName(size)}-x${inflight}${crowd}`;
  return { name, kind, size, connections, inflight, extra };
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** @type {readonly Row[]} */
export const ROWS = [
  row('text', 64, 64, 1),
  row('text', 64, 64, 16),
  row('binary', 64, 64, 1),
  row('binary', 64, 64, 16),
  row('text', 16 * KIB, 64, 1),
  row('text', 16 * KIB, 64, 16),
  row('binary', 16 * KIB, 64, 1),
  row('binary', 16 * KIB, 64, 16),
  row('text', MIB, 8, 1),
  row('text', MIB, 8, 2),
  row('binary', MIB, 8, 1),
  row('binary', MIB, 8, 2),

  row('unicode', 64, 64, 16, true),
  row('unicode', 16 * KIB, 64, 16, true),
  row('unicode', MIB, 8, 1, true),
  row('text', 64, 4000, 1, true),
];
