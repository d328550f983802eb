/**
 * The opening handshake (RFC 6455 §4; HTTP's own rules by RFC 9110 and 9112): requests that a server
 * gets, answers that a client gets. Other than for frames, a case is one text and one outcome.
 */

import { acceptFor, SAMPLE_KEY, upgradeAnswer, upgradeRequest } from '../../helpers/frames.js';

export interface RequestCase {
  readonly id: string;
  /** Section of RFC 6455, or of the RFC that is named. */
  readonly rfc: string;
  readonly title: string;
  readonly request: string | Buffer;
  /** Sent in writes of so many bytes; default all at once. */
  readonly piece?: number;
  /** 101: the connection echoes then. 0: TCP is ended without an answer. */
  readonly status: number;
  /** Headers of the answer; undefined: not there. The server speaks `chat` and `superchat`. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

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

export const SUBPROTOCOLS = ['chat', 'superchat'] as const;

const LINES = [
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
  'Sec-WebSocket-Version: 13',
];

/** The usual lines with this one in place of the one of its name. */
function withLine(line: string): string[] {
  const name = line.slice(0, line.indexOf(':'));
  return LINES.map((usual) => (usual.startsWith(`${name}:`) ? line : usual));
}

function without(name: string): string[] {
  return LINES.filter((line) => !line.startsWith(`${name}:`));
}

function key(bytes: number): string {
  return `Sec-WebSocket-Key: ${Buffer.alloc(bytes, 7).toString('base64')}`;
}

const VERSION_ANSWER = { 'sec-websocket-version': '13', upgrade: 'websocket' };

const refusedLines: readonly (readonly [
  id: string,
  rfc: string,
  title: string,
  lines: readonly string[],
  status: number,
])[] = [
  ['no-host', '4.2.1', 'no Host', without('Host'), 400],
  ['empty-host', '4.2.1', 'an empty Host', withLine('Host:'), 400],
  ['two-hosts', 'RFC 9112 3.2', 'two Host lines', ['Host: a.example', ...LINES], 400],
  ['no-connection', '4.2.1', 'no Connection', without('Connection'), 400],
  ['connection-u', '4.2.1', 'Connection: u', withLine('Connection: u'), 400],
  ['connection-close', '4.2.1', 'Connection: close', withLine('Connection: close'), 400],
  ['no-key', '4.2.1', 'no key', without('Sec-WebSocket-Key'), 400],
  ['empty-key', '4.2.1', 'an empty key', withLine('Sec-WebSocket-Key:'), 400],
  ['key-15', '4.2.1', 'a key of 15 bytes', withLine(key(15)), 400],
  ['key-17', '4.2.1', 'a key of 17 bytes', withLine(key(17)), 400],
  ['key-18', '4.2.1', 'a key of 18 bytes, which needs no padding', withLine(key(18)), 400],
  [
    'key-alphabet',
    '4.2.1',
    'a key that is no base64',
    withLine('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!!=='),
    400,
  ],
  ['two-keys', '11.3.1', 'two keys', [...LINES, key(16)], 400],
];

const wrongVersions = [
  ['none', without('Sec-WebSocket-Version')],
  ['0', withLine('Sec-WebSocket-Version: 0')],
  ['7', withLine('Sec-WebSocket-Version: 7')],
  ['8', withLine('Sec-WebSocket-Version: 8')],
  ['12', withLine('Sec-WebSocket-Version: 12')],
  ['14', withLine('Sec-WebSocket-Version: 14')],
  ['013', withLine('Sec-WebSocket-Version: 013')],
  ['13, 8', withLine('Sec-WebSocket-Version: 13, 8')],
  ['thirteen', withLine('Sec-WebSocket-Version: thirteen')],
] as const;

const methods = ['POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'get', 'BREW'];

const paths: readonly (readonly [id: string, target: string, status: number])[] = [
  ['root', '/', 101],
  ['query', '/chat?room=1&name=x%20y', 101],
  ['dots', '/../../etc/passwd', 101],
  ['encoded-dots', '/%2e%2e/%2e%2e/etc/passwd', 101],
  ['marks', '/a&b;c?x=1;y=+%41', 101],
  ['utf8', '/%E2%82%AC', 101],
  ['long', `/${'p'.repeat(8000)}`, 101],
  ['absolute', 'ws://127.0.0.1/chat', 101],
  ['nul', '/a%00b', 101],
  ['line-feed', '/a%0ab', 101],
  ['carriage-return', '/a%0Db', 101],
  ['line-feed-in-query', '/a?q=%0a', 101],
  ['blank', '/a b', 400],
  ['no-slash', 'chat', 400],
  ['beyond-ascii', '/é', 400],
  ['too-long', `/${'p'.repeat(33_000)}`, 431],
];

export const requests: readonly RequestCase[] = [
  {
    id: 'plain-upgrade',
    rfc: '4.2.2',
    title: 'the request of the RFC',
    request: upgradeRequest(),
    status: 101,
    headers: {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-accept': acceptFor(SAMPLE_KEY),
      'sec-websocket-protocol': undefined,
      'sec-websocket-extensions': undefined,
    },
  },
  {
    id: 'upgrade-octets',
    rfc: '4.2.1',
    title: 'a byte at a time',
    request: upgradeRequest(),
    piece: 1,
    status: 101,
  },
  {
    id: 'names-and-tokens-any-case',
    rfc: '4.2.1',
    title: 'names and tokens in any case',
    request: upgradeRequest({
      lines: [
        'HOST: 127.0.0.1',
        'uPGRADE: WebSocket',
        'connection: keep-alive, UPGRADE',
        `SEC-WEBSOCKET-KEY: ${SAMPLE_KEY}`,
        'sec-websocket-version: 13',
      ],
    }),
    status: 101,
  },
  {
    id: 'blanks-around-values',
    rfc: 'RFC 9110 5.5',
    title: 'blanks around the values',
    request: upgradeRequest({ lines: LINES.map((line) => `${line.replace(': ', ':   ')} \t `) }),
    status: 101,
  },
  {
    id: 'upgrade-list',
    rfc: '4.2.1',
    title: 'several protocols to upgrade to',
    request: upgradeRequest({ lines: withLine('Upgrade: foo/2, websocket') }),
    status: 101,
  },
  {
    id: 'unknown-headers',
    rfc: '4.2.1',
    title: 'headers that mean nothing here',
    request: upgradeRequest({ extra: ['X-A: 1', 'Cookie: a=b', 'X-Empty:', 'Origin: null'] }),
    status: 101,
  },
  {
    id: 'extensions-offered',
    rfc: '9.1',
    title: 'an extension that nobody knows is not taken',
    request: upgradeRequest({ extra: ['Sec-WebSocket-Extensions: x-unknown; a=1, x-other'] }),
    status: 101,
    headers: { 'sec-websocket-extensions': undefined },
  },
  {
    id: 'subprotocol-order',
    rfc: '4.2.2',
    title: 'the first of the client that the server speaks',
    request: upgradeRequest({ extra: ['Sec-WebSocket-Protocol: foo, superchat, chat'] }),
    status: 101,
    headers: { 'sec-websocket-protocol': 'superchat' },
  },
  {
    id: 'subprotocol-lines',
    rfc: '11.3.4',
    title: 'subprotocols on two lines',
    request: upgradeRequest({
      extra: ['Sec-WebSocket-Protocol: foo', 'Sec-WebSocket-Protocol: chat'],
    }),
    status: 101,
    headers: { 'sec-websocket-protocol': 'chat' },
  },
  {
    id: 'subprotocol-case',
    rfc: '4.2.2',
    title: 'a subprotocol in another case is another',
    request: upgradeRequest({ extra: ['Sec-WebSocket-Protocol: CHAT'] }),
    status: 101,
    headers: { 'sec-websocket-protocol': undefined },
  },
  {
    id: 'subprotocol-malformed',
    rfc: '4.1',
    title: 'a subprotocol that is no token',
    request: upgradeRequest({ extra: ['Sec-WebSocket-Protocol: a b'] }),
    status: 400,
  },
  ...refusedLines.map(([id, rfc, title, lines, status]) => ({
    id,
    rfc,
    title,
    request: upgradeRequest({ lines }),
    status,
  })),
  ...wrongVersions.map(([what, lines]) => ({
    id: `version-${what.replace(', ', '-')}`,
    rfc: '4.4',
    title: `version ${what}`,
    request: upgradeRequest({ lines }),
    status: 426,
    headers: VERSION_ANSWER,
  })),
  ...methods.map((method) => ({
    id: `method-${method}`,
    rfc: '4.2.1',
    title: `${method} in place of GET`,
    request: upgradeRequest({ startLine: `${method} / HTTP/1.1` }),
    status: 405,
  })),
  {
    id: 'http-1.0',
    rfc: '4.2.1',
    title: 'HTTP/1.0',
    request: upgradeRequest({ startLine: 'GET / HTTP/1.0' }),
    status: 505,
  },
  {
    id: 'http-2.0',
    rfc: '4.2.1',
    title: 'HTTP/2.0',
    request: upgradeRequest({ startLine: 'GET / HTTP/2.0' }),
    status: 505,
  },
  {
    id: 'http-0.9',
    rfc: 'RFC 9112 3',
    title: 'a request line without a version',
    request: upgradeRequest({ startLine: 'GET /' }),
    status: 400,
  },
  {
    id: 'plain-get',
    rfc: '4.2.1',
    title: 'a plain GET of a file',
    request: 'GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    status: 426,
    headers: VERSION_ANSWER,
  },
  {
    id: 'plain-get-dots',
    rfc: '4.2.1',
    title: 'a plain GET of a file outside',
    request: 'GET /../../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    status: 426,
  },
  {
    id: 'plain-post',
    rfc: '4.2.1',
    title: 'a plain POST with a body',
    request: 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nbody',
    status: 426,
  },
  {
    id: 'upgrade-other',
    rfc: '4.2.1',
    title: 'an upgrade to something else',
    request: upgradeRequest({ lines: withLine('Upgrade: h2c') }),
    status: 426,
  },
  {
    id: 'upgrade-unknown',
    rfc: '4.2.1',
    title: 'an upgrade to something unknown',
    request: upgradeRequest({ lines: withLine('Upgrade: foo') }),
    status: 426,
  },
  {
    id: 'http2-preface',
    rfc: '4.2.1',
    title: 'the preface of HTTP/2',
    request: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    status: 426,
  },
  ...paths.map(([id, target, status]) => ({
    id: `path-${id}`,
    rfc: '4.2.1',
    title: `path ${target.length > 40 ? `of ${target.length} bytes` : target}`,
    request: upgradeRequest({ startLine: `GET ${target} HTTP/1.1` }),
    status,
  })),
  {
    id: 'inject-header-by-path',
    rfc: 'RFC 9112 11.1',
    title: 'a header within the request target (D4)',
    request: upgradeRequest({
      startLine: 'GET /a?q=%0aSec-WebSocket-Protocol:chat%0ax: HTTP/1.1',
    }),
    status: 101,
    headers: { 'sec-websocket-protocol': undefined },
  },
  {
    id: 'line-feed-only',
    rfc: 'RFC 9112 2.2',
    title: 'lines that end with a line feed alone',
    request: upgradeRequest().replaceAll('\r\n', '\n'),
    status: 400,
  },
  {
    id: 'empty-line-first',
    rfc: 'RFC 9112 2.2',
    title: 'an empty line before the request',
    request: `\r\n${upgradeRequest()}`,
    status: 101,
  },
  {
    id: 'body-length',
    rfc: 'RFC 9110 9.3.1',
    title: 'a request with a body',
    request: `${upgradeRequest({ extra: ['Content-Length: 4'] })}body`,
    status: 400,
  },
  {
    id: 'body-chunked',
    rfc: 'RFC 9112 6.1',
    title: 'a request with a chunked body',
    request: `${upgradeRequest({ extra: ['Transfer-Encoding: chunked'] })}0\r\n\r\n`,
    status: 400,
  },
  {
    id: 'connect',
    rfc: '4.2.1',
    title: 'CONNECT (D5)',
    request: 'CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n',
    status: 400,
  },
  {
    id: 'header-nul',
    rfc: 'RFC 9110 5.5',
    title: 'NUL in a header',
    request: upgradeRequest({ extra: ['X-A: a\0b'] }),
    status: 400,
  },
  {
    id: 'header-control',
    rfc: 'RFC 9110 5.5',
    title: 'a control character in a header',
    request: upgradeRequest({ extra: ['X-A: a\x01b'] }),
    status: 400,
  },
  {
    id: 'header-bare-cr',
    rfc: 'RFC 9112 2.2',
    title: 'a carriage return alone in a header',
    request: upgradeRequest({ extra: ['X-A: a\rSec-WebSocket-Protocol: chat'] }),
    status: 400,
    headers: { 'sec-websocket-protocol': undefined },
  },
  {
    id: 'header-folded',
    rfc: 'RFC 9112 5.2',
    title: 'a folded header line',
    request: upgradeRequest({ extra: ['X-A: a', ' Sec-WebSocket-Protocol: chat'] }),
    status: 400,
    headers: { 'sec-websocket-protocol': undefined },
  },
  {
    id: 'header-blank-before-colon',
    rfc: 'RFC 9112 5.1',
    title: 'a blank before the colon',
    request: upgradeRequest({ lines: ['Host : 127.0.0.1', ...without('Host')] }),
    status: 400,
  },
  {
    id: 'header-without-colon',
    rfc: 'RFC 9112 5',
    title: 'a line without a colon',
    request: upgradeRequest({ extra: ['this is no header'] }),
    status: 400,
  },
  {
    id: 'header-of-lws',
    rfc: 'RFC 9112 5.1',
    title: 'a header with a name that lws uses itself',
    request: upgradeRequest({ extra: ['uri-args: x'] }),
    status: 101,
  },
  {
    id: 'header-too-large',
    rfc: '10.4',
    title: 'headers of 40 KiB',
    request: upgradeRequest({ extra: [`X-A: ${'a'.repeat(40_000)}`] }),
    status: 431,
  },
  {
    id: 'garbage',
    rfc: '4.2.1',
    title: 'bytes that are no HTTP',
    request: Buffer.from('16030100050100000100ff00ff00ff0d0a0d0a', 'hex'),
    status: 400,
  },
];

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

const connections: readonly (readonly [
  id: string,
  title: string,
  make: readonly ((value: string) => string)[],
  opens: boolean,
])[] = [
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

const upgrades: readonly (readonly [
  id: string,
  title: string,
  make: readonly ((value: string) => string)[],
  opens: boolean,
])[] = [
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
  ...connections.map(([id, title, make, opens]) => ({
    id: `answer-connection-${id}`,
    rfc: '4.1',
    title: `Connection: ${title}`,
    protocol: 'chat',
    answer: written('Connection', ...make),
    opens,
  })),
  ...upgrades.map(([id, title, make, opens]) => ({
    id: `answer-upgrade-${id}`,
    rfc: '4.1',
    title: `Upgrade: ${title}`,
    protocol: 'chat',
    answer: written('Upgrade', ...make),
    opens,
  })),
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
