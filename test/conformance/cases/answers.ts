/**
 * The opening handshake (RFC 6455 §4; HTTP's own rules by RFC 9110 and 9112): answers that a client gets. Other than
 * for frames, a case is one text and one outcome.
 */

import { acceptFor, upgradeAnswer } from '../../helpers/frames.js';

export interface AnswerCase {
  readonly id: string;
  readonly rfc: string;
  readonly title: string;
  /** What the client asks for; default no subprotocol. */
  readonly protocol?: string;
  readonly answer: (key: string) => string;
  readonly piece?: number;
  /** The server ends TCP behind it: a client may wait for more of what is no head of an answer. */
  readonly thenEnds?: true;
  readonly opens: boolean;
}

const ACCEPT = (given: string) => `Sec-WebSocket-Accept: ${acceptFor(given)}`;
const UPGRADE = 'Upgrade: websocket';
const CONNECTION = 'Connection: Upgrade';

function lines(...make: ((key: string) => string)[]): (key: string) => string {
  return (given) => upgradeAnswer(given, { lines: make.map((line) => line(given)) });
}

const is = (line: string) => () => line;

function extra(...more: string[]): (key: string) => string {
  return (given) => upgradeAnswer(given, { extra: more });
}

/** A good answer with the lines of that name written in this way. */
function written(name: string, ...make: ((value: string) => string)[]): (key: string) => string {
  return (given) =>
    upgradeAnswer(given, {
      lines: [UPGRADE, CONNECTION, ACCEPT(given), 'Sec-WebSocket-Protocol: chat'].flatMap(
        (line) => {
          const [of = '', value = ''] = line.split(': ');
          return of === name ? make.map((one) => `${name}:${one(value)}`) : [line];
        },
      ),
    });
}

function status(startLine: string): (key: string) => string {
  return (given) => upgradeAnswer(given, { startLine });
}

/** White space around a value is no part of it. */
const blanks: readonly (readonly [id: string, title: string, make: (value: string) => string])[] = [
  ['none', 'nothing before the value', (value) => value],
  ['spaces-before', 'spaces before the value', (value) => `    ${value}`],
  ['spaces-behind', 'spaces behind the value', (value) => ` ${value}   `],
  ['tab-before', 'a tab before the value', (value) => `\t${value}`],
  ['tab-behind', 'a tab behind the value', (value) => ` ${value}\t`],
  ['mixed', 'tabs and spaces around the value', (value) => `\t ${value} \t `],
];

const judgedHeaders = ['Upgrade', 'Connection', 'Sec-WebSocket-Accept', 'Sec-WebSocket-Protocol'];

/** Values of one header, which may stand on several lines, and whether the client takes them. */
type Values = readonly [
  id: string,
  title: string,
  make: readonly ((value: string) => string)[],
  opens: boolean,
];

function valuesOf(name: string, values: readonly Values[]): AnswerCase[] {
  return values.map(([id, title, make, opens]) => ({
    id: `answer-${name.toLowerCase()}-${id}`,
    rfc: '4.1',
    title: `${name}: ${title}`,
    protocol: 'chat',
    answer: written(name, ...make),
    opens,
  }));
}

const connections: readonly Values[] = [
  ['lines', 'two lines, the second is it', [() => ' keep-alive', (value) => ` ${value}`], true],
  ['second', 'the second of a list without blanks', [(value) => `keep-alive,${value}`], true],
  ['tabs', 'a list with tabs in it', [(value) => ` a\t,\t${value}\t,b`], true],
  ['empty-elements', 'empty elements of a list', [(value) => ` ,, ${value} ,`], true],
  ['marks', 'an option of every character that may be', [(v) => ` x!#$%&'*+-.^_\`|~0, ${v}`], true],
  ['very-long', 'a list of 2 KiB', [(value) => ` ${'x-option, '.repeat(200)}${value}`], true],
  ['case', 'UPGRADE', [(value) => ` ${value.toUpperCase()}`], true],
  ['longer', 'upgrades', [(value) => ` ${value}s`], false],
  ['within', 'the word with another', [(value) => ` keep ${value}`], false],
  ['empty', 'an empty value', [() => ''], false],
  ['blank', 'blanks alone', [() => ' \t '], false],
];

const upgrades: readonly Values[] = [
  ['case', 'WEBSOCKET', [(value) => ` ${value.toUpperCase()}`], true],
  ['list', 'two protocols', [(value) => ` ${value}, h2c`], false],
  ['lines', 'two lines', [(value) => ` ${value}`, () => ' h2c'], false],
  ['version', 'a version', [(value) => ` ${value}/13`], false],
  ['empty', 'an empty value', [() => ''], false],
  ['blank', 'blanks alone', [() => ' \t '], false],
];

