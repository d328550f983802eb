/**
 * What can be switched while a program runs, for both profiles at once: the policy that a device
 * applies to an application, so that its tests can provoke 201 and 2302998; and netstack's lax TLS.
 * By default everything is allowed, as there is nobody here to ask, and TLS is verified.
 */

import { type BusinessError, businessError } from './errors.js';
import { isObject, mismatch } from './validate.js';

/** Beyond OHOS. What `setPolicy` sets. What is left out is allowed. */
export interface Policy {
  /** `false`: every method rejects with 201, as without `ohos.permission.INTERNET`. */
  readonly internetPermission?: boolean | undefined;
  /**
   * The hosts that `connect` may reach, each with its subdomains; others give 2302998, as in an
   * atomic service. Undefined: all.
   */
  readonly allowedDomains?: readonly string[] | undefined;
}

export class Settings {
  /** netstack's TLS rules in the netstack profile (C14, C15). */
  netstackTls = false;
  #policy: Policy = {};

  /** Replaces the policy as a whole. Throws a TypeError if it is none. */
  setPolicy(policy: Policy = {}): void {
    const { internetPermission, allowedDomains } = checked(policy);
    this.#policy = { internetPermission, allowedDomains: allowedDomains && [...allowedDomains] };
  }

  /** 201 without the permission. */
  denied(): BusinessError | undefined {
    return this.#policy.internetPermission === false
      ? businessError('permissionDenied', cause('setPolicy: no permission for the internet'))
      : undefined;
  }

  /** 2302998 for a host that is not allowed. */
  domainDenied(hostname: string): BusinessError | undefined {
    const { allowedDomains } = this.#policy;
    if (allowedDomains === undefined) return undefined;
    const host = hostname.toLowerCase();
    const isAllowed = allowedDomains.some((domain) => {
      const allowed = domain.toLowerCase();
      return host === allowed || host.endsWith(`.${allowed}`);
    });
    return isAllowed
      ? undefined
      : businessError('domainDenied', cause(`setPolicy: ${hostname || 'no host'} is not allowed`));
  }
}

function cause(detail: string) {
  return { phase: 'arguments', errno: '', detail } as const;
}

function checked(policy: unknown): Policy {
  if (!isObject(policy)) throw new TypeError(mismatch('policy', 'an object', policy));
  const { internetPermission, allowedDomains } = policy;
  if (internetPermission !== undefined && typeof internetPermission !== 'boolean') {
    throw new TypeError(mismatch('internetPermission', 'a boolean', internetPermission));
  }
  const isList =
    Array.isArray(allowedDomains) && allowedDomains.every((domain) => typeof domain === 'string');
  if (allowedDomains !== undefined && !isList) {
    throw new TypeError(mismatch('allowedDomains', 'an array of strings', allowedDomains));
  }
  return policy;
}

/** The settings of this process. */
export const processSettings: Settings = new Settings();

/**
 * Beyond OHOS. Sets what this process may do, in both profiles; `setPolicy()` allows everything
 * again. Connections and servers that run are not ended.
 */
export function setPolicy(policy?: Policy): void {
  processSettings.setPolicy(policy);
}

/**
 * Beyond OHOS, and DANGEROUS: only for comparing with a device. From now on every `wss` connection
 * of the netstack profile trusts as OpenHarmony's netstack does: **the host name is not checked,
 * and self-signed certificates pass** (C14); `skipServerCertVerification` lets unknown issuers and
 * expired certificates pass too (C15). Anybody on the way can read and change what is sent. The
 * documented profile is not affected. `false` goes back to full verification.
 */
export function dangerouslyUseNetstackTls(use = true): void {
  if (use && !processSettings.netstackTls) {
    process.emitWarning(
      'dangerouslyUseNetstackTls: the netstack profile does not check host names and accepts ' +
        'self-signed certificates. Connections are not secure.',
      'SecurityWarning',
    );
  }
  processSettings.netstackTls = use;
}
