/**
 * Life cycles as tables: state × call → allowed, or which error. The classes hold the state and ask
 * here; nothing else decides whether a call is in season.
 */

import type { ErrorName } from './errors.js';

/**
 * A client. `connecting` begins with the accepted `connect`, so that a second one in the same tick
 * is refused (C31); `closing` begins with `close` and lasts until the event.
 */
export type ClientState = 'idle' | 'connecting' | 'open' | 'closing';

/** A server. `starting` begins with the accepted `start`, `stopping` with `stop`. */
export type ServerState = 'idle' | 'starting' | 'running' | 'stopping';

/** A connection of a server, until it is forgotten. */
export type PeerState = 'open' | 'closing';

type Table<State extends string, Call extends string> = Readonly<
  Record<State, Readonly<Record<Call, ErrorName | 'allowed'>>>
>;

/** §2.2, §2.3, §2.4; C28, C29, C30. */
export const clientCalls: Table<ClientState, 'connect' | 'send' | 'close'> = {
  idle: { connect: 'allowed', send: 'notConnected', close: 'other' },
  connecting: { connect: 'alreadyConnected', send: 'allowed', close: 'allowed' },
  open: { connect: 'alreadyConnected', send: 'allowed', close: 'allowed' },
  closing: { connect: 'alreadyConnected', send: 'notConnected', close: 'other' },
};

export type ServerCall = 'start' | 'stop' | 'list' | 'stats' | 'publish' | 'reload';

/**
 * §3.3, S12, S22. `stop` while starting waits for the start. A `start` of a running server is
 * `portOccupied` instead, if it is for the same port.
 */
export const serverCalls: Table<ServerState, ServerCall> = {
  idle: {
    start: 'allowed',
    stop: 'other',
    list: 'other',
    stats: 'other',
    publish: 'other',
    reload: 'other',
  },
  starting: {
    start: 'other',
    stop: 'allowed',
    list: 'other',
    stats: 'other',
    publish: 'other',
    reload: 'other',
  },
  running: {
    start: 'other',
    stop: 'allowed',
    list: 'allowed',
    stats: 'allowed',
    publish: 'allowed',
    reload: 'allowed',
  },
  stopping: {
    start: 'other',
    stop: 'other',
    list: 'other',
    stats: 'allowed',
    publish: 'other',
    reload: 'other',
  },
};

/** §3.3. */
export const peerCalls: Table<PeerState, 'send' | 'close' | 'pause' | 'terminate'> = {
  open: { send: 'allowed', close: 'allowed', pause: 'allowed', terminate: 'allowed' },
  closing: { send: 'notConnected', close: 'other', pause: 'other', terminate: 'allowed' },
};
