/**
 * How a server stops: at once, as on OpenHarmony, or drained. Reads the options of `stop` and sums up
 * what became of its runs.
 */

import { CloseCode, isSendableCode, STOP_REASON } from './close-codes.js';
import type { DrainReport } from './transport.js';
import { isObject, mismatch } from './validate.js';

export interface Stopping {
  readonly code: number;
  readonly reason: string;
  /** Undefined: no drain. */
  readonly drainMs: number | undefined;
}

/** `stop()` (S20). */
export const PLAIN_STOP: Stopping = {
  code: CloseCode.goingAway,
  reason: STOP_REASON,
  drainMs: undefined,
};

const MAX_DRAIN_SECONDS = 86_400;
/** What a close frame has room for (RFC 6455 §5.5). */
const MAX_REASON_BYTES = 123;

/** Whether these are arguments for a drain; all others are judged as OpenHarmony does. */
export function isStopOptions(
  args: readonly unknown[],
): args is readonly [Record<string, unknown>] {
  return args.length === 1 && isObject(args[0]) && args[0].drain !== undefined;
}

/** Reads the options. A string returned is the reason for a 401. */
export function readStopOptions({
  drain,
  code = PLAIN_STOP.code,
  reason = PLAIN_STOP.reason,
}: Record<string, unknown>): Stopping | string {
  if (typeof drain !== 'number' || !(drain >= 0 && drain <= MAX_DRAIN_SECONDS)) {
    return mismatch('drain', `0–${MAX_DRAIN_SECONDS.toLocaleString('en')} seconds`, drain);
  }
  if (typeof code !== 'number' || !isSendableCode(code)) {
    return mismatch('code', 'a code that a close frame may have', code);
  }
  if (typeof reason !== 'string' || Buffer.byteLength(reason) > MAX_REASON_BYTES) {
    return mismatch('reason', `a string of at most ${MAX_REASON_BYTES} bytes`, reason);
  }
  return { code, reason, drainMs: Math.round(drain * 1000) };
}

/** The sum over the runs of one server, which drain at the same time. */
export function sumOf(reports: readonly (DrainReport | undefined)[]): DrainReport {
  const sum = { closed: 0, cut: 0, refused: 0, milliseconds: 0 };
  for (const report of reports) {
    if (report === undefined) continue;
    sum.closed += report.closed;
    sum.cut += report.cut;
    sum.refused += report.refused;
    sum.milliseconds = Math.max(sum.milliseconds, report.milliseconds);
  }
  return sum;
}
