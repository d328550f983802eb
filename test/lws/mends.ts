/**
 * Every defect of libwebsockets 4.3.5 that is known to us, how it is kept from our users, and the test that
 * shows it. D numbers are the defects that were found in its sources, N numbers what cases of conformance found,
 * U numbers defaults that are unfit for a server on the internet.
 * `mends.test.ts` holds this list to the patches, the sources and the tests.
 */

export interface Mend {
  readonly id: string;
  readonly defect: string;
  /** A file of `native/patches`, by the name behind its number. */
  readonly patch?: string;
  /** What of libwebsockets our sources never name: the defect is out of reach. */
  readonly avoids?: string;
  /** A line of `native/cmake/lws-options.cmake`. */
  readonly option?: string;
  /** Our own code does it in place of libwebsockets: the file that does. */
  readonly ours?: string;
  /** Why the test passes without the mend as well. */
  readonly unproven?: string;
  /** A file of tests and words in it: a name, or part of one. */
  readonly test: readonly [file: string, words: string];
}

const FLOW = 'test/lws/flow.test.ts';
const FRAMES = 'test/lws/frames.test.ts';
const HANDSHAKE = 'test/lws/handshake.test.ts';
const LIFE = 'test/lws/life.test.ts';
const CASES = 'test/conformance/cases';
const READER = 'native/src/protocol/frame_reader.h';
const CONNECTION = 'native/src/engine/connection.cpp';
const CONNECTION_END = 'native/src/engine/connection_end.cpp';
const LISTENER = 'native/src/engine/server_listener.cpp';
const REQUESTS = 'native/src/engine/server_requests.cpp';
const LISTENING = 'native/src/engine/listening_socket.cpp';
const HANDSHAKE_RULES = 'native/src/protocol/handshake.h';
const HEAD = 'native/src/protocol/http_head.h';

