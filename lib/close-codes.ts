/**
 * Close codes and reasons of our own closing: what the application's options mean, what the event
 * reports, what may travel. The codes of the peer are the engine's business.
 */

import type { Profile } from './profile.js';
import { isText } from './validate.js';

/** Codes by name (RFC 6455 §7.4.1 and the IANA registry). */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  reserved: 1004,
  noStatus: 1005,
  abnormal: 1006,
  invalidPayload: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  mandatoryExtension: 1010,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badGateway: 1014,
  tlsHandshake: 1015,
} as const;

/** Reason where the application gives none (API reference, `WebSocketCloseOptions`). */
export const DEFAULT_REASON = 'CLOSE_NORMAL';

/** Reason of the connections that `stop` closes, with code 1001 (S20). */
export const STOP_REASON = 'server is going away';

/** Reason of the connections that `terminate` cuts, with code 1006. */
export const TERMINATED_REASON = 'terminated';

/** Codes that must not be in a close frame (RFC 6455 §7.4.1). */
const unsendable: ReadonlySet<number> = new Set([
  CloseCode.reserved,
  CloseCode.noStatus,
  CloseCode.abnormal,
  CloseCode.tlsHandshake,
]);

/** Whether a close frame may have this code (RFC 6455 §7.4): a registered one, or 3000–4999. */
export function isSendableCode(code: number): boolean {
  const isRegistered = code >= CloseCode.normal && code <= CloseCode.badGateway;
  return (
    Number.isInteger(code) &&
    ((isRegistered && !unsendable.has(code)) || (code >= 3000 && code <= 4999))
  );
}

export interface Closing {
  /** What the event reports. */
  readonly code: number;
  /** What the event reports, in full; the engine cuts what travels. */
  readonly reason: string;
  /** What travels. */
  readonly wireCode: number;
}

/**
 * Reads close options. Never refuses: a code that is no number of 1000–1015 is 1000, a reason that
 * is no text is the default (§2.4, C26).
 */
export function closingOf(code: unknown, reason: unknown, profile: Profile): Closing {
  const reported = reportedCode(code);
  return {
    code: reported,
    reason: reportedReason(reason, profile),
    wireCode: wireCode(reported, profile),
  };
}

function reportedCode(code: unknown): number {
  if (typeof code !== 'number') return CloseCode.normal;
  // As netstack reads a number: unsigned 32 bits, the fraction cut off.
  const whole = code >>> 0;
  return whole >= CloseCode.normal && whole <= CloseCode.tlsHandshake ? whole : CloseCode.normal;
}

function reportedReason(reason: unknown, profile: Profile): string {
  if (!isText(reason)) return DEFAULT_REASON;
  if (!profile.reasonEndsAtNul) return reason;
  const [text] = reason.split('\0', 1);
  return isText(text) ? text : DEFAULT_REASON;
}

function wireCode(code: number, profile: Profile): number {
  return unsendable.has(code) && !profile.sendsReservedCloseCodes ? CloseCode.normal : code;
}
