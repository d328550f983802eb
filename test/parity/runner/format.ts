/**
 * The types of the case format (`../README.md` describes it in words) and of what a run observes.
 * Types only: nothing here exists when the runner runs.
 */

/** `default` is the documented behaviour, `parity` the one of OpenHarmony's own stack. */
export type Profile = 'default' | 'parity';

/** Any JSON value; in app arguments and expectations, objects with `$` keys have a meaning. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };

export interface Corpus {
  area: string;
  cases: Case[];
}

export interface Case {
  id: string;
  title: string;
  note?: string;
  refs: string[];
  origin: 'recorded' | 'derived' | 'written';
  profiles?: ('both' | Profile)[];
  side: 'client' | 'server';
  peer?: Peer;
  app: AppStep[];
  expect: Expectation;
  order?: Order;
  check?: ('request' | 'response' | 'proxyHeaders' | 'end')[];
  relax?: 'protocolClose'[];
  timing?: Timing[];
  settleMs?: number;
  limitMs?: number;
}

export interface Order {
  events?: 'nominal' | 'exact' | 'any';
  /** The first is directly followed by the second, every time. */
  adjacent?: [string, string][];
  /** If both occur, the first occurrence of the first comes first. */
  before?: [string, string][];
}

export interface Timing {
  event: string;
  index?: number;
  /** The event that starts the clock; the start of the case if absent. */
  after?: string;
  afterIndex?: number;
  minMs: number;
  maxMs: number;
}

// ---- the scripted peer

export interface Peer {
  host?: string;
  steps?: PeerStep[];
  connections?: PeerStep[][];
  clients?: PeerClient[];
}

export interface PeerClient {
  from?: string;
  times?: number;
  steps: PeerStep[];
}

/** One key is the step's name, its value the argument. */
export interface PeerStep {
  note?: string;
  connect?: true;
  sendHandshake?: true | { requestLine?: string; lines?: string[]; extra?: string[] };
  expectHandshake?: true;
  expectResponse?: true;
  reply101?:
    | true
    | {
        statusLine?: string;
        lines?: string[];
        extra?: string[];
        withFrames?: FrameSpec[];
        chunk?: number;
      };
  replyRaw?: string;
  sendRaw?: string;
  sendHex?: string;
  proxyReply?: string;
  sendFrame?: FrameSpec;
  sendFrames?: FrameSpec[];
  expectFrame?: true | { opcode: number };
  delayMs?: number;
  closeTcp?: true;
  resetTcp?: true;
  readUntilClose?: true | { ms?: number; thenClose?: boolean };
  signal?: string;
  waitSignal?: string;
}

export interface FrameSpec {
  opcode: number | string;
  fin?: boolean;
  rsv?: number;
  mask?: boolean;
  maskKey?: string;
  payload?: PayloadSpec;
  chunk?: number;
}

export type PayloadSpec =
  | string
  | { hex: string }
  | { utf8: string; count?: number }
  | { byte: string; count: number }
  | { code: number; reason?: PayloadSpec };

// ---- the app

export interface AppStep {
  op: string;
  object?: string;
  args?: Json[];
  event?: string;
  listener?: string;
  reuse?: boolean;
  listen?: false | string[];
  await?: boolean;
  gapMs?: number;
  ms?: number;
  count?: number;
  timeoutMs?: number;
  name?: string;
}

// ---- what a run observes

export interface Frame {
  fin: boolean;
  rsv: number;
  opcode: number;
  masked: boolean;
  body: Buffer;
}

export interface ObservedCall {
  step: number;
  op: string;
  event?: string;
  resolved?: Json;
  rejected?: Json;
  thrown?: Json;
  returned?: Json;
  callback?: Json[] | 'never';
  pending?: true;
  timedOut?: true;
  failed?: string;
}

export interface ObservedEvent {
  event: string;
  args: Json[];
  listener?: string;
  object?: string;
}

export type TcpEnd = 'open' | 'app' | 'peer' | 'refused';

export interface ObservedConnection {
  proxyRequest?: string[];
  request?: { line: string; headers: string[] };
  response?: { status?: number; line?: string; headers?: string[]; raw?: string };
  frames: Json[];
  end: TcpEnd;
  scriptErrors?: string[];
}

export interface Observation {
  calls: ObservedCall[];
  events: ObservedEvent[];
  wire: ObservedConnection[];
  /** [event, milliseconds since the start of the case], in the order of `events`. */
  times: [string, number][];
  /** Exceptions and rejections that nobody handled. */
  uncaught: string[];
}

// ---- what a case expects: the observation as JSON, with matchers anywhere

export interface ExpectedConnection {
  proxyRequest?: Json;
  proxyContains?: string[];
  request?: { line: Json; headers: Json };
  response?: { $any?: true; status?: Json; line?: Json; headers?: string[] };
  frames?: Json;
  end?: Json;
  scriptErrors?: Json;
  times?: number;
}

export interface ExpectedEvent {
  event: string;
  args: Json[];
  listener?: string;
  object?: string;
}

export interface Expectation {
  calls: Json[];
  events: ExpectedEvent[] | { $any: true };
  noEvents?: string[];
  someEvents?: ExpectedEvent[];
  wire?: ExpectedConnection[];
}

// ---- verdicts

export interface Verdict {
  id: string;
  title: string;
  matched: boolean;
  differences: string[];
}

export interface RunOptions {
  /** What the case's process imports: a package name or a `file:` URL. */
  entry: string;
  profile: Profile;
  /** Demand the nominal order of events (the default), not only what the platform guarantees. */
  strictOrder?: boolean;
  /** Stretches the time limit of a case, for slow builds. */
  limitScale?: number;
  /** Stretches the runner's own waits for something that may never come. */
  patience?: number;
  /** Further environment of the case's process. */
  env?: Record<string, string>;
}

export interface CasePorts {
  port: number;
  port2: number;
  closedPort: number;
}

/** What the parent tells a case's process. */
export interface CaseOrder {
  testCase: Case;
  entry: string;
  profile: Profile;
  ports: CasePorts;
  patience: number;
}

/** What a case's process answers. */
export type CaseReport = { observation: Observation } | { failure: string };
