/**
 * Large and many messages (Autobahn 9) and fragments that the sender chose (10). `send` takes 5,242,864
 * bytes at most: what is larger the echo endpoint answers with `digestOf` it.
 */

import { createHash } from 'node:crypto';
import {
  binary,
  type Case,
  fragments,
  getsBinary,
  getsText,
  Opcode,
  sends,
  sendsCut,
  text,
} from '../table.js';

const KI = 1024;
const MI = 1024 * 1024;
const MAX_SEND_BYTES = 5_242_864;

/** What the echo endpoint sends back. */
export function echoOf(data: Buffer): Buffer | string {
  return data.length <= MAX_SEND_BYTES ? data : digestOf(data);
}

function digestOf(data: Buffer): string {
  return `${data.length} bytes, SHA-256 ${createHash('sha256').update(data).digest('hex')}`;
}

/** Types differ in the last number of the area: 9.1 and 9.2, 9.3 and 9.4 and so on. */
const TYPES = [
  ['text', Opcode.text, text, getsText],
  ['binary', Opcode.binary, binary, getsBinary],
] as const;

function payloadOf(size: number): Buffer {
  return Buffer.alloc(size, 'BAsd7&jh23');
}

const whole = TYPES.flatMap(([name, , frame, gets], type) =>
  [64 * KI, 256 * KI, MI, 4 * MI, 8 * MI, 16 * MI].map(
    (size, n): Case => ({
      id: `9.${type + 1}.${n + 1}`,
      rfc: '5.2',
      title: `a ${name} message of ${size / KI} KiB`,
      steps: () => {
        const payload = payloadOf(size);
        const answer = echoOf(payload);
        return [
          sends(frame(payload)),
          typeof answer === 'string' ? getsText(answer) : gets(answer),
        ];
      },
    }),
  ),
);

const fragmented = TYPES.flatMap(([name, opcode, , gets], type) =>
  [64, 256, KI, 4 * KI, 16 * KI, 64 * KI, 256 * KI, MI, 4 * MI].map(
    (size, n): Case => ({
      id: `9.${type + 3}.${n + 1}`,
      rfc: '5.4',
      title: `a ${name} message of 4 MiB in fragments of ${size} bytes`,
      steps: () => [sends(...fragments(opcode, payloadOf(4 * MI), size)), gets(payloadOf(4 * MI))],
    }),
  ),
);

const chopped = TYPES.flatMap(([name, , frame, gets], type) =>
  [64, 128, 256, 512, 1024, 2048].map(
    (size, n): Case => ({
      id: `9.${type + 5}.${n + 1}`,
      rfc: '5.2',
      title: `a ${name} message of 1 MiB in writes of ${size} bytes`,
      steps: () => [sendsCut(size, frame(payloadOf(MI))), gets(payloadOf(MI))],
    }),
  ),
);

const many = TYPES.flatMap(([name, , frame, gets], type) =>
  [0, 16, 64, 256, 1024, 4096].map(
    (size, n): Case => ({
      id: `9.${type + 7}.${n + 1}`,
      rfc: '5.6',
      title: `1000 ${name} messages of ${size} bytes`,
      steps: () => {
        const all = Array.from({ length: 1000 }, () => payloadOf(size));
        return [sends(...all.map((one) => frame(one))), ...all.map((one) => gets(one))];
      },
    }),
  ),
);

export const limits: readonly Case[] = [
  ...whole,
  ...fragmented,
  ...chopped,
  ...many,
  {
    id: '10.1.1',
    rfc: '5.4',
    title: 'a text of 65536 bytes in fragments of 1300',
    steps: () => [
      sends(...fragments(Opcode.text, payloadOf(65_536), 1300)),
      getsText(payloadOf(65_536)),
    ],
  },
];
