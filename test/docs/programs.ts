/**
 * Snippets of the pages as programs. The convention, for whoever writes one:
 *
 * - A `js` or `ts` fence is a program of its own. What it uses and does not make is made for it, if it is in
 *   `made`: `webSocket`, `server`, `ws` and `assert`.
 * - `8080` stands for a free port, on which an echo server listens unless the snippet starts a server there;
 *   `8443` is the same with TLS; `redis://10.0.0.7` is a real Redis. The working folder has `ca.pem`, and with
 *   their keys `server.pem` and `client.pem`.
 * - `<!-- given … -->` before the fence has lines that go before it, `<!-- then … -->` lines behind it.
 * - The program is right if its last line was reached and nothing was thrown or rejected; with
 *   `<!-- prints … -->`, if it prints these lines, in this order, others between them or not.
 */

import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import type { Fence } from './markdown.js';

const made: Readonly<Record<string, string>> = {
  assert: "import assert from 'node:assert/strict';",
  webSocket: "import { webSocket } from 'ohos-websocket';",
  server: 'const server = webSocket.createWebSocketServer();',
  ws: 'const ws = webSocket.createWebSocket();',
};

/** Whether a program makes a name itself: by a declaration, an import or as a parameter of a function. */
function makes(code: string, name: string): boolean {
  return new RegExp(
    `\\b(?:const|let|function|class) ${name}\\b|import [^;]*\\b${name}\\b[^;]* from`,
  ).test(code);
}

/** The whole program of a fence. `servers` gives the port that stands for one in the text. */
export function programOf(
  { code, hidden }: Fence,
  replace: (code: string) => string = (same) => same,
): string {
  const { given = '', then = '', prints } = hidden;
  const [begin, end] =
    prints === undefined ? ['', 'process.exit(0);\n'] : ['console.error = console.log;', ''];
  let program = replace([begin, given, code, then, end].join('\n'));
  for (const [name, line] of Object.entries(made).reverse()) {
    const uses = new RegExp(`(?<![.\\w'"\`/-])${name}\\b(?!['":/-])`).test(program);
    if (uses && !makes(program, name)) program = `${line}\n${program}`;
  }
  return program;
}

/** TypeScript without its types. */
export function withoutTypes(program: string): string {
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 };
  return transpileModule(program, { compilerOptions }).outputText;
}
