/**
 * Types of `index.mjs` for TypeScript that does not look into JavaScript.
 */

import type {
  Case,
  Frame,
  FrameSpec,
  Json,
  Observation,
  PayloadSpec,
  Profile,
  RunOptions,
  Verdict,
} from './format.js';

export type { Case, Observation, Profile, RunOptions, Verdict } from './format.js';

export function differences(
  testCase: Case,
  observed: Observation,
  options: Pick<RunOptions, 'profile' | 'strictOrder'>,
): string[];
export function holdsFor(testCase: Case, profile: Profile): boolean;
export function loadCases(folder?: URL): Case[];
export function encodeFrame(
  spec: FrameSpec,
  maskByDefault: boolean,
  fill: (text: string) => string,
): Buffer;
export class FrameParser {
  frames: Frame[];
  push(chunk: Buffer): void;
}
export function joinFragments(frames: readonly Frame[]): Frame[];
export function matches(expected: Json | undefined, actual: unknown): boolean;
export function payloadBytes(spec: PayloadSpec | undefined, fill: (text: string) => string): Buffer;
export function limiter(width: number): <Result>(work: () => Promise<Result>) => Promise<Result>;
export function runCase(testCase: Case, options: RunOptions): Promise<Verdict>;
