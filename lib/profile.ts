/**
 * The two behaviours of this package, as one table: what the documentation says against what
 * OpenHarmony's netstack does. A row is one difference; code that differs reads its row from the
 * `Profile` it was given and never asks which profile that is. What only the engine can decide is
 * not here.
 */

/**
 * `ref`: `C..` numbers a difference of the client, `S..` of the server; `§` is a rule without a
 * number.
 */
export const quirks = {
  /** The values of `error` events have a visible `message` (S19 too). */
  explainsErrorEvents: { ref: 'C2', documented: true, netstack: false },
  /** `error` events beside the rejection −1 of `connect`. */
  errorEventsOfRejectedConnect: { ref: 'C4', documented: 1, netstack: 2 },
  /** `code` of the error that `on` and `off` throw. */
  listenerErrorCode: { ref: 'C6', documented: 401, netstack: '401' },
  /** An explicit undefined (or null, where an object is meant) is as good as no argument. */
  undefinedIsOmitted: { ref: 'C7', documented: true, netstack: false },
  /** `WS://` and `wSs://` are schemes too (RFC 3986 §3.1). */
  anySchemeCase: { ref: 'C8', documented: true, netstack: false },
  /** The fragment is part of the request target. */
  sendsFragment: { ref: 'C8', documented: false, netstack: true },
  /** The port is read as far as it has digits and cut to 16 bits, and may turn out 0. */
  lenientPort: { ref: 'C8', documented: false, netstack: true },
  /** IPv6 addresses keep their brackets in `Host` and `Origin` (RFC 3986 §3.2.2). */
  bracketsIpv6: { ref: 'C8', documented: true, netstack: false },
  /** Characters that RFC 3986 does not allow are percent-encoded; else only those beyond ASCII. */
  encodesTarget: { ref: 'C8', documented: true, netstack: false },
  /** A path loses one of several leading slashes. */
  dropsLeadingSlash: { ref: 'C8', documented: false, netstack: true },
  /**
   * User headers replace `Origin` and may not repeat the handshake's own; else they are sent as
   * well.
   */
  protectsHandshakeHeaders: { ref: 'C11', documented: true, netstack: false },
  /** Header values that are not strings are converted; else they are not sent. */
  convertsHeaderValues: { ref: 'C12', documented: true, netstack: false },
  /** An entry of the exclusion list matches the whole host name only, and its case. */
  exactProxyExclusions: { ref: 'C19', documented: false, netstack: true },
  /** A `pongTimeout` of 0 means `pingInterval`, and 30 is limited like any other number. */
  repairsPongTimeout: { ref: 'C21', documented: true, netstack: false },
  /** 1004, 1005, 1006 and 1015 travel. */
  sendsReservedCloseCodes: { ref: 'C26', documented: false, netstack: true },
  /** Messages sent before `open` leave at `open`; else with the first one sent after it. */
  flushesAtOpen: { ref: 'C29', documented: true, netstack: false },
  /** The client reports an empty binary message as undefined. */
  emptyBinaryIsUndefined: { ref: 'C32', documented: false, netstack: true },
  /** A received text ends before its first NUL. */
  textEndsAtNul: { ref: 'C32', documented: false, netstack: true },
  /** Joins repeated `set-cookie` headers; undefined makes an array. */
  setCookieSeparator: { ref: 'C36', documented: undefined, netstack: ';  ' },
  /** Joins other repeated headers. */
  headerSeparator: { ref: 'C36', documented: ', ', netstack: ',  ' },
  /** Received header values of this many bytes and more read as empty. */
  headerValueLimit: { ref: 'C36', documented: 0xffff_ffff, netstack: 1024 },
  /** `send` takes typed arrays, Buffers and DataViews. */
  acceptsViews: { ref: 'C39', documented: true, netstack: false },
  /** The own close reason ends before its first NUL. */
  reasonEndsAtNul: { ref: '§2.4', documented: false, netstack: true },

  /** `protocol` of the server's configuration counts. */
  honoursServerProtocol: { ref: 'S3', documented: true, netstack: false },
  /** The close event has `reason` beside `closeReason`. */
  reportsReason: { ref: 'S4', documented: true, netstack: false },
  /** A limit that is not given. */
  missingLimit: { ref: 'S5', documented: 10, netstack: 0 },
  /** The largest limit allowed. */
  maxLimit: { ref: 'S6', documented: 0xffff_ffff, netstack: 10 },
  /** `error` events for one refused connection. */
  errorEventsOfRefusal: { ref: 'S8', documented: 1, netstack: 2 },
  /** `connectRateLimit` where it is not given. */
  connectRateLimit: { ref: 'S9', documented: false, netstack: true },
  /** Close options of the server need both fields. */
  closeNeedsBothOptions: { ref: 'S16', documented: false, netstack: true },
  /** A function in place of the server's close options is called with the error. */
  serverCloseCallsBack: { ref: '§3.3', documented: false, netstack: true },
  /**
   * An address that is not of this machine is 2302004; else 2302007 as for every failure to listen.
   */
  reportsForeignAddress: { ref: 'S17', documented: true, netstack: false },
  /**
   * A port that is not an integer is refused; else a fraction is cut off and other types mean 0.
   */
  strictServerPort: { ref: 'S24', documented: true, netstack: false },
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
