/** docs/conformance.md: the table in numbers, and where `ws` differs from it. */

import { answers } from './cases/answers.js';
import { areas } from './cases/index.js';
import { requests } from './cases/requests.js';
import type { Role } from './table.js';

/** A case that `ws` plays otherwise. */
export interface Difference {
  readonly id: string;
  readonly rfc: string;
  readonly title: string;
  readonly ws: string;
}

const HEAD = `# Conformance

RFC 6455 is held by a table of cases, \`test/conformance/cases\`: what a raw peer sends, what has to come back,
how the connection ends and what the application is told. Our server and our client pass all of it
(\`npx vitest run test/conformance\`). Numbers such as 6.4.1 are those of the Autobahn test suite, whose areas 1
to 7, 9 and 10 are here; the other cases are ours. Stricter than Autobahn:

- every wrong UTF-8 sequence comes again in a frame that ends with the first wrong byte and announces more, which
  never comes: it has to be refused there;
- what Autobahn calls informational (7.1.6, 7.13) has one right outcome;
- after its close frame an endpoint sends nothing, and ends TCP in order.

\`send\` takes 5,242,864 bytes at most, as on a device: messages of 8 and 16 MiB (9.1.5, 9.1.6, 9.2.5, 9.2.6) are
received whole and answered with their SHA-256.

Made by \`npm run conformance\`; do not edit.
`;

export function render(
  found: Readonly<Record<Role, readonly Difference[]>>,
  version: string,
): string {
  const counts = areas.map(({ name, cases }) => {
    const of = (role: Role) => cases.filter(({ roles }) => roles?.includes(role) ?? true).length;
    return `| ${name} | ${of('server')} | ${of('client')} |`;
  });
  return [
    HEAD,
    '| area | cases for a server | cases for a client |',
    '|---|---|---|',
    `| opening handshake | ${requests.length} | ${answers.length} |`,
    ...counts,
    '',
    `## Where \`ws\` ${version} differs`,
    '',
    'The same table, played against an echo server and an echo client of `ws` with its defaults. Not all of this',
    'is wrong: where the RFC leaves a choice, the table has ours.',
    '',
    ...(['server', 'client'] as const).flatMap((role) => [
      `### As a ${role}`,
      '',
      '| case | section | what | `ws` |',
      '|---|---|---|---|',
      ...together(found[role]).map(
        ({ id, rfc, title, ws }) =>
          `| ${[id, rfc, title, ws].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
      ),
      '',
    ]),
  ].join('\n');
}

/** The rows of UTF-8 that are alike as one. */
function together(rows: readonly Difference[]): readonly Difference[] {
  const isAlike = ({ id, ws }: Difference, other: Difference) =>
    id.endsWith('-fast') && other.id.endsWith('-fast') && ws === other.ws;
  const result: Difference[] = [];
  for (const [n, row] of rows.entries()) {
    const before = rows[n - 1];
    if (before !== undefined && isAlike(row, before)) continue;
    let last = n;
    while (rows[last + 1] !== undefined && isAlike(row, rows[last + 1] as Difference)) last++;
    const title = `${last - n + 1} wrong UTF-8 sequences, each ending with the first bad byte`;
    result.push(last === n ? row : { ...row, id: `${row.id} to ${rows[last]?.id}`, title });
  }
  return result;
}
