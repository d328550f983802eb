/** Fragments, and control frames among them (RFC 6455 §5.4; Autobahn 5). */

import {
  binary,
  type Case,
  type Cut,
  close,
  type FrameSpec,
  fails,
  getsBinary,
  getsPong,
  getsText,
  more,
  ping,
  pong,
  sends,
  sendsCut,
  text,
} from '../table.js';

const WAYS: readonly (readonly [Cut, string])[] = [
  ['whole', ''],
  ['frames', ', a frame at a time'],
  [1, ', a byte at a time'],
];

const two: readonly FrameSpec[] = [text('fragment1', { fin: false }), more('fragment2')];

/** The same frames in each of three ways, numbered from `from` on. */
function threeWays(
  from: number,
  title: string,
  frames: readonly FrameSpec[],
  ends: ReturnType<Case['steps']>,
): readonly Case[] {
  return WAYS.map(([cut, words], n) => ({
    id: `5.${from + n}`,
    rfc: '5.4',
    title: `${title}${words}`,
    steps: () => [sendsCut(cut, ...frames), ...ends],
  }));
}

const nothing = (fin: boolean) => more('non-continuation payload', { fin });

export const fragmentation: readonly Case[] = [
  {
    id: '5.1',
    rfc: '5.4',
    title: 'a ping in two fragments',
    steps: () => [sends(ping('fragment1', { fin: false }), more('fragment2')), fails(1002)],
  },
  {
    id: '5.2',
    rfc: '5.4',
    title: 'a pong in two fragments',
    steps: () => [sends(pong('fragment1', { fin: false }), more('fragment2')), fails(1002)],
  },
  {
    id: 'rfc-fragment-close',
    rfc: '5.4',
    title: 'a close frame without FIN',
    steps: () => [sends({ ...close(1000), fin: false }), fails(1002)],
  },
  ...threeWays(3, 'a text in two fragments', two, [getsText('fragment1fragment2')]),
  ...threeWays(
    6,
    'a text in two fragments with a ping between',
    [text('fragment1', { fin: false }), ping('ping payload'), more('fragment2')],
    [getsPong('ping payload'), getsText('fragment1fragment2')],
  ),
  ...threeWays(
    9,
    'a continuation with FIN of nothing, then a text',
    [nothing(true), text('Hello, world!')],
    [fails(1002)],
  ),
  ...threeWays(
    12,
    'a continuation without FIN of nothing, then a text',
    [nothing(false), text('Hello, world!')],
    [fails(1002)],
  ),
  {
    id: '5.15',
    rfc: '5.4',
    title: 'a text in two fragments, which is echoed; a continuation of nothing; a text',
    steps: () => [
      sends(...two, more('fragment3', { fin: false }), text('fragment4')),
      getsText('fragment1fragment2'),
      fails(1002),
    ],
  },
  ...[false, true].map((fin, n) => ({
    id: `5.${16 + n}`,
    rfc: '5.4',
    title: `twice: a continuation ${fin ? 'with' : 'without'} FIN of nothing, then a text in two fragments`,
    steps: () => {
      const once = [nothing(fin), ...two];
      return [sends(...once, ...once), fails(1002)];
    },
  })),
  {
    id: '5.18',
    rfc: '5.4',
    title: 'a text in two fragments that both have the text opcode',
    steps: () => [sends(text('fragment1', { fin: false }), text('fragment2')), fails(1002)],
  },
  {
    id: 'rfc-fragment-other-type',
    rfc: '5.4',
    title: 'a binary message within an unfinished text',
    steps: () => [sends(text('fragment1', { fin: false }), binary('fragment2')), fails(1002)],
  },
  ...(['whole', 1] as const).map((cut, n) => ({
    id: `5.${19 + n}`,
    rfc: '5.4',
    title: `five fragments, pings after the second and the fourth${n === 0 ? '' : ', a byte at a time'}`,
    steps: () => [
      sendsCut(
        cut,
        text('fragment1', { fin: false }),
        more('fragment2', { fin: false }),
        ping('pongme 1!'),
      ),
      getsPong('pongme 1!'),
      sendsCut(
        cut,
        more('fragment3', { fin: false }),
        more('fragment4', { fin: false }),
        ping('pongme 2!'),
      ),
      getsPong('pongme 2!'),
      sendsCut(cut, more('fragment5')),
      getsText('fragment1fragment2fragment3fragment4fragment5'),
    ],
  })),
  {
    id: 'rfc-fragment-binary',
    rfc: '5.4',
    title: 'a binary message in fragments of 0, 1, 125, 126 and 65536 bytes',
    steps: () => {
      const parts = [0, 1, 125, 126, 65_536].map((size) => Buffer.alloc(size, size & 0xff));
      return [
        sends(
          ...parts.map((part, n) =>
            n === 0 ? binary(part, { fin: false }) : more(part, { fin: n === parts.length - 1 }),
          ),
        ),
        getsBinary(Buffer.concat(parts)),
      ];
    },
  },
  {
    id: 'rfc-fragment-controls-between',
    rfc: '5.4',
    title: 'a thousand empty fragments with a pong after each',
    steps: () => [
      sends(
        text('begin ', { fin: false }),
        ...Array.from({ length: 1000 }, () => [more('', { fin: false }), pong()]).flat(),
        more('end'),
      ),
      getsText('begin end'),
    ],
  },
];
