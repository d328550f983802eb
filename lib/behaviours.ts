/**
 * Both behaviours in words, for people: `docs/compatibility.md` and `npx ohos-websocket parity` are
 * made from it. Nothing at run time depends on it; `profile.ts` has what does.
 */

import { clientBehaviours } from './behaviours-client.js';
import { serverBehaviours } from './behaviours-server.js';

/** One numbered behaviour of netstack. */
export interface Behaviour {
  /** `C..` of the client, `S..` of the server, `§` where there is no number. */
  readonly number: string;
  /**
   * - `match`: both profiles do what netstack does;
   * - `switched`: the profiles differ, and the netstack profile does what netstack does, or what
   *   `parity` says;
   * - `fixed`: neither profile does what netstack does, on purpose.
   */
  readonly kind: 'match' | 'switched' | 'fixed';
  readonly netstack: string;
  /** The documented profile, unless it does what netstack does. */
  readonly documented?: string;
  /** The netstack profile, where it stops short of netstack. */
  readonly parity?: string;
  readonly why: string;
}

export const behaviours: readonly Behaviour[] = [...clientBehaviours, ...serverBehaviours];

/** What the documented profile does. */
export function inDocumented({ kind, documented }: Behaviour): string {
  return kind === 'match' || documented === undefined ? 'as netstack' : documented;
}

/** What the netstack profile does. */
export function inNetstack({ kind, parity }: Behaviour): string {
  return parity ?? (kind === 'fixed' ? 'as documented' : 'as netstack');
}

/** Whether the netstack profile differs from netstack on purpose. */
export function isDeliberate({ kind, parity }: Behaviour): boolean {
  return kind === 'fixed' || parity !== undefined;
}
