// Makes docs/compatibility.md from the table of behaviours, the profiles and the parity cases.
//
//   node scripts/compatibility.mjs           writes it
//   node scripts/compatibility.mjs --check   ends with 1 if it is not up to date
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadCases } from '../test/parity/runner/index.mjs';

const page = new URL('../docs/compatibility.md', import.meta.url);

const head = `# Compatibility

What OpenHarmony's netstack does, and what this package does in its two profiles. \`ohos-websocket\` has the
documented profile, \`ohos-websocket/parity\` the netstack profile. C numbers belong to the client, S numbers to
the server; § rows have no number. Cases are those of \`test/parity/cases\`, which \`npx ohos-websocket parity\`
plays; rows are those of \`lib/profile.ts\`.

Made by \`scripts/compatibility.mjs\`; do not edit.
`;

/**
 * The whole page.
 *
 * @param {{ behaviours: readonly any[], inDocumented: Function, inNetstack: Function }} words
 * @param {{ quirks: object, engineQuirks: object }} profile
 * @returns {string}
 */
export function render(words, { quirks, engineQuirks }) {
  const cases = loadCases();
  const rows = [...Object.entries(quirks), ...Object.entries(engineQuirks)];
  const table = (title, isMeant) => [
    `\n## ${title}\n`,
    '| # | netstack | documented profile | netstack profile | why | rows, cases |',
    '|---|---|---|---|---|---|',
    ...words.behaviours.filter(isMeant).map((behaviour) => {
      const { number, netstack, why } = behaviour;
      const names = rows.filter(([, { ref }]) => ref === number).map(([name]) => name);
      const ids = cases.filter(({ refs }) => refs.includes(number)).map(({ id }) => id);
      // Sections have many cases; those of the rows say enough.
      const tests = number.startsWith('§')
        ? rows.filter(([, { ref }]) => ref === number).map(([, { test }]) => test)
        : ids;
      const cells = [
        number,
        netstack,
        words.inDocumented(behaviour),
        words.inNetstack(behaviour),
        why,
        [...names.map((name) => `\`${name}\``), ...tests].join(', '),
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    }),
  ];
  const isServer = ({ number }) => /^(S|§3)/.test(number);
  return `${[head.trimEnd(), ...table('Client', (row) => !isServer(row)), ...table('Server', isServer)].join('\n')}\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [words, profile] = await Promise.all([
    import('../dist/behaviours.js'),
    import('../dist/profile.js'),
  ]);
  const text = render(words, profile);
  if (!process.argv.includes('--check')) writeFileSync(page, text);
  else if (readFileSync(page, 'utf8') !== text) {
    process.stderr.write(
      `${fileURLToPath(page)} is not up to date: node scripts/compatibility.mjs\n`,
    );
    process.exitCode = 1;
  }
}
