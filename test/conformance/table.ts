/**
 * The words in which the cases are written. A case is data: what a raw peer sends to an echo endpoint,
 * what it has to get back, and how the connection ends. Nothing here knows a socket.
 */

import { closeBody, encodeFrame, type FrameSpec, Opcode, toBuffer } from '../helpers/frames.js';

export { closeBody, type FrameSpec, Opcode };

/** Of the endpoint under test; its peer plays the other one. */
export type Role = 'server' | 'client';

/** How frames are cut into writes: all in one, one each, or pieces of so many bytes. */
export type Cut = 'whole' | 'frames' | number;

/** What the application of the endpoint is told of the end. */
export type Told =
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  /** The peer broke the protocol: an `error` event, then `close` with code 0. */
  | { readonly kind: 'failure' };

export type Step =
  | { readonly does: 'send'; readonly frames: readonly FrameSpec[]; readonly cut: Cut }
  /** The next that comes back is this whole message, or this control frame. */
  | { readonly does: 'get'; readonly opcode: number; readonly payload: Uint8Array }
  /** The next is a close frame with this code (none: without a body), and then TCP ends in order. */
  | { readonly does: 'end'; readonly code: number | undefined; readonly told: Told };

export interface Case {
  /** The number in the Autobahn test suite, or `rfc-` and a name of ours. */
  readonly id: string;
  /** Section of RFC 6455. */
  readonly rfc: string;
  readonly title: string;
  /** Default: both. */
  readonly roles?: readonly Role[];
  /** Made when it is played: some are large. Without an `end`, a close handshake follows. */
  readonly steps: () => readonly Step[];
}

// ---- frames

export function text(payload: string | Uint8Array, rest: Partial<FrameSpec> = {}): FrameSpec {
  return { opcode: Opcode.text, payload, ...rest };
}

export function binary(payload: string | Uint8Array, rest: Partial<FrameSpec> = {}): FrameSpec {
  return { opcode: Opcode.binary, payload, ...rest };
}

export function more(payload: string | Uint8Array, rest: Partial<FrameSpec> = {}): FrameSpec {
  return { opcode: Opcode.continuation, payload, ...rest };
}

export function ping(payload: string | Uint8Array = '', rest: Partial<FrameSpec> = {}): FrameSpec {
  return { opcode: Opcode.ping, payload, ...rest };
}

export function pong(payload: string | Uint8Array = '', rest: Partial<FrameSpec> = {}): FrameSpec {
  return { opcode: Opcode.pong, payload, ...rest };
}

/** A close frame: with a code, with any body, or with none. */
export function close(code?: number | Uint8Array, reason: string | Uint8Array = ''): FrameSpec {
  const payload =
    code === undefined ? '' : typeof code === 'number' ? closeBody(code, reason) : code;
  return { opcode: Opcode.close, payload };
}

/** The frames of one message, cut every `size` bytes of its payload. */
export function fragments(
  opcode: number,
  payload: string | Uint8Array,
  size: number,
): readonly FrameSpec[] {
  const bytes = toBuffer(payload);
  const frames: FrameSpec[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    frames.push({
      opcode: at === 0 ? opcode : Opcode.continuation,
      payload: bytes.subarray(at, at + size),
      fin: at + size >= bytes.length,
    });
  }
  return frames;
}

// ---- steps

/** In one write. */
export function sends(...frames: readonly FrameSpec[]): Step {
  return { does: 'send', frames, cut: 'whole' };
}

export function sendsCut(cut: Cut, ...frames: readonly FrameSpec[]): Step {
  return { does: 'send', frames, cut };
}

export function getsText(payload: string | Uint8Array): Step {
  return { does: 'get', opcode: Opcode.text, payload: toBuffer(payload) };
}

export function getsBinary(payload: string | Uint8Array): Step {
  return { does: 'get', opcode: Opcode.binary, payload: toBuffer(payload) };
}

export function getsPong(payload: string | Uint8Array = ''): Step {
  return { does: 'get', opcode: Opcode.pong, payload: toBuffer(payload) };
}

/** The endpoint fails the connection with this code. The peer neither answers nor ends TCP itself. */
export function fails(code: number): Step {
  return { does: 'end', code, told: { kind: 'failure' } };
}

/** The endpoint answers the peer's close frame; `told` is what its application hears. */
export function answersClose(
  code: number | undefined,
  told: { readonly code: number; readonly reason?: string },
): Step {
  const reason = told.reason ?? NO_REASON;
  return { does: 'end', code, told: { kind: 'close', code: told.code, reason } };
}

/** What OpenHarmony reports where the peer gave no reason. */
export const NO_REASON = 'The link is down';

/** What ends a case that says nothing else. */
export const goodbye: readonly Step[] = [
  sends(close(1000, 'bye')),
  answersClose(1000, { code: 1000, reason: 'bye' }),
];

// ---- bytes

/** The writes of a step, by a peer of the role that faces `role`. */
export function writesOf(step: Extract<Step, { does: 'send' }>, role: Role): readonly Buffer[] {
  const encoded = step.frames.map((frame) => encodeFrame(frame, role === 'server'));
  if (step.cut === 'frames') return encoded;
  const whole = Buffer.concat(encoded);
  if (step.cut === 'whole') return [whole];
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length; at += step.cut) {
    pieces.push(whole.subarray(at, at + step.cut));
  }
  return pieces;
}
