/** The program that connects with an environment of its own. */

import { Child } from '../helpers/child.js';
import type { ClientOptions } from '../helpers/endpoints.js';

/** What the program says happened. */
export interface Outcome {
  readonly event: 'open' | 'error' | 'rejected';
  readonly code?: number;
  readonly data?: string;
  readonly cause?: { readonly phase: string; readonly errno: string; readonly detail: string };
}

export interface Attempt {
  /** Which entry of the package; default `ohos-websocket`. */
  readonly entry?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  readonly options?: ClientOptions;
}

/** Runs it to its end; the peer has to take part in the close. */
export async function connectIn({
  entry = 'ohos-websocket',
  env,
  url,
  options = {},
}: Attempt): Promise<Outcome> {
  const program = new URL('./fixtures/connect.mjs', import.meta.url);
  const args = [JSON.stringify({ entry, env, url, options })];
  const { stdout } = await new Child(program, { args }).exits(0);
  return JSON.parse(stdout) as Outcome;
}
