/** Pings and pongs (RFC 6455 §5.5.2, §5.5.3; Autobahn 2). */

import { type Case, fails, getsPong, ping, pong, sends, sendsCut } from '../table.js';

const TEN = Array.from({ length: 10 }, (_, n) => `payload-${n}`);

export const pings: readonly Case[] = [
  {
    id: '2.1',
    rfc: '5.5.3',
    title: 'a ping without a payload',
    steps: () => [sends(ping()), getsPong()],
  },
  {
    id: '2.2',
    rfc: '5.5.3',
    title: 'a ping with a text',
    steps: () => [sends(ping('Hello, world!')), getsPong('Hello, world!')],
  },
  {
    id: '2.3',
    rfc: '5.5.3',
    title: 'a ping with bytes that are no text',
    steps: () => {
      const bytes = Buffer.from('00fffefdfcfb00ff', 'hex');
      return [sends(ping(bytes)), getsPong(bytes)];
    },
  },
  {
    id: '2.4',
    rfc: '5.5',
    title: 'a ping of 125 bytes',
    steps: () => [sends(ping(Buffer.alloc(125, 0xfe))), getsPong(Buffer.alloc(125, 0xfe))],
  },
  {
    id: '2.5',
    rfc: '5.5',
    title: 'a ping of 126 bytes',
    steps: () => [sends(ping(Buffer.alloc(126, 0xfe))), fails(1002)],
  },
  {
    id: 'rfc-ping-64-bit',
    rfc: '5.5',
    title: 'a ping of 65536 bytes',
    steps: () => [sends(ping(Buffer.alloc(65_536))), fails(1002)],
  },
  {
    id: 'rfc-pong-126',
    rfc: '5.5',
    title: 'a pong of 126 bytes',
    steps: () => [sends(pong(Buffer.alloc(126))), fails(1002)],
  },
  {
    id: '2.6',
    rfc: '5.5',
    title: 'a ping of 125 bytes, a byte at a time',
    steps: () => [sendsCut(1, ping(Buffer.alloc(125, 0xfe))), getsPong(Buffer.alloc(125, 0xfe))],
  },
  {
    id: '2.7',
    rfc: '5.5.3',
    title: 'a pong that nobody asked for, without a payload',
    steps: () => [sends(pong())],
  },
  {
    id: '2.8',
    rfc: '5.5.3',
    title: 'a pong that nobody asked for',
    steps: () => [sends(pong('unsolicited pong payload'))],
  },
  {
    id: '2.9',
    rfc: '5.5.3',
    title: 'a pong that nobody asked for, then a ping',
    steps: () => [
      sends(pong('unsolicited pong payload'), ping('ping payload')),
      getsPong('ping payload'),
    ],
  },
  {
    id: '2.10',
    rfc: '5.5.3',
    title: 'ten pings',
    steps: () => [sends(...TEN.map((payload) => ping(payload))), ...TEN.map((p) => getsPong(p))],
  },
  {
    id: '2.11',
    rfc: '5.5.3',
    title: 'ten pings, a byte at a time',
    steps: () => [
      sendsCut(1, ...TEN.map((payload) => ping(payload))),
      ...TEN.map((p) => getsPong(p)),
    ],
  },
];
