/** Reserved bits without an extension that gives them a meaning (RFC 6455 §5.2; Autobahn 3). */

import {
  binary,
  type Case,
  close,
  fails,
  getsText,
  more,
  ping,
  pong,
  sends,
  sendsCut,
  text,
} from '../table.js';

const HELLO = 'Hello, world!';

export const reservedBits: readonly Case[] = [
  {
    id: '3.1',
    rfc: '5.2',
    title: 'a text with RSV3',
    steps: () => [sends(text(HELLO, { rsv: 1 })), fails(1002)],
  },
  {
    id: '3.2',
    rfc: '5.2',
    title: 'a text, which is echoed; a text with RSV2; a ping',
    steps: () => [
      sends(text(HELLO), text(HELLO, { rsv: 2 }), ping()),
      getsText(HELLO),
      fails(1002),
    ],
  },
  {
    id: '3.3',
    rfc: '5.2',
    title: 'a text, which is echoed; a text with RSV2 and RSV3; a ping; a frame at a time',
    steps: () => [
      sendsCut('frames', text(HELLO), text(HELLO, { rsv: 3 }), ping()),
      getsText(HELLO),
      fails(1002),
    ],
  },
  {
    id: '3.4',
    rfc: '5.2',
    title: 'a text, which is echoed; a text with RSV1; a ping; a byte at a time',
    steps: () => [
      sendsCut(1, text(HELLO), text(HELLO, { rsv: 4 }), ping()),
      getsText(HELLO),
      fails(1002),
    ],
  },
  {
    id: '3.5',
    rfc: '5.2',
    title: 'a binary message with RSV1 and RSV3',
    steps: () => [sends(binary('00fffefdfcfb00ff', { rsv: 5 })), fails(1002)],
  },
  {
    id: '3.6',
    rfc: '5.2',
    title: 'a ping with RSV1 and RSV2',
    steps: () => [sends(ping(HELLO, { rsv: 6 })), fails(1002)],
  },
  {
    id: '3.7',
    rfc: '5.2',
    title: 'a close frame with RSV1, RSV2 and RSV3',
    steps: () => [sends({ ...close(), rsv: 7 }), fails(1002)],
  },
  {
    id: 'rfc-rsv-pong',
    rfc: '5.2',
    title: 'a pong with RSV1',
    steps: () => [sends(pong('', { rsv: 4 })), fails(1002)],
  },
  {
    id: 'rfc-rsv-continuation',
    rfc: '5.2',
    title: 'a continuation with RSV1',
    steps: () => [sends(text('a', { fin: false }), more('b', { rsv: 4 })), fails(1002)],
  },
];
