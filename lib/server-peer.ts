/**
 * One accepted connection of a server: its state, the object that the application knows it by, and
 * the way from the one to the other.
 */

import { X509Certificate } from 'node:crypto';
import { CloseCode, TERMINATED_REASON } from './close-codes.js';
import type { Peers } from './peers.js';
import type { WebSocketConnection } from './server-types.js';
import type { PeerState } from './state.js';
import type { Topic } from './topics.js';
import type {
  AcceptedDetails,
  CloseInfo,
  Connection,
  Message,
  ServerConnectionHandler,
} from './transport.js';
import { joinHeaders } from './upgrade.js';
import { isObject } from './validate.js';

/**
 * Leads from the application's object to the connection, without a look-up by text. Not enumerable.
 */
const PEER: unique symbol = Symbol('connection');

/** What a peer reports to. */
export interface PeerEvents {
  onPeerMessage(peer: ServerPeer, data: Message): void;
  onPeerClosed(peer: ServerPeer, close: CloseInfo): void;
  onPeerDrained(peer: ServerPeer): void;
  onPeerPing(peer: ServerPeer, data: ArrayBuffer): void;
  onPeerPong(peer: ServerPeer, data: ArrayBuffer): void;
}

/** What is known of the request that a connection began with. */
interface PeerRequest {
  readonly path: string | undefined;
  readonly protocol: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Undefined: that of the TCP connection. */
  readonly remoteAddress: string | undefined;
}

/** Most requests say no more than this; one object for all of them. */
export const PLAIN: PeerRequest = {
  ...{ path: '/', protocol: '' },
  ...{ headers: undefined, remoteAddress: undefined },
};

/** Where requests are not looked at. */
export const UNKNOWN: PeerRequest = { ...PLAIN, path: undefined, protocol: undefined };

export function toRequest(details: AcceptedDetails): PeerRequest {
  const { target, protocol, headers, remoteAddress } = details;
  const kept = headers === undefined ? undefined : joinHeaders(headers);
  return { path: target, protocol, headers: kept, remoteAddress };
}

/** Counts the connections of this thread. */
let lastId = 0;

/**
 * What an address of ours knows beyond OpenHarmony's two fields. Not enumerable, and no prototype of its own:
 * the address is equal to any other object with the same two fields, for whoever compares or prints it.
 * Descriptors without a prototype are read faster.
 */
const additions: readonly (readonly [string, PropertyDescriptor])[] = Object.entries(
  Object.getOwnPropertyDescriptors({
    get id(): number | undefined {
      return peerOf(this)?.id;
    },
    get path(): string | undefined {
      return peerOf(this)?.request.path;
    },
    get protocol(): string | undefined {
      return peerOf(this)?.request.protocol;
    },
    get headers(): Readonly<Record<string, string>> | undefined {
      return peerOf(this)?.request.headers;
    },
    get remoteAddress(): string | undefined {
      const peer = peerOf(this);
      return peer?.request.remoteAddress ?? peer?.ip;
    },
    get data(): unknown {
      return peerOf(this)?.data;
    },
    set data(data: unknown) {
      const peer = peerOf(this);
      if (peer !== undefined) peer.data = data;
    },
  }),
).map(([name, descriptor]) => [name, { __proto__: null, ...descriptor, enumerable: false }]);

/** What the application gets to know a connection by. */
function addressOf(peer: ServerPeer): WebSocketConnection {
  const address = { clientIP: peer.ip, clientPort: peer.port };
  Object.defineProperty(address, PEER, { value: peer });
  for (const [name, descriptor] of additions) Object.defineProperty(address, name, descriptor);
  return address;
}

export class ServerPeer implements ServerConnectionHandler {
  state: PeerState;
  readonly connection: Connection;
  readonly id: number;
  readonly ip: string;
  readonly port: number;
  /** The connections that it is one of, while it is; `Peers` keeps it. */
  peers: Peers | undefined;
  /** What it subscribes to; `Topics` keeps it. */
  topics: Set<Topic> | undefined;
  readonly request: PeerRequest;
  /** The application's. */
  data: unknown;
  /** Who is told; `messages` puts itself in the way. */
  events: PeerEvents;
  /** Somebody is told that messages to it wait. */
  isHeldUp = false;
  #address: WebSocketConnection | undefined;

  constructor(
    connection: Connection,
    { ip, port, state, request }: Pick<ServerPeer, 'ip' | 'port' | 'state' | 'request'>,
    events: PeerEvents,
  ) {
    this.connection = connection;
    lastId += 1;
    this.id = lastId;
    this.ip = ip;
    this.port = port;
    this.state = state;
    this.request = request;
    this.events = events;
  }

  /** What the application gets, the same object in every event; made when somebody is to get it. */
  get address(): WebSocketConnection {
    this.#address ??= addressOf(this);
    return this.#address;
  }

  /** Shows the application the client's certificate, made of its DER form when somebody looks. */
  showCertificate(der: Uint8Array): void {
    let certificate: X509Certificate | undefined;
    Object.defineProperty(this.address, 'clientCertificate', {
      get: () => (certificate ??= new X509Certificate(der)),
    });
  }

  /** Closes; for the application it is closing from now on. */
  close(code: number, reason: string, wireCode: number = code): void {
    this.state = 'closing';
    this.connection.close(code, reason, wireCode);
  }

  /** Cuts TCP; for the application it is closing from now on. */
  terminate(): void {
    this.state = 'closing';
    this.connection.terminate(CloseCode.abnormal, TERMINATED_REASON);
  }

  onMessage(data: Message): void {
    if (this.state === 'open') this.events.onPeerMessage(this, data);
  }

  onDrained(): void {
    if (this.state === 'open') this.events.onPeerDrained(this);
  }

  onPing(data: ArrayBuffer): void {
    if (this.state === 'open') this.events.onPeerPing(this, data);
  }

  onPong(data: ArrayBuffer): void {
    if (this.state === 'open') this.events.onPeerPong(this, data);
  }

  onClosed(close: CloseInfo): void {
    this.state = 'closing';
    this.events.onPeerClosed(this, close);
  }
}

/** Whether a value can name a connection; further fields do not matter (§3.3). */
export function isAddress(value: unknown): value is WebSocketConnection {
  return (
    isObject(value) && typeof value.clientIP === 'string' && typeof value.clientPort === 'number'
  );
}

/** The peer of an object of our own, gone or not. */
export function peerOf(address: object): ServerPeer | undefined {
  return (address as { [PEER]?: ServerPeer })[PEER];
}
