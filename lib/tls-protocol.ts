/**
 * The enumeration of TLS versions. It stands alone since it is the only public type that is also a
 * value.
 */

/** TLS versions for `minSupportTlsProtocol`. Since API 26 (API reference, `TlsProtocol`). */
export enum TlsProtocol {
  /** TLS 1.0. */
  TLS_V_1_0 = 0,
  /** TLS 1.1. */
  TLS_V_1_1 = 1,
  /** TLS 1.2. */
  TLS_V_1_2 = 2,
  /** TLS 1.3. */
  TLS_V_1_3 = 3,
}
