/**
 * The two behaviours of this package, as one table: what the documentation says against what
 * OpenHarmony's netstack does. A row is one difference; code that differs reads its row from the
 * `Profile` it was given and never asks which profile that is. What only the engine can decide
 * follows in a table of its own: `rules` carries it there. `behaviours.ts` says all of this in
 * words, and what is the same in both.
 */

/**
 * `ref`: `C..` numbers a difference of the client, `S..` of the server; `§` is a rule without a
 * number. `test`: a parity case, or a file of tests.
 */
export const quirks = {
  /** The values of `error` events have a visible `message` (S19 too). */
  explainsErrorEvents: {
    ref: 'C2',
    documented: true,
    netstack: false,
    test: 'test/unit/errors.test.ts',
  },
  /** `error` events beside the rejection −1 of `connect`. */
  errorEventsOfRejectedConnect: { ref: 'C4', documented: 1, netstack: 2, test: 'url-empty-01' },
  /** `code` of the error that `on` and `off` throw. */
  listenerErrorCode: { ref: 'C6', documented: 401, netstack: '401', test: 'args-on-01' },
  /** An explicit undefined (or null, where an object is meant) is as good as no argument. */
  undefinedIsOmitted: { ref: 'C7', documented: true, netstack: false, test: 'args-connect-05' },
  /** `WS://` and `wSs://` are schemes too (RFC 3986 §3.1). */
  anySchemeCase: { ref: 'C8', documented: true, netstack: false, test: 'url-bad-03' },
  /** The fragment is part of the request target. */
  sendsFragment: { ref: 'C8', documented: false, netstack: true, test: 'url-frag-01' },
  /** The port is read as far as it has digits and cut to 16 bits, and may turn out 0. */
  lenientPort: { ref: 'C8', documented: false, netstack: true, test: 'url-port-01' },
  /** IPv6 addresses keep their brackets in `Host` and `Origin` (RFC 3986 §3.2.2). */
  bracketsIpv6: { ref: 'C8', documented: true, netstack: false, test: 'url-ipv6-01' },
  /** Characters that RFC 3986 does not allow are percent-encoded; else only those beyond ASCII. */
  encodesTarget: { ref: 'C8', documented: true, netstack: false, test: 'test/unit/url.test.ts' },
  /** A path loses one of several leading slashes. */
  dropsLeadingSlash: {
    ref: 'C8',
    documented: false,
    netstack: true,
    test: 'test/unit/url.test.ts',
  },
  /**
   * User headers replace `Origin` and may not repeat the handshake's own; else they are sent as
   * well.
   */
  protectsHandshakeHeaders: {
    ref: 'C11',
    documented: true,
    netstack: false,
    test: 'request-origin-01',
  },
  /** Header values that are not strings are converted; else they are not sent. */
  convertsHeaderValues: {
    ref: 'C12',
    documented: true,
    netstack: false,
    test: 'request-values-01',
  },
  /**
   * netstack's TLS rules may be switched on (`dangerouslyUseNetstackTls`); else certificates are
   * verified in both profiles (C15 too).
   */
  laxTls: { ref: 'C14', documented: false, netstack: true, test: 'test/unit/options.test.ts' },
  /** `caPath` adds to the system's certificates; else it replaces them. */
  caAddsToSystem: {
    ref: 'C16',
    documented: false,
    netstack: true,
    test: 'test/unit/options.test.ts',
  },
  /** TLS_V_1_0 asks OpenSSL for TLS 1.0; else it changes nothing. */
  asksForTls10: {
    ref: '§2.2.3',
    documented: true,
    netstack: false,
    test: 'test/unit/options.test.ts',
  },
  /**
   * The host of a proxy may have `http://` and a user in front and a port behind, and its
   * `username` and `password` are ignored; else they count.
   */
  proxyHostIsAuthority: { ref: 'C18', documented: false, netstack: true, test: 'proxy-auth-01' },
  /** An entry of the exclusion list matches the whole host name only, and its case. */
  exactProxyExclusions: { ref: 'C19', documented: false, netstack: true, test: 'proxy-exclude-05' },
  /** A `pongTimeout` of 0 means `pingInterval`, and 30 is limited like any other number. */
  repairsPongTimeout: { ref: 'C21', documented: true, netstack: false, test: 'heartbeat-zero-01' },
  /** 1004, 1005, 1006 and 1015 travel. */
  sendsReservedCloseCodes: {
    ref: 'C26',
    documented: false,
    netstack: true,
    test: 'close-codes-03',
  },
  /** Messages sent before `open` leave at `open`; else with the first one sent after it. */
  flushesAtOpen: { ref: 'C29', documented: true, netstack: false, test: 'send-early-01' },
  /** The client reports an empty binary message as undefined. */
  emptyBinaryIsUndefined: {
    ref: 'C32',
    documented: false,
    netstack: true,
    test: 'message-empty-01',
  },
  /** A received text ends before its first NUL. */
  textEndsAtNul: { ref: 'C32', documented: false, netstack: true, test: 'message-nul-01' },
  /** Joins repeated `set-cookie` headers; undefined makes an array. */
  setCookieSeparator: {
    ref: 'C36',
    documented: undefined,
    netstack: ';  ',
    test: 'headers-cookie-01',
  },
  /** Joins other repeated headers. */
  headerSeparator: {
    ref: 'C36',
    documented: ', ',
    netstack: ',  ',
    test: 'test/unit/headers.test.ts',
  },
  /** Received header values of this many bytes and more read as empty. */
  headerValueLimit: { ref: 'C36', documented: 0xffff_ffff, netstack: 1024, test: 'headers-cut-01' },
  /** `send` takes typed arrays, Buffers and DataViews. */
  acceptsViews: { ref: 'C39', documented: true, netstack: false, test: 'args-send-05' },
  /** The option `permessageDeflate` counts, of clients (§2.2.2) too. */
  compresses: {
    ref: '§3.2',
    documented: true,
    netstack: false,
    test: 'test/deflate/profiles.test.ts',
  },
  /** The options `onUpgrade`, `keepHeaders` and `trustedProxies` count; else they are refused (401). */
  hasGateway: {
    ref: '§3.2',
    documented: true,
    netstack: false,
    test: 'test/gateway/upgrade-options.test.ts',
  },
  /** The own close reason ends before its first NUL. */
  reasonEndsAtNul: { ref: '§2.4', documented: false, netstack: true, test: 'close-nul-01' },

  /** Without `serverIP` the server listens on IPv6 too. */
  listensOnIpv6: {
    ref: '§3.1',
    documented: false,
    netstack: true,
    test: 'test/unit/server-options.test.ts',
  },
  /** `protocol` of the server's configuration counts. */
  honoursServerProtocol: {
    ref: 'S3',
    documented: true,
    netstack: false,
    test: 'server-handshake-proto-05',
  },
  /** The close event has `reason` beside `closeReason`. */
  reportsReason: { ref: 'S4', documented: true, netstack: false, test: 'server-close-both-01' },
  /** A limit that is not given. */
  missingLimit: { ref: 'S5', documented: 10, netstack: 0, test: 'server-start-limits-01' },
  /** The largest limit allowed. */
  maxLimit: { ref: 'S6', documented: 0xffff_ffff, netstack: 10, test: 'server-start-limit-01' },
  /** `error` events for one refused connection. */
  errorEventsOfRefusal: { ref: 'S8', documented: 1, netstack: 2, test: 'server-limits-one-01' },
  /** `connectRateLimit` where it is not given. */
  connectRateLimit: { ref: 'S9', documented: false, netstack: true, test: 'server-limits-ban-01' },
  /** A running server can be started on another port as well, and then listens on both. */
  startsAgain: { ref: 'S12', documented: false, netstack: true, test: 'server-start-portstr-01' },
  /** Close options of the server need both fields. */
  closeNeedsBothOptions: {
    ref: 'S16',
    documented: false,
    netstack: true,
    test: 'server-close-args-01',
  },
  /** A function in place of the server's close options is called with the error. */
  serverCloseCallsBack: {
    ref: '§3.3',
    documented: false,
    netstack: true,
    test: 'server-close-args-03',
  },
  /**
   * An address that is not of this machine is 2302004; else 2302007 as for every failure to listen.
   */
  reportsForeignAddress: {
    ref: 'S17',
    documented: true,
    netstack: false,
    test: 'server-start-nic-01',
  },
  /**
   * A port that is not an integer is refused; else a fraction is cut off and other types mean 0.
   */
  strictServerPort: {
    ref: 'S24',
    documented: true,
    netstack: false,
    test: 'server-start-portstr-01',
  },
  /** What the engine does where it alone decides: C25 and all others of `engineQuirks`. */
  rules: {
    ref: 'C25',
    documented: 'documented',
    netstack: 'netstack',
    test: 'test/unit/options.test.ts',
  },
} as const;

