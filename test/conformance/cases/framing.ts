/** Data frames of every length form (RFC 6455 §5.2, §5.6; Autobahn 1), and masks (§5.1, §5.3). */

import {
  binary,
  type Case,
  fails,
  getsBinary,
  getsText,
  ping,
  sends,
  sendsCut,
  text,
} from '../table.js';

const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536];

const texts: readonly Case[] = SIZES.map((size, n) => ({
  id: `1.1.${n + 1}`,
  rfc: '5.6',
  title: `a text message of ${size} bytes`,
  steps: () => [sends(text('*'.repeat(size))), getsText('*'.repeat(size))],
}));

const binaries: readonly Case[] = SIZES.map((size, n) => ({
  id: `1.2.${n + 1}`,
  rfc: '5.6',
  title: `a binary message of ${size} bytes`,
  steps: () => [sends(binary(Buffer.alloc(size, 0xfe))), getsBinary(Buffer.alloc(size, 0xfe))],
}));

/** §5.2: "the minimal number of bytes MUST be used to encode the length". */
const lengthForms: readonly Case[] = (
  [
    [0, 16],
    [125, 16],
    [0, 64],
    [126, 64],
    [65_535, 64],
  ] as const
).map(([size, lengthBits]) => ({
  id: `rfc-length-${size}-in-${lengthBits}`,
  rfc: '5.2',
  title: `a length of ${size} in ${lengthBits} bits is not the shortest form`,
  steps: () => [sends(binary(Buffer.alloc(size), { lengthBits })), fails(1002)],
}));

export const framing: readonly Case[] = [
  ...texts,
  {
    id: '1.1.8',
    rfc: '5.6',
    title: 'a text message of 65536 bytes in pieces of 997',
    steps: () => [sendsCut(997, text('*'.repeat(65_536))), getsText('*'.repeat(65_536))],
  },
  ...binaries,
  {
    id: '1.2.8',
    rfc: '5.6',
    title: 'a binary message of 65536 bytes in pieces of 997',
    steps: () => [
      sendsCut(997, binary(Buffer.alloc(65_536, 0xfe))),
      getsBinary(Buffer.alloc(65_536, 0xfe)),
    ],
  },
  ...lengthForms,
  {
    id: 'rfc-length-top-bit',
    rfc: '5.2',
    title: 'the most significant bit of a 64-bit length is set',
    steps: () => [sends(binary('', { announcedLength: 2n ** 63n })), fails(1002)],
  },
  {
    id: 'rfc-mask-none',
    rfc: '5.1',
    title: 'a client that does not mask',
    roles: ['server'],
    steps: () => [sends(text('x', { mask: false })), fails(1002)],
  },
  {
    id: 'rfc-mask-none-empty',
    rfc: '5.1',
    title: 'a client that does not mask an empty frame',
    roles: ['server'],
    steps: () => [sends(text('', { mask: false })), fails(1002)],
  },
  {
    id: 'rfc-mask-none-control',
    rfc: '5.1',
    title: 'a client that does not mask a ping',
    roles: ['server'],
    steps: () => [sends(ping('', { mask: false })), fails(1002)],
  },
  {
    id: 'rfc-mask-server',
    rfc: '5.1',
    title: 'a server that masks',
    roles: ['client'],
    steps: () => [sends(text('x', { mask: true })), fails(1002)],
  },
  {
    id: 'rfc-mask-server-empty',
    rfc: '5.1',
    title: 'a server that masks an empty ping',
    roles: ['client'],
    steps: () => [sends(ping('', { mask: true })), fails(1002)],
  },
  {
    id: 'rfc-mask-zero',
    rfc: '5.3',
    title: 'a mask key of zeros',
    roles: ['server'],
    steps: () => [sends(text('as it is', { maskKey: Buffer.alloc(4) })), getsText('as it is')],
  },
  {
    id: 'rfc-mask-every-alignment',
    rfc: '5.3',
    title: 'masked payloads of 0 to 40 bytes behind one another',
    roles: ['server'],
    steps: () => {
      const payloads = Array.from({ length: 41 }, (_, size) =>
        Buffer.from(Array.from({ length: size }, (_byte, at) => (size * 7 + at) & 0xff)),
      );
      return [
        sends(
          ...payloads.map((payload, n) =>
            binary(payload, { maskKey: Buffer.of(n, 0xa5, 0x5a, 0xff - n) }),
          ),
        ),
        ...payloads.map((payload) => getsBinary(payload)),
      ];
    },
  },
  {
    id: 'rfc-octets',
    rfc: '5.2',
    title: 'frames of every length form, a byte at a time',
    steps: () => [
      sendsCut(1, text('short'), binary(Buffer.alloc(300, 1)), text('')),
      getsText('short'),
      getsBinary(Buffer.alloc(300, 1)),
      getsText(''),
    ],
  },
];
