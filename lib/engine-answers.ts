/** What the engine tells, from the strings of its records. */
import { nameOfErrno } from './errno.js';
import type { FastBuffer } from './records.js';
import type { EngineStats } from './server-stats.js';
import type {
  AcceptedDetails,
  DrainReport,
  EngineFailure,
  FailureKind,
  Phase,
  UpgradeInfo,
} from './transport.js';

export function toPairs(strings: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let n = 0; n + 1 < strings.length; n += 2) {
    pairs.push([strings[n] as string, strings[n + 1] as string]);
  }
  return pairs;
}

export function toUpgradeInfo(
  id: number,
  port: number,
  secure: boolean,
  [ip = '', remoteAddress = '', method = '', target = '', certificate = '', ...rest]: string[],
): UpgradeInfo {
  const headers = toPairs(rest);
  return { id, ip, port, remoteAddress, method, target, secure, certificate, headers };
}

/** What is known of an accepted connection. */
interface Known {
  readonly ip: string;
  readonly details?: AcceptedDetails;
  readonly certificate: Buffer | undefined;
}

let lastText = '';

/** The same string as the last time if it says the same: most connections come from where others do. */
export function sameText(text: string): string {
  if (text !== lastText) lastText = text;
  return lastText;
}

export function toPeer(payload: Buffer): Known {
  // Behind a NUL there is the certificate of the client.
  const end = payload.indexOf(0);
  if (end < 0) {
    const ip = (payload as FastBuffer).utf8Slice(0, payload.length);
    return { ip: sameText(ip), certificate: undefined };
  }
  const certificate = Buffer.from(payload.subarray(end + 1));
  return { ip: payload.toString('utf8', 0, end), certificate };
}

export function toDetails([
  ip = '',
  remoteAddress = '',
  request = '',
  target = '',
  protocol = '',
  pem = '',
  ...rest
]: string[]): Known {
  const upgradeId = request === '' ? undefined : Number(request);
  const headers = rest.length > 0 ? toPairs(rest) : undefined;
  const certificate = pem === '' ? undefined : Buffer.from(pem);
  return { ip, details: { remoteAddress, upgradeId, target, protocol, headers }, certificate };
}

/** Names and values by turns. */
export function toStats(strings: readonly string[]): EngineStats {
  const stats = new Map<string, number>();
  for (let n = 0; n + 1 < strings.length; n += 2) {
    stats.set(strings[n] as string, Number(strings[n + 1]));
  }
  return stats;
}

export function toFailure(strings: readonly string[]): EngineFailure {
  const [kind = 'network', phase = 'established', errno = '', detail = ''] = strings;
  return {
    kind: kind as FailureKind,
    phase: phase as Phase,
    errno: errno === '' ? '' : nameOfErrno(Number(errno)),
    detail,
  };
}

export function toDrainReport(numbers: readonly string[]): DrainReport {
  const [closed = 0, cut = 0, refused = 0, milliseconds = 0] = numbers.map(Number);
  return { closed, cut, refused, milliseconds };
}
