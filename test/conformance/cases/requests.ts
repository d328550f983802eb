/**
 * The opening handshake (RFC 6455 §4; HTTP's own rules by RFC 9110 and 9112): requests that a server gets. Other than
 * for frames, a case is one text and one outcome.
 */

import { acceptFor, type RequestSpec, SAMPLE_KEY, upgradeRequest } from '../../helpers/frames.js';

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

const VERSION_ANSWER = { headers: { 'sec-websocket-version': '13', upgrade: 'websocket' } };

/** The subprotocol of the answer. */
function subprotocol(name: string | undefined): Pick<RequestCase, 'headers'> {
  return { headers: { 'sec-websocket-protocol': name } };
}

/** A case. A request that is neither text nor bytes is the usual one, but for what it says. */
type Row = readonly [
  id: string,
  rfc: string,
  title: string,
  request: RequestSpec | string | Buffer,
  status: number,
  more?: Pick<RequestCase, 'piece' | 'headers'>,
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

const rows: readonly Row[] = [
  [
    'plain-upgrade',
    '4.2.2',
    'the request of the RFC',
    {},
    101,
    {
      headers: {
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-accept': acceptFor(SAMPLE_KEY),
        'sec-websocket-protocol': undefined,
        'sec-websocket-extensions': undefined,
      },
    },
  ],
  ['upgrade-octets', '4.2.1', 'a byte at a time', {}, 101, { piece: 1 }],
  [
    'names-and-tokens-any-case',
    '4.2.1',
    'names and tokens in any case',
    {
      lines: [
        'HOST: 127.0.0.1',
        'uPGRADE: WebSocket',
        'connection: keep-alive, UPGRADE',
        `SEC-WEBSOCKET-KEY: ${SAMPLE_KEY}`,
        'sec-websocket-version: 13',
      ],
    },
    101,
  ],
  [
    'blanks-around-values',
    'RFC 9110 5.5',
    'blanks around the values',
    { lines: LINES.map((line) => `${line.replace(': ', ':   ')} \t `) },
    101,
  ],
  [
    'upgrade-list',
    '4.2.1',
    'several protocols to upgrade to',
    { lines: withLine('Upgrade: foo/2, websocket') },
    101,
  ],
  [
    'unknown-headers',
    '4.2.1',
    'headers that mean nothing here',
    { extra: ['X-A: 1', 'Cookie: a=b', 'X-Empty:', 'Origin: null'] },
    101,
  ],
  [
    'extensions-offered',
    '9.1',
    'an extension that nobody knows is not taken',
    { extra: ['Sec-WebSocket-Extensions: x-unknown; a=1, x-other'] },
    101,
    { headers: { 'sec-websocket-extensions': undefined } },
  ],
  [
    'subprotocol-order',
    '4.2.2',
    'the first of the client that the server speaks',
    { extra: ['Sec-WebSocket-Protocol: foo, superchat, chat'] },
    101,
    subprotocol('superchat'),
  ],
  [
    'subprotocol-lines',
    '11.3.4',
    'subprotocols on two lines',
    { extra: ['Sec-WebSocket-Protocol: foo', 'Sec-WebSocket-Protocol: chat'] },
    101,
    subprotocol('chat'),
  ],
  [
    'subprotocol-case',
    '4.2.2',
    'a subprotocol in another case is another',
    { extra: ['Sec-WebSocket-Protocol: CHAT'] },
    101,
    subprotocol(undefined),
  ],
  [
    'subprotocol-malformed',
    '4.1',
    'a subprotocol that is no token',
    { extra: ['Sec-WebSocket-Protocol: a b'] },
    400,
  ],
  ['no-host', '4.2.1', 'no Host', { lines: without('Host') }, 400],
  ['empty-host', '4.2.1', 'an empty Host', { lines: withLine('Host:') }, 400],
  ['two-hosts', 'RFC 9112 3.2', 'two Host lines', { lines: ['Host: a.example', ...LINES] }, 400],
  ['no-connection', '4.2.1', 'no Connection', { lines: without('Connection') }, 400],
  ['connection-u', '4.2.1', 'Connection: u', { lines: withLine('Connection: u') }, 400],
  ['connection-close', '4.2.1', 'Connection: close', { lines: withLine('Connection: close') }, 400],
  ['no-key', '4.2.1', 'no key', { lines: without('Sec-WebSocket-Key') }, 400],
  ['empty-key', '4.2.1', 'an empty key', { lines: withLine('Sec-WebSocket-Key:') }, 400],
  ['key-15', '4.2.1', 'a key of 15 bytes', { lines: withLine(key(15)) }, 400],
  ['key-17', '4.2.1', 'a key of 17 bytes', { lines: withLine(key(17)) }, 400],
  [
    'key-18',
    '4.2.1',
    'a key of 18 bytes, which needs no padding',
    { lines: withLine(key(18)) },
    400,
  ],
  [
    'key-alphabet',
    '4.2.1',
    'a key that is no base64',
    { lines: withLine('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!!==') },
    400,
  ],
  ['two-keys', '11.3.1', 'two keys', { lines: [...LINES, key(16)] }, 400],
  ...wrongVersions.map(
    ([what, lines]): Row => [
      `version-${what.replace(', ', '-')}`,
      '4.4',
      `version ${what}`,
      { lines },
      426,
      VERSION_ANSWER,
    ],
  ),
  ...methods.map(
    (method): Row => [
      `method-${method}`,
      '4.2.1',
      `${method} in place of GET`,
      { startLine: `${method} / HTTP/1.1` },
      405,
    ],
  ),
  ['http-1.0', '4.2.1', 'HTTP/1.0', { startLine: 'GET / HTTP/1.0' }, 505],
  ['http-2.0', '4.2.1', 'HTTP/2.0', { startLine: 'GET / HTTP/2.0' }, 505],
  ['http-0.9', 'RFC 9112 3', 'a request line without a version', { startLine: 'GET /' }, 400],
  [
    'plain-get',
    '4.2.1',
    'a plain GET of a file',
    'GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    426,
    VERSION_ANSWER,
  ],
  [
    'plain-get-dots',
    '4.2.1',
    'a plain GET of a file outside',
    'GET /../../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    426,
  ],
  [
    'plain-post',
    '4.2.1',
    'a plain POST with a body',
    'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nbody',
    426,
  ],
  [
    'upgrade-other',
    '4.2.1',
    'an upgrade to something else',
    { lines: withLine('Upgrade: h2c') },
    426,
  ],
  [
    'upgrade-unknown',
    '4.2.1',
    'an upgrade to something unknown',
    { lines: withLine('Upgrade: foo') },
    426,
  ],
  ['http2-preface', '4.2.1', 'the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 426],
  ...paths.map(
    ([id, target, status]): Row => [
      `path-${id}`,
      '4.2.1',
      `path ${target.length > 40 ? `of ${target.length} bytes` : target}`,
      { startLine: `GET ${target} HTTP/1.1` },
      status,
    ],
  ),
  [
    'inject-header-by-path',
    'RFC 9112 11.1',
    'a header within the request target (D4)',
    { startLine: 'GET /a?q=%0aSec-WebSocket-Protocol:chat%0ax: HTTP/1.1' },
    101,
    subprotocol(undefined),
  ],
  [
    'line-feed-only',
    'RFC 9112 2.2',
    'lines that end with a line feed alone',
    upgradeRequest().replaceAll('\r\n', '\n'),
    400,
  ],
  [
    'empty-line-first',
    'RFC 9112 2.2',
    'an empty line before the request',
    `\r\n${upgradeRequest()}`,
    101,
  ],
  [
    'body-length',
    'RFC 9110 9.3.1',
    'a request with a body',
    `${upgradeRequest({ extra: ['Content-Length: 4'] })}body`,
    400,
  ],
  [
    'body-chunked',
    'RFC 9112 6.1',
    'a request with a chunked body',
    `${upgradeRequest({ extra: ['Transfer-Encoding: chunked'] })}0\r\n\r\n`,
    400,
  ],
  [
    'connect',
    '4.2.1',
    'CONNECT (D5)',
    'CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n',
    400,
  ],
  ['header-nul', 'RFC 9110 5.5', 'NUL in a header', { extra: ['X-A: a\0b'] }, 400],
  [
    'header-control',
    'RFC 9110 5.5',
    'a control character in a header',
    { extra: ['X-A: a\x01b'] },
    400,
  ],
  [
    'header-bare-cr',
    'RFC 9112 2.2',
    'a carriage return alone in a header',
    { extra: ['X-A: a\rSec-WebSocket-Protocol: chat'] },
    400,
    subprotocol(undefined),
  ],
  [
    'header-folded',
    'RFC 9112 5.2',
    'a folded header line',
    { extra: ['X-A: a', ' Sec-WebSocket-Protocol: chat'] },
    400,
    subprotocol(undefined),
  ],
  [
    'header-blank-before-colon',
    'RFC 9112 5.1',
    'a blank before the colon',
    { lines: ['Host : 127.0.0.1', ...without('Host')] },
    400,
  ],
  [
    'header-without-colon',
    'RFC 9112 5',
    'a line without a colon',
    { extra: ['this is no header'] },
    400,
  ],
  [
    'header-of-lws',
    'RFC 9112 5.1',
    'a header with a name that lws uses itself',
    { extra: ['uri-args: x'] },
    101,
  ],
  ['header-too-large', '10.4', 'headers of 40 KiB', { extra: [`X-A: ${'a'.repeat(40_000)}`] }, 431],
  [
    'garbage',
    '4.2.1',
    'bytes that are no HTTP',
    Buffer.from('16030100050100000100ff00ff00ff0d0a0d0a', 'hex'),
    400,
  ],
];

export const requests: readonly RequestCase[] = rows.map(
  ([id, rfc, title, request, status, more]) => {
    const isSpec = typeof request !== 'string' && !Buffer.isBuffer(request);
    return { id, rfc, title, request: isSpec ? upgradeRequest(request) : request, status, ...more };
  },
);
