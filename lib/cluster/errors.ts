/** Errors of the cluster: their codes, and the only class that makes them. */

/**
 * - `ERR_CLUSTER_ARGUMENT`: an argument or option has the wrong type or range; nothing has happened.
 * - `ERR_CLUSTER_REDIS_MISSING`: the package `redis` is not installed.
 * - `ERR_CLUSTER_REDIS`: Redis could not be reached when joining, or refused a command; see `cause`.
 * - `ERR_CLUSTER_CHANNELS`: another machine joined under this prefix with another number of channels.
 * - `ERR_CLUSTER_APART`: there is no connection to Redis: the message reached this machine's connections only,
 *   and the other machines will report a gap.
 * - `ERR_CLUSTER_UNCERTAIN`: the connection was lost before Redis had answered: the other machines got the
 *   message, or will report a gap.
 * - `ERR_CLUSTER_OVERLOAD`: more than `maxPendingBytes` wait for Redis; nothing has happened.
 * - `ERR_CLUSTER_LEFT`: `leave` was called; nothing has happened.
 */
export type ClusterErrorCode =
  | 'ERR_CLUSTER_ARGUMENT'
  | 'ERR_CLUSTER_REDIS_MISSING'
  | 'ERR_CLUSTER_REDIS'
  | 'ERR_CLUSTER_CHANNELS'
  | 'ERR_CLUSTER_APART'
  | 'ERR_CLUSTER_UNCERTAIN'
  | 'ERR_CLUSTER_OVERLOAD'
  | 'ERR_CLUSTER_LEFT';

/** What the cluster's methods throw and reject with. */
export class ClusterError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'ClusterError';
  /** What was wrong. */
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
