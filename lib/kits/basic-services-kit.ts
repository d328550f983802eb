/**
 * `@kit.BasicServicesKit` and `@ohos.base`, as far as WebSocket is concerned. The platform has only
 * types there. Here their names are values too, so that imports that nobody has removed with the
 * types (plain JavaScript, type stripping) still find something.
 */

import type * as types from '../types.js';

export { BusinessError } from '../errors.js';

export type AsyncCallback<T, E = void> = types.AsyncCallback<T, E>;
export type Callback<T> = types.Callback<T>;
export type ErrorCallback<T extends Error = types.BusinessError> = types.ErrorCallback<T>;

export const AsyncCallback: undefined = undefined;
export const Callback: undefined = undefined;
export const ErrorCallback: undefined = undefined;
