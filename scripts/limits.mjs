// Makes docs/limits.md from the table of limits.
//
//   node scripts/limits.mjs           writes it
//   node scripts/limits.mjs --check   ends with 1 if it is not up to date
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const page = new URL('../docs/limits.md', import.meta.url);

const head = `# Limits

What a peer, or the application itself, can make an endpoint hold, do and wait for. All of these options are
*Beyond OHOS*; the limits of OpenHarmony's API (5,242,864 bytes a message in \`send\`,
\`maxConcurrentClientsNumber\`, \`maxConnectionsForOneClient\`) are there beside them. Rows are those of
\`lib/limits.ts\`, tests are in \`test/limits\`.

\`\`\`js
await server.start({ serverPort: 8080, limits: { connections: 10_000, messageBytes: 65_536 } });
await ws.connect('ws://127.0.0.1:8080/', { limits: { messageBytes: 1_048_576 } });
\`\`\`

Values are integers. A name or value that is not in the table gives 401 at the call, and \`cause.detail\` says
which. A client that is refused gets an \`error\` event whose \`data\` is the HTTP status; a server raises an
\`error\` event for each connection that it refuses. In the netstack profile refusals end TCP without an answer
(S8).

What happens above \`queuedBytes\` is the option \`backPressure\`, on both sides:

| \`backPressure\` | a message that would wait above the mark |
|---|---|
| \`'wait'\` (default) | is taken; \`send\` resolves when the queue is below the mark again |
| \`'fail'\` | is not taken: \`send\` rejects with 2302999 |
| \`'close'\` | the same, and the connection is closed with 1008, without what has not begun to leave; \`error\`, \`close\` |

What happens above a rate (\`messagesPerSecond\` and those beside it) is a server's option \`ratePolicy\`. A rate is a
bucket that holds one second's worth: who was silent may send so much at once. A message counts when it begins, its
bytes as they come: one that has begun is never cut, and what it was too large is owed. An address is remembered until
its buckets are full again, so that nobody gains by connecting anew.

| \`ratePolicy\` | messages above a rate |
|---|---|
| \`'delay'\` (default) | are not read before it is their turn, so that TCP slows the client down; its pings and its close wait behind them |
| \`'refuse'\` | are read and thrown away; \`stats().rates\` counts them, the client does not hear of it |
| \`'close'\` | the first one ends the connection with 1008; \`error\`, \`close\` |

\`setQueuedBytesLimit(bytes)\` is a \`queuedBytes\` for all connections and threads of the process. Bytes count from the call
of \`send\` until it is known that they have been handed to the operating system, which takes a turn of the event
loop; frame headers do not count. Pings, pongs and close frames overtake messages and never wait for a mark. A server's
option \`allowedOrigins\` answers 403 to other values of \`Origin\`.

Made by \`scripts/limits.mjs\`; do not edit.
`;

const number = (value) =>
  value === Number.POSITIVE_INFINITY ? 'none' : value.toLocaleString('en');

/**
 * The whole page.
 *
 * @param {Readonly<Record<string, any>>} limitTable
 * @param {(row: any) => string} rangeOf
 * @returns {string}
 */
export function render(limitTable, rangeOf) {
  const rows = Object.entries(limitTable).map(([name, row]) => {
    const who = row.of === 'both' ? 'client, server' : row.of;
    const range = rangeOf(row).replace(/^an integer of /, '');
    const client = row.clientDefault === undefined ? '' : `; client ${number(row.clientDefault)}`;
    return `| \`${name}\` | ${who} | ${number(row.default)}${client} | ${range} | ${row.bounds} | ${row.beyond} |`;
  });
  const table = [
    '| limit | of | default | range | what it bounds | one beyond |',
    '|---|---|---|---|---|---|',
  ];
  return `${[head, ...table, ...rows].join('\n')}\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { limitTable, rangeOf } = await import('../dist/limits.js');
  const text = render(limitTable, rangeOf);
  if (!process.argv.includes('--check')) writeFileSync(page, text);
  else if (readFileSync(page, 'utf8') !== text) {
    process.stderr.write(`${fileURLToPath(page)} is not up to date: node scripts/limits.mjs\n`);
    process.exitCode = 1;
  }
}
