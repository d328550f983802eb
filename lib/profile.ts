/**
 * The two behaviours of this package, as one table: what the documentation says against what
 * OpenHarmony's netstack does. A row is one difference; code that differs reads its row from the
 * `Profile` it was given and never asks which profile that is. What only the engine can decide is not here.
 */

/** One difference. `C..` numbers the client's, `S..` the server's; `§` stands for a rule without a number. */
interface Row<T> {
  readonly ref: string;
  readonly documented: T;
  readonly netstack: T;
}

function row<T>(ref: string, documented: T, netstack: T): Row<T> {
  return { ref, documented, netstack };
}

export const quirks = {
  /** `error` events beside the rejection −1 of `connect`. */
  errorEventsOfRejectedConnect: row('C4', 1, 2),
  /** `code` of the error that `on` and `off` throw. */
  listenerErrorCode: row<401 | '401'>('C6', 401, '401'),
  /** An explicit undefined (or null, where an object is meant) is as good as no argument. */
  undefinedIsOmitted: row('C7', true, false),
  /** `WS://` and `wSs://` are schemes too (RFC 3986 §3.1). */
  anySchemeCase: row('C8', true, false),
  /** The fragment is part of the request target. */
  sendsFragment: row('C8', false, true),
  /** The port is read as far as it has digits and cut to 16 bits, and may turn out 0. */
  lenientPort: row('C8', false, true),
  /** IPv6 addresses keep their brackets in `Host` and `Origin` (RFC 3986 §3.2.2). */
  bracketsIpv6: row('C8', true, false),
  /** Characters that RFC 3986 does not allow are percent-encoded; else only those beyond ASCII. */
  encodesTarget: row('C8', true, false),
  /** A path loses one of several leading slashes. */
  dropsLeadingSlash: row('C8', false, true),
  /** User headers replace `Origin` and may not repeat the handshake's own; else they are sent as well. */
  protectsHandshakeHeaders: row('C11', true, false),
  /** Header values that are not strings are converted; else they are not sent. */
  convertsHeaderValues: row('C12', true, false),
  /** An entry of the exclusion list matches the whole host name only, and its case. */
  exactProxyExclusions: row('C19', false, true),
  /** A `pongTimeout` of 0 means `pingInterval`, and 30 is limited like any other number. */
  repairsPongTimeout: row('C21', true, false),
  /** 1004, 1005, 1006 and 1015 travel. */
  sendsReservedCloseCodes: row('C26', false, true),
  /** Messages sent before `open` leave at `open`; else with the first one sent after it. */
  flushesAtOpen: row('C29', true, false),
  /** The client reports an empty binary message as undefined. */
  emptyBinaryIsUndefined: row('C32', false, true),
  /** A received text ends before its first NUL. */
  textEndsAtNul: row('C32', false, true),
  /** Joins repeated `set-cookie` headers; undefined makes an array. */
  setCookieSeparator: row<string | undefined>('C36', undefined, ';  '),
  /** Joins other repeated headers. */
  headerSeparator: row('C36', ', ', ',  '),
  /** Received header values of this many bytes and more read as empty. */
  headerValueLimit: row('C36', Number.POSITIVE_INFINITY, 1024),
  /** `send` takes typed arrays, Buffers and DataViews. */
  acceptsViews: row('C39', true, false),
  /** The own close reason ends before its first NUL. */
  reasonEndsAtNul: row('§2.4', false, true),

  /** `protocol` of the server's configuration counts. */
  honoursServerProtocol: row('S3', true, false),
  /** The close event has `reason` beside `closeReason`. */
  reportsReason: row('S4', true, false),
  /** A limit that is not given. */
  missingLimit: row('S5', 10, 0),
  /** The largest limit allowed. */
  maxLimit: row('S6', 0xffff_ffff, 10),
  /** `error` events for one refused connection. */
  errorEventsOfRefusal: row('S8', 1, 2),
  /** `connectRateLimit` where it is not given. */
  connectRateLimit: row('S9', false, true),
  /** Close options of the server need both fields. */
  closeNeedsBothOptions: row('S16', false, true),
  /** A function in place of the server's close options is called with the error. */
  serverCloseCallsBack: row('§3.3', false, true),
  /** An address that is not of this machine is 2302004; else 2302007 as for every failure to listen. */
  reportsForeignAddress: row('S17', true, false),
  /** A port that is not an integer is refused; else a fraction is cut off and other types mean 0. */
  strictServerPort: row('S24', true, false),
} as const;

type Quirks = typeof quirks;

/** One column of the table. */
export type Profile = { readonly [Name in keyof Quirks]: Quirks[Name]['documented'] };

export type ProfileName = 'documented' | 'netstack';

/** Takes one column out of the table. */
export function profileOf(name: ProfileName): Profile {
  const column = Object.entries<Row<unknown>>(quirks).map(([quirk, { [name]: value }]) => [
    quirk,
    value,
  ]);
  return Object.freeze(Object.fromEntries(column)) as Profile;
}

/** What the documentation says, safe and RFC-conformant. */
export const documented: Profile = profileOf('documented');

/** What OpenHarmony's netstack does, except for its crashes, corruptions and holes. */
export const netstack: Profile = profileOf('netstack');
