/** The closing handshake (RFC 6455 §5.5.1, §7; Autobahn 7). */

import {
  answersClose,
  type Case,
  close,
  fails,
  getsText,
  more,
  ping,
  type Step,
  sends,
  sendsCut,
  text,
} from '../table.js';

const HELLO = 'Hello World!';

/** The answer has the peer's code and reason. */
function returns(code: number, reason?: string): Step {
  return answersClose(code, reason === undefined ? { code } : { code, reason });
}

/** A close frame that is wrong: the answer says so, and the application hears the code. */
function refuses(code: number, reason?: string): Step {
  return answersClose(code, reason === undefined ? { code } : { code, reason });
}

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const REGISTERED_SINCE = [1012, 1013, 1014];
const INVALID = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
const NEVER = [1015, 5000, 65_535];

export const closing: readonly Case[] = [
  {
    id: '7.1.1',
    rfc: '7.1.2',
    title: 'a text, then a close frame',
    steps: () => [sends(text(HELLO)), getsText(HELLO), sends(close(1000)), returns(1000)],
  },
  {
    id: '7.1.2',
    rfc: '5.5.1',
    title: 'two close frames',
    steps: () => [sends(close(1000), close(1000)), returns(1000)],
  },
  {
    id: '7.1.3',
    rfc: '5.5.1',
    title: 'no pong for a ping behind the close frame',
    steps: () => [sends(close(1000), ping('behind')), returns(1000)],
  },
  {
    id: '7.1.4',
    rfc: '5.5.1',
    title: 'no echo for a text behind the close frame',
    steps: () => [sends(close(1000), text(HELLO)), returns(1000)],
  },
  {
    id: '7.1.5',
    rfc: '5.5.1',
    title: 'a close frame within a fragmented message',
    steps: () => [
      sends(text('fragment1', { fin: false }), close(1000), more('fragment2')),
      returns(1000),
    ],
  },
  {
    id: '7.1.6',
    rfc: '7.1.2',
    title: 'large texts, a close frame and a ping at once: the texts are echoed, the ping is not',
    steps: () => {
      const large = 'BAsd7&jh23'.repeat(26 * 1024);
      return [
        sends(text(large), text(HELLO), close(1000), ping()),
        getsText(large),
        getsText(HELLO),
        returns(1000),
      ];
    },
  },
  {
    id: 'rfc-close-behind-texts',
    rfc: '7.1.2',
    title: 'a hundred texts and a close frame at once: all are echoed, then closed',
    steps: () => {
      const texts = Array.from({ length: 100 }, (_, n) => `text ${n}`);
      return [
        sends(...texts.map((one) => text(one)), close(1000, 'done')),
        ...texts.map((one) => getsText(one)),
        returns(1000, 'done'),
      ];
    },
  },
  {
    id: 'rfc-close-octets',
    rfc: '5.5.1',
    title: 'a close frame, a byte at a time',
    steps: () => [sendsCut(1, close(4321, 'slowly')), returns(4321, 'slowly')],
  },
  {
    id: '7.3.1',
    rfc: '7.1.5',
    title: 'a close frame without a body',
    steps: () => [sends(close()), answersClose(undefined, { code: 1000 })],
  },
  {
    id: '7.3.2',
    rfc: '5.5.1',
    title: 'a close frame of one byte',
    steps: () => [sends(close(Buffer.from('a'))), answersClose(1002, { code: 1000 })],
  },
  {
    id: '7.3.3',
    rfc: '5.5.1',
    title: 'a close frame with a code',
    steps: () => [sends(close(1000)), returns(1000)],
  },
  {
    id: '7.3.4',
    rfc: '7.1.6',
    title: 'a close frame with a code and a reason',
    steps: () => [sends(close(1000, 'Hello World!')), returns(1000, 'Hello World!')],
  },
  {
    id: '7.3.5',
    rfc: '5.5',
    title: 'a close frame with a reason of 123 bytes',
    steps: () => [sends(close(1000, '*'.repeat(123))), returns(1000, '*'.repeat(123))],
  },
  {
    id: '7.3.6',
    rfc: '5.5',
    title: 'a close frame with a reason of 124 bytes',
    steps: () => [sends(close(1000, '*'.repeat(124))), fails(1002)],
  },
  {
    id: '7.5.1',
    rfc: '5.5.1',
    title: 'a close reason that is no UTF-8',
    steps: () => {
      const reason = Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex');
      return [sends(close(1000, reason)), refuses(1007, reason.toString('utf8'))];
    },
  },
  {
    id: 'rfc-close-reason-cut',
    rfc: '5.5.1',
    title: 'a close reason that ends within a character',
    steps: () => {
      const reason = Buffer.from('é').subarray(0, 1);
      return [sends(close(1000, reason)), refuses(1007, '\ufffd')];
    },
  },
  ...VALID.map((code, n) => ({
    id: `7.7.${n + 1}`,
    rfc: '7.4.1',
    title: `close code ${code}`,
    steps: () => [sends(close(code)), returns(code)],
  })),
  ...REGISTERED_SINCE.map((code) => ({
    id: `rfc-close-${code}`,
    rfc: '7.4.2',
    title: `close code ${code}, registered since`,
    steps: () => [sends(close(code)), returns(code)],
  })),
  ...INVALID.map((code, n) => ({
    id: `7.9.${n + 1}`,
    rfc: '7.4.1',
    title: `close code ${code} may not be sent`,
    steps: () => [sends(close(code)), refuses(1002)],
  })),
  ...NEVER.map((code) => ({
    id: code === 5000 ? '7.13.1' : code === 65_535 ? '7.13.2' : `rfc-close-${code}`,
    rfc: '7.4.2',
    title: `close code ${code} belongs to nobody`,
    steps: () => [sends(close(code, 'why')), refuses(1002, 'why')],
  })),
];
