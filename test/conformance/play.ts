/** Plays the steps of a case on a raw peer, and says what was different. */

import { isDeepStrictEqual } from 'node:util';
import { type RawPeer, readClose } from '../helpers/peers.js';
import { type Case, goodbye, Opcode, type Role, type Step, type Told, writesOf } from './table.js';

/** Something other than the case demands has happened. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

/** What the peer faces. */
export interface Endpoint {
  readonly role: Role;
  readonly peer: RawPeer;
  /** What its application was told of the end; for an endpoint whose events are not judged, undefined. */
  told?(expected: Told): Promise<Told>;
}

/** Throws a `Difference` unless everything is as the case demands. */
export async function play({ steps }: Case, endpoint: Endpoint): Promise<void> {
  const own = steps();
  const all = own.at(-1)?.does === 'end' ? own : [...own, ...goodbye];
  for (const step of all) await playStep(step, endpoint);
}

async function playStep(step: Step, endpoint: Endpoint): Promise<void> {
  const { peer, role } = endpoint;
  switch (step.does) {
    case 'send': {
      const writes = writesOf(step, role);
      for (const bytes of writes) {
        // The endpoint may have failed the connection already, and be right.
        if (peer.ended !== undefined) return;
        peer.write(bytes);
        if (writes.length > 1 && peer.ended === undefined) await peer.flushed().catch(() => {});
      }
      return;
    }
    case 'get':
      return expectMessage(step, peer, role);
    case 'end':
      return expectEnd(step, endpoint);
  }
}

async function expectMessage(
  { opcode, payload }: Extract<Step, { does: 'get' }>,
  peer: RawPeer,
  role: Role,
): Promise<void> {
  const awaited = `${nameOf(opcode)} of ${payload.length} bytes`;
  const parts: Uint8Array[] = [];
  for (;;) {
    const frame = await peer.readFrame().catch((error: Error) => {
      throw new Difference(`awaited a ${awaited}: ${error.message}`);
    });
    demandFrame(frame, role);
    const expected = parts.length === 0 ? opcode : Opcode.continuation;
    if (frame.opcode !== expected) {
      throw new Difference(`awaited a ${awaited}, got ${describe(frame)}`);
    }
    parts.push(frame.payload);
    if (frame.fin) break;
  }
  const whole = Buffer.concat(parts);
  if (whole.equals(payload)) return;
  throw new Difference(`awaited a ${awaited}, got other ${whole.length} bytes`);
}

async function expectEnd(
  { code, told }: Extract<Step, { does: 'end' }>,
  { peer, role, told: tell }: Endpoint,
): Promise<void> {
  const awaited =
    code === undefined ? 'a close frame without a body' : `a close frame with ${code}`;
  const frame = await peer.readFrame().catch((error: Error) => {
    throw new Difference(`awaited ${awaited}: ${error.message}`);
  });
  demandFrame(frame, role);
  const isIt = frame.opcode === Opcode.close && readClose(frame).code === code;
  if (!isIt) throw new Difference(`awaited ${awaited}, got ${describe(frame)}`);
  if (code === undefined && frame.payload.length > 0)
    throw new Difference('a close frame of one byte');
  const { end, frames } = await peer.readToEnd();
  const [behind] = frames;
  if (behind) throw new Difference(`awaited the end of TCP, got ${describe(behind)}`);
  if (end !== 'end') throw new Difference(`awaited the end of TCP, got a reset`);
  peer.halfClose();
  if (tell === undefined) return;
  const heard = await tell(told);
  if (!isDeepStrictEqual(heard, told)) {
    throw new Difference(`the application heard ${JSON.stringify(heard)}`);
  }
}

function demandFrame(frame: Frame, role: Role): void {
  if (frame.masked !== (role === 'client')) throw new Difference('a frame with the wrong mask bit');
  if (frame.rsv !== 0) throw new Difference(`a frame with reserved bits: ${frame.rsv}`);
}

type Frame = Awaited<ReturnType<RawPeer['readFrame']>>;

function describe(frame: Frame): string {
  if (frame.opcode !== Opcode.close) {
    return `${nameOf(frame.opcode)} of ${frame.payload.length} bytes`;
  }
  const { code, reason } = readClose(frame);
  return `close ${code ?? 'without a code'}${reason === '' ? '' : ` '${reason}'`}`;
}

function nameOf(opcode: number): string {
  const found = Object.entries(Opcode).find(([, value]) => value === opcode);
  return found?.[0] ?? `opcode ${opcode}`;
}