export const mends: readonly Mend[] = [
  {
    id: 'D1',
    defect: 'memory is overwritten by several extensions in an answer',
    patch: 'upgrade-answer',
    avoids: 'info.extensions',
    test: [`${CASES}/answers.ts`, 'answer-forty-extensions'],
  },
  {
    id: 'D2',
    defect: 'wss connections die under back-pressure',
    ours: READER,
    test: [FLOW, 'D2 a wss connection survives'],
  },
  {
    id: 'D3',
    defect: 'servers on one port number run into one another',
    patch: 'D3-one-listener-one-vhost',
    test: [HANDSHAKE, 'D3 the Host header and SNI'],
  },
  {
    id: 'D4',
    defect: 'a URL injects request headers',
    patch: 'D4-encoded-line-end',
    ours: HEAD,
    test: [HANDSHAKE, 'D4 an encoded line end'],
  },
  {
    id: 'D5',
    defect: 'CONNECT leaves HTTP',
    patch: 'D5-connect-method',
    test: [HANDSHAKE, 'D5 CONNECT is refused'],
  },
  {
    id: 'D6',
    defect: 'a close while an extension has output is ignored',
    patch: 'deflate',
    test: ['test/deflate/frames.test.ts', 'ends with 1009 for a bomb'],
  },
  {
    id: 'D7',
    defect: 'a core is used up when descriptors run out',
    patch: 'D7-accept-without-descriptors',
    ours: LISTENER,
    test: [LIFE, 'D7 no descriptors left'],
  },
  {
    id: 'D8',
    defect: 'a start hangs on an address that cannot be bound',
    patch: 'D8-bind-failure',
    ours: LISTENER,
    test: [LIFE, 'D8 an address that cannot be bound'],
  },
  {
    id: 'D9',
    defect: 'freed memory is used on an unknown Upgrade (CVE-2025-11677)',
    patch: 'D9-unknown-upgrade',
    ours: HEAD,
    test: [HANDSHAKE, 'D9 an unknown Upgrade'],
  },
  {
    id: 'D10',
    defect: 'freed memory is used when a request cannot be written',
    patch: 'D10-client-write-failure',
    test: [HANDSHAKE, 'D10 a client whose upgrade request'],
  },
  {
    id: 'D11',
    defect: 'a closing connection with output uses up a core',
    ours: CONNECTION,
    test: [FLOW, 'D11 input behind a close'],
  },
  {
    id: 'D12',
    defect: 'a close with output waiting has no close frame',
    ours: CONNECTION_END,
    test: [FLOW, 'D12 a close behind a large queue'],
  },
  {
    id: 'D13',
    defect: 'messages behind a close frame are delivered',
    ours: CONNECTION,
    test: [FRAMES, "D13 data behind the peer's close frame"],
  },
  {
    id: 'D14',
    defect: "the peer's close code is lost while output waits",
    ours: CONNECTION_END,
    test: [FLOW, "D14 the peer's close code"],
  },
  {
    id: 'D15',
    defect: 'unmasked frames are accepted',
    ours: READER,
    test: [FRAMES, 'D15 an unmasked client frame'],
  },
  {
    id: 'D16',
    defect: 'a descriptor leaks with each context',
    patch: 'D16-context-descriptor-leak',
    test: [LIFE, 'D16 starting and stopping'],
  },
  {
    id: 'D17',
    defect: 'the thousandth write to a blocked socket fails',
    ours: 'native/src/engine/tx_queue.h',
    test: [FLOW, 'D17 thousands of writes'],
  },
  {
    id: 'D18',
    defect: 'a long request leaves without its end',
    ours: 'native/src/engine/client_attempt.cpp',
    test: [HANDSHAKE, 'D18 a long request'],
  },
  {
    id: 'D19',
    defect: 'a client ignores its own close while an extension has output',
    patch: 'deflate',
    avoids: 'info.extensions',
    test: ['test/deflate/frames.test.ts', 'ends with 1009 for a bomb'],
  },
  {
    id: 'D20',
    defect: 'a request body may take for ever',
    ours: HEAD,
    test: [`${CASES}/requests.ts`, 'body-length'],
  },
  {
    id: 'D21',
    defect: 'refused upgrades get no answer',
    ours: REQUESTS,
    test: ['test/api/limits.test.ts', '503'],
  },
  {
    id: 'D22',
    defect: 'a client follows redirects',
    ours: 'native/src/engine/client_attempt.cpp',
    test: [HANDSHAKE, 'D22 a redirect is not followed'],
  },
  {
    id: 'D23',
    defect: 'descriptors above 2560 are refused where there is no limit',
    patch: 'D23-descriptor-table',
    test: [LIFE, 'D23 descriptors beyond 2560'],
  },
  {
    id: 'D24',
    defect: 'the timer of a connect outlives its connection',
    patch: 'D24-connect-timer',
    test: [HANDSHAKE, 'D10 a client whose upgrade request'],
  },
  {
    id: 'D25',
    defect: 'a vhost is freed while its connections are walked',
    ours: LISTENER,
    test: [LIFE, 'D25 a server stops with connections'],
  },
  {
    id: 'D26',
    defect: 'what lies at the path of a unix socket is deleted',
    ours: LISTENING,
    test: ['test/listening/addresses.test.ts', 'with something else there stays'],
  },
  {
    id: 'D27',
    defect: 'the state of an extension leaks when a handshake fails',
    patch: 'deflate',
    avoids: 'info.extensions',
    test: ['test/deflate/budget.test.ts', 'gets all of it back'],
  },
  {
    id: 'D28',
    defect: 'switching reading off does not stop deliveries at once',
    ours: READER,
    test: ['test/flow/busy-javascript.test.ts', 'holds a bounded part of them'],
  },
  {
    id: 'D29',
    defect: 'its idle ping writes into a close reason',
    ours: 'native/src/protocol/heartbeat.h',
    test: ['test/heartbeat/heartbeat.test.ts', 'is pinged once and dropped'],
  },
  {
    id: 'D30',
    defect: 'frames of any length are taken',
    ours: 'native/src/protocol/message_assembler.h',
    test: [FRAMES, 'D30 a frame that announces 2^63-1 bytes'],
  },
  {
    id: 'D31',
    defect: 'the listening unix socket blocks',
    ours: LISTENING,
    test: ['test/listening/addresses.test.ts', 'has connections like any other'],
  },
  {
    id: 'D32',
    defect: 'a timer that is cancelled fires',
    avoids: 'lws_set_timer_usecs',
    test: ['test/lws/mends.test.ts', 'never names'],
  },
  {
    id: 'D33',
    defect: 'URLs are decoded, joined and cut',
    ours: HEAD,
    test: [`${CASES}/requests.ts`, "'marks'"],
  },
  {
    id: 'D34',
    defect: 'malformed handshakes pass',
    patch: 'request-head',
    ours: HEAD,
    test: [`${CASES}/requests.ts`, 'header-nul'],
  },
  {
    id: 'D35',
    defect: 'small read buffers split control frames',
    ours: READER,
    test: [`${CASES}/pings.ts`, "'2.6'"],
  },
  {
    id: 'D36',
    defect: 'a TLS write that waits for a read uses up a core',
    ours: 'native/src/engine/tls.cpp',
    test: [HANDSHAKE, 'D36 no second TLS handshake'],
  },
  {
    id: 'D37',
    defect: 'a reason of failure ends with NUL',
    ours: 'native/src/engine/client_attempt.cpp',
    unproven:
      'that reason comes only of a connection that waits for TCP and that we end ourselves, with a reason of ours, ' +
      'which is the one that is told; so what we cut off is never seen',
    test: [HANDSHAKE, 'D37 why a connect failed'],
  },
  {
    id: 'D38',
    defect: 'connects under way leak when a context ends',
    ours: 'native/src/engine/core.cpp',
    test: ['test/lifecycle/process-exit.test.ts', 'STAGES'],
  },
  {
    id: 'D39',
    defect: 'the cookie jar reads outside of its buffer',
    option: 'set(LWS_WITH_CACHE_NSCOOKIEJAR OFF CACHE BOOL "")',
    test: ['test/lws/mends.test.ts', 'is built without'],
  },
  {
    id: 'D40',
    defect: 'its permessage-deflate has no caps',
    avoids: 'lws_extension_callback_pm_deflate',
    test: ['test/deflate/frames.test.ts', 'ends with 1009 for a bomb'],
  },
  {
    id: 'D41',
    defect: 'an address is looked up by name, which blocks the loop',
    avoids: 'lws_get_peer_addresses',
    test: ['test/lws/mends.test.ts', 'never names'],
  },
  {
    id: 'D42',
    defect:
      'the outcome of a connect is lost on Windows, and its error on all systems if it fails at once',
    patch: 'D42-connect-result',
    test: ['test/api/connect.test.ts', 'resolves true and raises one error when nobody listens'],
  },
  {
    id: 'N1',
    defect: 'a ping is dropped while a pong waits',
    ours: READER,
    test: [`${CASES}/pings.ts`, "'2.10'"],
  },
  {
    id: 'N2',
    defect: 'unmasked frames are accepted',
    ours: READER,
    test: [`${CASES}/framing.ts`, 'rfc-mask-none'],
  },
  {
    id: 'N3',
    defect: 'RSV1 passes on control and continuation frames once compression is on',
    ours: READER,
    test: ['test/deflate/frames.test.ts', 'RSV1 on a continuation'],
  },
  {
    id: 'N4',
    defect: 'wrong close codes are echoed, 1012 to 1014 are not known',
    ours: 'native/src/protocol/close_code.h',
    test: [`${CASES}/closing.ts`, 'REGISTERED_SINCE'],
  },
  {
    id: 'N5',
    defect: 'a client drops TCP on a violation, without 1002',
    ours: READER,
    test: [FRAMES, 'violation the peer gets 1002'],
  },
  {
    id: 'N6',
    defect: 'a character cut off at the end of a text or a close reason passes',
    ours: 'native/src/protocol/utf8.h',
    test: [`${CASES}/utf8.ts`, 'rfc-utf8-cut-by-empty-fragment'],
  },
  {
    id: 'N7',
    defect: 'after a violation it waits for an answer that it cannot read',
    ours: CONNECTION_END,
    test: [FRAMES, 'violation the peer gets 1002'],
  },
  {
    id: 'N8',
    defect: 'wrong versions and keys get no answer, or are accepted',
    ours: HANDSHAKE_RULES,
    test: [`${CASES}/requests.ts`, 'wrongVersions'],
  },
  {
    id: 'N9',
    defect: 'permessage-deflate breaks, and negotiates wrongly',
    patch: 'deflate',
    ours: 'native/src/protocol/deflate_negotiation.h',
    test: ['test/deflate/peers.test.ts', 'and the client of ws agree'],
  },
  {
    id: 'N10',
    defect: 'nothing tells of a ping',
    patch: 'established-bytes',
    ours: READER,
    test: [`${CASES}/pings.ts`, "'2.11'"],
  },
  {
    id: 'N11',
    defect: 'a client refuses right answers, and takes wrong ones',
    patch: 'upgrade-answer',
    ours: HANDSHAKE_RULES,
    test: [`${CASES}/answers.ts`, 'judgedHeaders'],
  },
  {
    id: 'N12',
    defect: 'the answer to a request is written over the frames that came behind it',
    patch: 'bytes-behind-request',
    test: ['test/lws/frames.test.ts', 'bytes-behind-request: what comes in one packet'],
  },
  {
    id: 'N13',
    defect:
      'a connection that is to end lives on when it is given the header table that it waited for',
    patch: 'kill-stays',
    test: [HANDSHAKE, 'kill-stays: attempts of clients end'],
  },
  {
    id: 'N14',
    defect:
      'whoever sends half of a request holds one of 1,024 header tables, and so holds up everybody',
    patch: 'late-header-table',
    test: [HANDSHAKE, 'late-header-table: those who do not finish'],
  },
  {
    id: 'N15',
    defect: 'a time-out costs a step for each connection that has one',
    patch: 'sorted-timers',
    test: ['test/native/engine/deadlines_test.cpp', 'timers_are_put_in_without_a_walk_over_all'],
  },
  {
    id: 'N16',
    defect: 'words of TLS that carry no data are read without an end',
    ours: 'native/src/engine/tls_socket.cpp',
    test: ['test/tls/idle-words.test.ts', 'ends'],
  },
  {
    id: 'N17',
    defect: 'memory is taken for all that a ClientHello announces',
    ours: 'native/src/protocol/hello_meter.cpp',
    test: ['test/tls/client-hello.test.ts', 'announces too much'],
  },
  {
    id: 'N18',
    defect:
      'each turn of the loop is walked over all connections that have input put aside and are not to be read',
    patch: 'held-bytes',
    test: [
      'test/native/engine/waiting_requests_test.cpp',
      'requests_that_wait_are_in_no_list_of_lws',
    ],
  },
  {
    id: 'N19',
    defect: 'memory is taken for all that the certificates of a client announce',
    ours: 'native/src/engine/server_tls.cpp',
    test: ['test/tls/client-hello.test.ts', 'end the connection if they announce too much'],
  },
  {
    id: 'U1',
    defect: 'a request without a known subprotocol gets the first one, or no answer',
    patch: 'subprotocol',
    test: [HANDSHAKE, 'subprotocol the application selects'],
  },
  {
    id: 'U2',
    defect: 'Origin is not looked at',
    ours: 'native/src/protocol/origin.h',
    test: ['test/limits/admission.test.ts', 'judges two headers as none of the list'],
  },
  {
    id: 'U3',
    defect: 'handshakes have 10 s for their head, 15 s for TLS and for each step of a body',
    ours: 'native/src/engine/handshakes.h',
    test: ['test/limits/handshake.test.ts', 'counts TLS, and answers only behind it'],
  },
  {
    id: 'U4',
    defect: 'open connections are looked at after 300 s',
    ours: 'native/src/protocol/heartbeat.h',
    test: ['test/heartbeat/heartbeat.test.ts', 'a peer that is silent'],
  },
  {
    id: 'U5',
    defect: 'as many heads can be held as there may be descriptors',
    ours: 'native/src/engine/core.cpp',
    test: ['test/hostile/server.test.ts', 'storms of connections that say nothing'],
  },
  {
    id: 'U6',
    defect: 'neither addresses nor connections are counted',
    ours: 'native/src/protocol/admission.h',
    test: ['test/limits/admission.test.ts', 'lets in so many of one address and not one more'],
  },
  {
    id: 'U7',
    defect: 'TLS 1.0 and 1.1 are spoken',
    ours: 'native/src/engine/tls.cpp',
    test: ['test/tls/server.test.ts', "['TLSv1', 'TLSv1.1']"],
  },
  {
    id: 'U8',
    defect: 'logs go to the standard error output',
    ours: 'native/src/engine/core.cpp',
    option: 'set(LWS_WITH_NO_LOGS ON CACHE BOOL "")',
    test: ['test/cli/command.test.ts', "expect(stderr).toBe('')"],
  },
  {
    id: 'U9',
    defect: 'routes of the machine are listened to',
    option: 'set(LWS_WITH_NETLINK OFF CACHE BOOL "")',
    test: ['test/lws/mends.test.ts', 'is built without'],
  },
];
