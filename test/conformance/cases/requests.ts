/**
 * The opening handshake (RFC 6455 §4; HTTP's own rules by RFC 9110 and 9112): requests that a server gets. Other than
 * for frames, a case is one text and one outcome.
 */

import { acceptFor, SAMPLE_KEY, upgradeRequest } from '../../helpers/frames.js';

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
