/**
 * The native module's surface: flat, typed, no behaviour. Everything here runs on the JavaScript
 * thread of the environment that loaded the module; `lib/engine.ts` is its only user. Arguments are
 * right by construction; a wrong one throws an Error.
 *
 * An engine is named by a number. Its rings are described in `native/src/wire/ring.h`, the records
 * in `native/src/wire/record.h`.
 */

/** What record.h is on; has to equal `WIRE_VERSION` of `lib/records.ts`. */
export declare const wireVersion: number;
/** Version text of the libwebsockets inside. */
export declare const lwsVersion: string;
/** Version text of the OpenSSL in use: the runtime's, or the one inside. */
export declare const tlsVersion: string;
/** The package's version when this module was built. */
export declare const addonVersion: string;
/** Names of our patches that this libwebsockets lacks, separated by blanks; `''` if it has all. */
export declare const missingPatches: string;

/**
 * Starts an engine over two rings, which stay pinned until `stop`. `onDoorbell` is called
 * when there is something to read in `up` (and it slept), or room in `down` (and it was full); with `true` if
 * the event loop had no turn since the last time. Keeps the
 * process alive until `setRef(engine, false)`. Without `ownThread` the engine takes its turns on this thread,
 * when the event loop finds something to do for it; where that cannot be had it takes a thread all the same.
 */
export declare function start(
  up: ArrayBuffer,
  down: ArrayBuffer,
  onDoorbell: (again?: boolean) => void,
  ownThread: boolean,
): number;
/** Cuts all connections, joins the thread, gives the rings back. */
export declare function stop(engine: number): void;
/** Rings the engine's doorbell: it reads `down`, at once if it takes its turns on this thread. */
export declare function wake(engine: number): void;
/** Whether this engine keeps the process alive. */
export declare function setRef(engine: number, keepAlive: boolean): void;

/**
 * Sends a binary message behind all that is in the down ring, from where it lies; what the socket does not
 * take is copied. False if that cannot be done now, or would save nothing: it has to be put beside the ring.
 */
export declare function sendBytes(
  engine: number,
  id: number,
  buffer: ArrayBuffer,
  offset: number,
  size: number,
): boolean;
/** Copies bytes beside the down ring; the token goes into a record. */
export declare function putBytes(
  engine: number,
  buffer: ArrayBuffer,
  offset: number,
  size: number,
): number;
/** Encodes text as UTF-8 beside the down ring (lone surrogates become U+FFFD). */
export declare function putText(engine: number, text: string): number;
/** Fetches a payload from beside the up ring, without a copy where the runtime allows it. */
export declare function takeBytes(engine: number, token: number): ArrayBuffer;
export declare function takeText(engine: number, token: number, asciiOnly: boolean): string;

/** Bytes that compression may hold, of all engines of the process; 0 to 2^53 - 1 or Infinity. */
export declare function setCompressionBudget(bytes: number): void;
/** Bytes that it holds or has reserved now. */
export declare function compressionBytes(): number;

/**
 * Adds to the bytes that wait to be sent, of all environments of the process, and gives their sum. What an
 * environment has added ends with it.
 */
export declare function countQueuedBytes(bytes: number): number;
