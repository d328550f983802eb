/**
 * Text (RFC 6455 §5.6, §8.1; Autobahn 6). Every sequence that is wrong comes twice: as a whole message,
 * and again ending with the first byte that cannot be right, in a frame that announces more. Nothing
 * follows then, so an endpoint that does not refuse at that byte fails the case. Where that byte is,
 * Node's decoder says.
 */

import {
  type Case,
  fails,
  fragments,
  getsText,
  more,
  Opcode,
  type Step,
  sends,
  sendsCut,
  text,
} from '../table.js';

const GREEK = Buffer.from('κόσμε');
const HELLO = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!');
const EDITED = Buffer.from('edited');
/** Behind the Greek word a surrogate, or a code point beyond the last. */
const WITH_SURROGATE = Buffer.concat([GREEK, Buffer.from('eda080', 'hex'), EDITED]);
const BEYOND = Buffer.from('f4908080', 'hex');

/** Offset of the first byte that cannot be part of UTF-8; undefined if it ends too early, or is right. */
function firstBadByte(bytes: Uint8Array): number | undefined {
  for (let end = 1; end <= bytes.length; end++) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
    } catch {
      return end - 1;
    }
  }
  return undefined;
}

function isValid(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const named: readonly Case[] = [
  {
    id: '6.1.1',
    rfc: '5.6',
    title: 'an empty text',
    steps: () => [sends(text('')), getsText('')],
  },
  {
    id: '6.1.2',
    rfc: '5.4',
    title: 'three empty fragments',
    steps: () => [
      sends(text('', { fin: false }), more('', { fin: false }), more('')),
      getsText(''),
    ],
  },
  {
    id: '6.1.3',
    rfc: '5.4',
    title: 'three fragments, the first and the last empty',
    steps: () => [
      sends(text('', { fin: false }), more('middle frame payload', { fin: false }), more('')),
      getsText('middle frame payload'),
    ],
  },
  {
    id: '6.2.1',
    rfc: '5.6',
    title: 'a text beyond ASCII',
    steps: () => [sends(text(HELLO)), getsText(HELLO)],
  },
  {
    id: '6.2.2',
    rfc: '5.6',
    title: 'two fragments between two characters',
    steps: () => [
      sends(text(HELLO.subarray(0, 12), { fin: false }), more(HELLO.subarray(12))),
      getsText(HELLO),
    ],
  },
  {
    id: '6.2.3',
    rfc: '5.6',
    title: 'fragments of one byte',
    steps: () => [sends(...fragments(Opcode.text, HELLO, 1)), getsText(HELLO)],
  },
  {
    id: '6.2.4',
    rfc: '5.6',
    title: 'a Greek word in fragments of one byte',
    steps: () => [sends(...fragments(Opcode.text, GREEK, 1)), getsText(GREEK)],
  },
  {
    id: '6.3.1',
    rfc: '8.1',
    title: 'a surrogate in a text',
    steps: () => [sends(text(WITH_SURROGATE)), fails(1007)],
  },
  {
    id: '6.3.2',
    rfc: '8.1',
    title: 'a surrogate in fragments of one byte',
    steps: () => [sends(...fragments(Opcode.text, WITH_SURROGATE, 1)), fails(1007)],
  },
  {
    id: '6.4.1',
    rfc: '8.1',
    title: 'wrong in the second fragment; the third is never sent',
    steps: () => [
      sends(text(GREEK, { fin: false })),
      sends(more(BEYOND, { fin: false })),
      fails(1007),
    ],
  },
  {
    id: '6.4.2',
    rfc: '8.1',
    title: 'the second fragment ends with the byte that makes it wrong',
    steps: () => [
      sends(text(Buffer.concat([GREEK, BEYOND.subarray(0, 1)]), { fin: false })),
      sends(more(BEYOND.subarray(1, 2), { fin: false })),
      fails(1007),
    ],
  },
  {
    id: '6.4.3',
    rfc: '8.1',
    title: 'wrong in the second piece of one frame; the third is never sent',
    steps: () => [
      sends(text(Buffer.concat([GREEK, BEYOND]), { announcedLength: 21 })),
      fails(1007),
    ],
  },
  {
    id: '6.4.4',
    rfc: '8.1',
    title: 'the last byte of a piece of one frame makes it wrong',
    steps: () => [
      sends(text(Buffer.concat([GREEK, BEYOND.subarray(0, 2)]), { announcedLength: 21 })),
      fails(1007),
    ],
  },
  {
    id: 'rfc-utf8-cut-by-empty-fragment',
    rfc: '8.1',
    title: 'a character cut off before an empty final fragment',
    steps: () => [sends(text(GREEK.subarray(0, 3), { fin: false }), more('')), fails(1007)],
  },
  {
    id: 'rfc-utf8-split-everywhere',
    rfc: '8.1',
    title: 'a text of four-byte characters, a byte at a time, in fragments of three',
    steps: () => [
      sendsCut(1, ...fragments(Opcode.text, '🙂'.repeat(12), 3)),
      getsText('🙂'.repeat(12)),
    ],
  },
];

/** The tables of Autobahn 6.5 to 6.23, in hexadecimal. What is right and what is wrong, Node says. */
const sequences: readonly (readonly [string, readonly string[]])[] = [
  [
    'valid sequences',
    ['hello$world', 'hello¢world', 'hello€world', 'hello𤭢world', 'κόσμε'].map((word) =>
      Buffer.from(word).toString('hex'),
    ),
  ],
  [
    'prefixes of a valid text',
    Array.from({ length: GREEK.length }, (_, n) => GREEK.subarray(0, n + 1).toString('hex')),
  ],
  ['first sequence of a length', ['00', 'c280', 'e0a080', 'f0908080']],
  ['first sequence of five and six bytes', ['f888808080', 'fc8480808080']],
  ['last sequence of a length', ['7f', 'dfbf', 'efbfbf', 'f48fbfbf']],
  ['last sequence of four to six bytes', ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf']],
  ['other boundaries', ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf', 'f4908080']],
  [
    'unexpected continuation bytes',
    [
      ...['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf'],
      range(0x80, 0xbf),
    ],
  ],
  [
    'lonely first bytes',
    [
      range(0xc0, 0xdf, '20'),
      range(0xe0, 0xef, '20'),
      range(0xf0, 0xf7, '20'),
      range(0xf8, 0xfb, '20'),
      range(0xfc, 0xfd, '20'),
    ],
  ],
  [
    'the last continuation byte is missing',
    [
      'c0',
      'e080',
      'f08080',
      'f8808080',
      'fc80808080',
      'df',
      'efbf',
      'f7bfbf',
      'fbbfbfbf',
      'fdbfbfbfbf',
    ],
  ],
  [
    'incomplete sequences behind one another',
    ['c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf'],
  ],
  ['impossible bytes', ['fe', 'ff', 'fefeffff']],
  ['overlong', ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af']],
  ['longest overlong', ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf']],
  ['overlong NUL', ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080']],
  ['single surrogates', ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf']],
  [
    'pairs of surrogates',
    ['eda080', 'edadbf', 'edae80', 'edafbf'].flatMap((high) => [`${high}edb080`, `${high}edbfbf`]),
  ],
  [
    'code points that are no characters',
    [
      ...['efbfbe', 'efbfbf'],
      ...Array.from({ length: 16 }, (_, n) =>
        [0xfffe, 0xffff].map((low) =>
          Buffer.from(String.fromCodePoint((n + 1) * 0x10000 + low)).toString('hex'),
        ),
      ).flat(),
    ],
  ],
  [
    'the replacement character and its neighbours',
    ['efbfb9', 'efbfba', 'efbfbb', 'efbfbc', 'efbfbd', 'efbfbe', 'efbfbf'],
  ],
];

function range(first: number, last: number, behind = ''): string {
  let all = '';
  for (let byte = first; byte <= last; byte++) all += byte.toString(16) + behind;
  return all;
}

const listed: readonly Case[] = sequences.flatMap(([what, rows], group) =>
  rows.flatMap((row, n) => {
    const id = `6.${group + 5}.${n + 1}`;
    const bytes = Buffer.from(row, 'hex');
    const title = `${what}: ${row.length > 24 ? `${row.slice(0, 24)}…` : row}`;
    const outcome: Step = isValid(bytes) ? getsText(bytes) : fails(1007);
    const bad = firstBadByte(bytes);
    const whole = { id, rfc: '8.1', title, steps: () => [sends(text(bytes)), outcome] };
    if (bad === undefined) return [whole];
    const head = Buffer.concat([Buffer.from('ok '), bytes.subarray(0, bad + 1)]);
    return [
      whole,
      {
        id: `${id}-fast`,
        rfc: '8.1',
        title: `${title}, ending with the first bad byte`,
        steps: () => [sends(text(head, { announcedLength: 100 })), fails(1007)],
      },
    ];
  }),
);

export const utf8: readonly Case[] = [...named, ...listed];
