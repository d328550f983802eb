/** Messages of others that came while too much waited already, gathered into gaps: those in a row are one. */

import type { Missing } from './ledger.js';
import type { Gap } from './types.js';

/** A row ends, at the latest, after this long. */
const ROW_MS = 250;

export type DroppedRow = Missing & Pick<Gap, 'channel' | 'publisher'>;

export class Drops {
  readonly #report: (row: DroppedRow) => void;
  #row: DroppedRow | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(report: (row: DroppedRow) => void) {
    this.#report = report;
  }

  /** One more. */
  add(channel: number, publisher: string, sequence: number): void {
    const before = this.#row;
    const continues =
      before?.channel === channel && before.publisher === publisher && before.to === sequence - 1;
    if (!continues) this.flush();
    const from = continues ? before.from : sequence;
    this.#row = { channel, publisher, from, to: sequence };
    this.#timer ??= setTimeout(this.flush, ROW_MS);
  }

  /** The row has ended. */
  readonly flush = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const row = this.#row;
    this.#row = undefined;
    if (row !== undefined) this.#report(row);
  };
}