export const answers: readonly AnswerCase[] = [
  { id: 'answer', rfc: '4.1', title: 'the answer of the RFC', answer: extra(), opens: true },
  {
    id: 'answer-octets',
    rfc: '4.1',
    title: 'a byte at a time',
    answer: extra(),
    piece: 1,
    opens: true,
  },
  {
    id: 'answer-any-case',
    rfc: '4.1',
    title: 'names and tokens in any case',
    answer: lines(
      is('UPGRADE: WebSocket'),
      is('connection: keep-alive, UPGRADE'),
      (given) => `sec-websocket-ACCEPT: ${acceptFor(given)}`,
    ),
    opens: true,
  },
  {
    id: 'answer-accept-blanks',
    rfc: '4.1',
    title: 'blanks around Sec-WebSocket-Accept',
    answer: lines(
      is(UPGRADE),
      is(CONNECTION),
      (given) => `Sec-WebSocket-Accept:  ${acceptFor(given)}  `,
    ),
    opens: true,
  },
  ...judgedHeaders.flatMap((name) =>
    blanks.map(([id, title, make]) => ({
      id: `answer-${name.replace('Sec-WebSocket-', '').toLowerCase()}-blanks-${id}`,
      rfc: 'RFC 9110 5.5',
      title: `${name}: ${title}`,
      protocol: 'chat',
      answer: written(name, make),
      opens: true,
    })),
  ),
  ...valuesOf('Connection', connections),
  ...valuesOf('Upgrade', upgrades),
  {
    id: 'answer-accept-blank-within',
    rfc: '4.1',
    title: 'a blank within Sec-WebSocket-Accept',
    protocol: 'chat',
    answer: written('Sec-WebSocket-Accept', (value) => ` ${value.slice(0, 9)} ${value.slice(9)}`),
    opens: false,
  },
  {
    id: 'answer-accept-blank',
    rfc: '4.1',
    title: 'blanks in place of Sec-WebSocket-Accept',
    protocol: 'chat',
    answer: written('Sec-WebSocket-Accept', () => ' \t '),
    opens: false,
  },
  {
    id: 'answer-other-phrase',
    rfc: '4.1',
    title: 'another reason phrase',
    answer: status('HTTP/1.1 101 Here we go'),
    opens: true,
  },
  {
    id: 'answer-no-phrase',
    rfc: 'RFC 9112 4',
    title: 'no reason phrase',
    answer: status('HTTP/1.1 101 '),
    opens: true,
  },
  ...[
    '200 OK',
    '204 No Content',
    '301 Moved',
    '400 Bad Request',
    '401 Unauthorized',
    '426 Upgrade Required',
    '503 Service Unavailable',
    '100 Continue',
  ].map((line) => ({
    id: `answer-${line.slice(0, 3)}`,
    rfc: '4.1',
    title: `status ${line}`,
    answer: status(`HTTP/1.1 ${line}`),
    opens: false,
  })),
  {
    id: 'answer-http-1.0',
    rfc: '4.1',
    title: 'HTTP/1.0 101',
    answer: status('HTTP/1.0 101 Switching Protocols'),
    opens: false,
  },
  {
    id: 'answer-no-status',
    rfc: '4.1',
    title: 'a status line without a status',
    answer: status('HTTP/1.1'),
    opens: false,
  },
  {
    id: 'answer-no-upgrade',
    rfc: '4.1',
    title: 'no Upgrade',
    answer: lines(is(CONNECTION), ACCEPT),
    opens: false,
  },
  {
    id: 'answer-other-upgrade',
    rfc: '4.1',
    title: 'an upgrade to something else',
    answer: lines(is('Upgrade: websockets'), is(CONNECTION), ACCEPT),
    opens: false,
  },
  {
    id: 'answer-no-connection',
    rfc: '4.1',
    title: 'no Connection',
    answer: lines(is(UPGRADE), ACCEPT),
    opens: false,
  },
  {
    id: 'answer-other-connection',
    rfc: '4.1',
    title: 'Connection: close',
    answer: lines(is(UPGRADE), is('Connection: close'), ACCEPT),
    opens: false,
  },
  {
    id: 'answer-connection-part',
    rfc: '4.1',
    title: 'Connection: up',
    answer: lines(is(UPGRADE), is('Connection: up'), ACCEPT),
    opens: false,
  },
  {
    id: 'answer-connection-long',
    rfc: '4.1',
    title: 'a long list of connection options',
    answer: lines(is(UPGRADE), is(`Connection: ${'x-option, '.repeat(10)}Upgrade`), ACCEPT),
    opens: true,
  },
  {
    id: 'answer-no-accept',
    rfc: '4.1',
    title: 'no Sec-WebSocket-Accept',
    answer: lines(is(UPGRADE), is(CONNECTION)),
    opens: false,
  },
  {
    id: 'answer-other-accept',
    rfc: '4.1',
    title: 'the Sec-WebSocket-Accept of another key',
    answer: lines(is(UPGRADE), is(CONNECTION), () => ACCEPT('AAAAAAAAAAAAAAAAAAAAAA==')),
    opens: false,
  },
  {
    id: 'answer-accept-case',
    rfc: '4.1',
    title: 'Sec-WebSocket-Accept in lower case',
    answer: lines(
      is(UPGRADE),
      is(CONNECTION),
      (given) => `Sec-WebSocket-Accept: ${acceptFor(given).toLowerCase()}`,
    ),
    opens: false,
  },
  {
    id: 'answer-accept-longer',
    rfc: '4.1',
    title: 'more behind the right Sec-WebSocket-Accept',
    answer: lines(is(UPGRADE), is(CONNECTION), (given) => `${ACCEPT(given)}x`),
    opens: false,
  },
  {
    id: 'answer-two-accepts',
    rfc: '11.3.3',
    title: 'two Sec-WebSocket-Accept',
    answer: lines(is(UPGRADE), is(CONNECTION), ACCEPT, ACCEPT),
    opens: false,
  },
  {
    id: 'answer-extension',
    rfc: '4.1',
    title: 'an extension that was not offered',
    answer: extra('Sec-WebSocket-Extensions: x-unknown'),
    opens: false,
  },
  {
    id: 'answer-extensions-blank',
    rfc: 'RFC 9110 5.5',
    title: 'blanks in place of extensions',
    answer: extra('Sec-WebSocket-Extensions: \t '),
    opens: true,
  },
  {
    id: 'answer-two-extensions',
    rfc: '4.1',
    title: 'the same extension twice (D1)',
    answer: extra('Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate'),
    opens: false,
  },
  {
    id: 'answer-forty-extensions',
    rfc: '4.1',
    title: 'forty extensions (D1)',
    answer: extra(
      `Sec-WebSocket-Extensions: ${Array.from({ length: 40 }, () => 'permessage-deflate').join(', ')}`,
    ),
    opens: false,
  },
  {
    id: 'answer-subprotocol',
    rfc: '4.1',
    title: 'the subprotocol that was asked for',
    protocol: 'chat',
    answer: extra('Sec-WebSocket-Protocol: chat'),
    opens: true,
  },
  {
    id: 'answer-subprotocol-of-several',
    rfc: '4.1',
    title: 'the second of two subprotocols',
    protocol: 'chat, superchat',
    answer: extra('Sec-WebSocket-Protocol: superchat'),
    opens: true,
  },
  {
    id: 'answer-subprotocol-none',
    rfc: '4.1',
    title: 'none of the subprotocols that were asked for',
    protocol: 'chat',
    answer: extra(),
    opens: true,
  },
  {
    id: 'answer-subprotocol-unasked',
    rfc: '4.1',
    title: 'a subprotocol that nobody asked for',
    answer: extra('Sec-WebSocket-Protocol: chat'),
    opens: false,
  },
  {
    id: 'answer-subprotocol-other',
    rfc: '4.1',
    title: 'another subprotocol',
    protocol: 'chat',
    answer: extra('Sec-WebSocket-Protocol: superchat'),
    opens: false,
  },
  {
    id: 'answer-subprotocol-case',
    rfc: '4.1',
    title: 'the subprotocol in another case',
    protocol: 'chat',
    answer: extra('Sec-WebSocket-Protocol: Chat'),
    opens: false,
  },
  {
    id: 'answer-subprotocol-part',
    rfc: '4.1',
    title: 'the beginning of a subprotocol',
    protocol: 'chat',
    answer: extra('Sec-WebSocket-Protocol: cha'),
    opens: false,
  },
  {
    id: 'answer-subprotocol-two',
    rfc: '4.2.2',
    title: 'two subprotocols that were both asked for',
    protocol: 'chat, superchat',
    answer: extra('Sec-WebSocket-Protocol: chat, superchat'),
    opens: false,
  },
  {
    id: 'answer-subprotocol-lines',
    rfc: '11.3.4',
    title: 'two lines with a subprotocol each',
    protocol: 'chat, superchat',
    answer: extra('Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Protocol: superchat'),
    opens: false,
  },
  {
    id: 'answer-nul',
    rfc: 'RFC 9110 5.5',
    title: 'NUL in a header',
    answer: extra('X-A: a\0b'),
    opens: false,
  },
  {
    id: 'answer-no-colon',
    rfc: 'RFC 9112 5',
    title: 'a line without a colon',
    answer: extra('this is no header'),
    thenEnds: true,
    opens: false,
  },
  {
    id: 'answer-too-large',
    rfc: '10.4',
    title: 'headers of 40 KiB',
    answer: extra(`X-A: ${'a'.repeat(40_000)}`),
    opens: false,
  },
  {
    id: 'answer-garbage',
    rfc: '4.1',
    title: 'bytes that are no HTTP',
    answer: () => '\x16\x03\x01\0\0\xff\xff\r\n\r\n',
    thenEnds: true,
    opens: false,
  },
  {
    id: 'answer-empty-lines',
    rfc: '4.1',
    title: 'empty lines only',
    answer: () => '\r\n\r\n\r\n\r\n',
    thenEnds: true,
    opens: false,
  },
];
