/** The whole table, in the order of the RFC's sections as the Autobahn suite numbers its areas. */

import type { Case } from '../table.js';
import { closing } from './closing.js';
import { fragmentation } from './fragmentation.js';
import { framing } from './framing.js';
import { limits } from './limits.js';
import { opcodes } from './opcodes.js';
import { pings } from './pings.js';
import { reservedBits } from './reserved-bits.js';
import { utf8 } from './utf8.js';

export const areas: readonly { readonly name: string; readonly cases: readonly Case[] }[] = [
  { name: 'framing', cases: framing },
  { name: 'pings and pongs', cases: pings },
  { name: 'reserved bits', cases: reservedBits },
  { name: 'opcodes', cases: opcodes },
  { name: 'fragmentation', cases: fragmentation },
  { name: 'UTF-8', cases: utf8 },
  { name: 'close handling', cases: closing },
  { name: 'limits and fragments of the sender', cases: limits },
];
