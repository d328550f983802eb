/**
 * What a device allows an application, for tests of that application: without the permission for
 * the internet every call is refused with 201; an atomic service reaches only the domains it was
 * configured with, else 2302998. By default everything is allowed, as there is nobody here to ask.
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

/** The policy of a module object, which can change between calls. */
export class PolicyHolder {
  #policy: Policy = {};

  /** Replaces the policy as a whole. Throws a TypeError if it is none. */
  set(policy: Policy = {}): void {
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
      : businessError('domainDenied', cause(`setPolicy: ${hostname} is not allowed`));
  }
}

function cause(detail: string) {
  return { phase: 'state', errno: '', detail } as const;
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

/** The policy of this process. */
export const processPolicy: PolicyHolder = new PolicyHolder();

/**
 * Beyond OHOS. Sets what this process may do, in both profiles; `setPolicy()` allows everything
 * again. Running connections are not touched.
 */
export function setPolicy(policy?: Policy): void {
  processPolicy.set(policy);
}