/** The rows that the engine decides by `rules`. Nothing reads them but documentation and tests. */
export const engineQuirks = {
  /** After an own close frame the peer's answer is awaited, at most 5 s. */
  awaitsCloseAnswer: { ref: 'C25', documented: true, netstack: false, test: 'close-noack-01' },
  /** A close reason is cut between characters; else after 123 bytes. */
  cutsReasonAtCharacter: { ref: 'C27', documented: true, netstack: false, test: 'close-reason-04' },
  /** Invalid UTF-8 ends the connection with 1007; else it becomes U+FFFD. */
  validatesUtf8: { ref: 'C33', documented: true, netstack: false, test: 'message-utf8-01' },
  /** Peer close codes 1015 and 5000–65535 are reported as they came. */
  reportsAnyCloseCode: {
    ref: '§2.7',
    documented: false,
    netstack: true,
    test: 'peerclose-codes-07',
  },
  /** A server reports the peer close codes 1012–1015 as 1002. */
  reportsServiceCodes: {
    ref: '§3.4',
    documented: true,
    netstack: false,
    test: 'server-peerclose-codes-05',
  },
  /** Blanks around the commas of `protocol` do not matter when the server chooses. */
  trimsSubprotocols: { ref: '§2.2.2', documented: true, netstack: false, test: 'protocol-07' },
  /** Who offers only unknown subprotocols is accepted without one; else TCP is closed. */
  acceptsUnknownSubprotocols: {
    ref: 'S3',
    documented: true,
    netstack: false,
    test: 'server-handshake-proto-03',
  },
  /** A refused connection is answered, 503 or 429; else TCP is closed. */
  answersRefusals: { ref: 'S8', documented: true, netstack: false, test: 'server-limits-one-01' },
  /** All servers of the process share one list of banned addresses. */
  sharesBanList: { ref: 'S9', documented: false, netstack: true, test: 'server-limits-ban-01' },
  /** Unmasked frames of clients pass; else they are a violation, 1002. */
  acceptsUnmaskedFrames: {
    ref: 'S13',
    documented: false,
    netstack: true,
    test: 'server-message-mask-01',
  },
  /** A plain HTTP request is answered with 404 as if a file were missing; else with 426. */
  answersPlainHttp: {
    ref: 'S18',
    documented: 426,
    netstack: 404,
    test: 'server-handshake-http-01',
  },
  /** An upgrade needs GET, HTTP/1.1 and version 13. */
  checksUpgrades: {
    ref: 'S23',
    documented: true,
    netstack: false,
    test: 'server-handshake-strict-01',
  },
  /** RSV1 passes; else it is a violation, 1002. */
  acceptsRsv1: { ref: 'S25', documented: false, netstack: true, test: 'server-violation-rsv-02' },
} as const;

type Quirks = typeof quirks;

/** One column of the table. */
export type Profile = {
  readonly [Name in keyof Quirks]: Quirks[Name]['documented' | 'netstack'];
};

export type ProfileName = 'documented' | 'netstack';

/** Takes one column out of the table. */
export function profileOf(name: ProfileName): Profile {
  const column = Object.entries(quirks).map(([quirk, row]) => [quirk, row[name]]);
  return Object.freeze(Object.fromEntries(column)) as Profile;
}

/** What the documentation says, safe and RFC-conformant. */
export const documented: Profile = profileOf('documented');

/** What OpenHarmony's netstack does, except for its crashes, corruptions and holes. */
export const netstack: Profile = profileOf('netstack');
