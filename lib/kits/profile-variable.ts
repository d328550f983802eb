/** Reads `OHOS_WEBSOCKET_PROFILE`. Loads nothing, so that the register hook can check it first. */

import type { ProfileName } from '../profile.js';

/** Throws if the variable names no profile. */
export function profileVariable(): ProfileName {
  const name = process.env['OHOS_WEBSOCKET_PROFILE'] || 'documented';
  if (name === 'documented' || name === 'netstack') return name;
  throw new Error(
    `OHOS_WEBSOCKET_PROFILE is ${JSON.stringify(name)}; it must be documented or netstack`,
  );
}
