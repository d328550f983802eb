/** The types of unchanged application code, by one entry in the tsconfig of a project. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PATIENT } from '../helpers/deadline.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = path.join(root, 'node_modules/typescript/lib/tsc.js');

const app = `
import { type connection, webSocket } from '@kit.NetworkKit';
import { BusinessError, type Callback } from '@kit.BasicServicesKit';
import older, { type CloseResult } from '@ohos.net.webSocket';
import type { AsyncCallback } from '@ohos.base';

let ws: webSocket.WebSocket = webSocket.createWebSocket();
const same: older.WebSocket = ws;
const proxy: connection.HttpProxy = { host: 'h', port: 1, exclusionList: [] };
const minSupportTlsProtocol = webSocket.TlsProtocol.TLS_V_1_1;
ws.connect('ws://', { proxy, minSupportTlsProtocol }, (err: BusinessError, value: Object) => {
  if (!err) console.info(\`connected \${value}\`);
});
ws.on('close', (err: BusinessError, value: CloseResult) => console.info(value.reason));
ws.on('error', (err: BusinessError) => console.error(\`\${err.code} \${err.message}\`));
const ended: Callback<void> = () => {};
const opened: AsyncCallback<Object> = (_err, value) => console.info(value);
same.on('dataEnd', ended);
same.on('open', opened);
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ohws-types-'));
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/ohos-websocket'), 'dir');
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the compiler says of a program. */
async function compile(text: string, module: string, moduleResolution: string): Promise<string> {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2022',
    lib: ['es2023', 'dom'],
    strict: true,
    noEmit: true,
    types: ['ohos-websocket/ohos'],
  };
  writeFileSync(path.join(folder, 'app.ts'), text);
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['app.ts'] }),
  );
  const compiled = promisify(execFile)(process.execPath, [tsc, '-p', folder], { cwd: folder });
  const { stdout } = await compiled.catch((error: { stdout: string }) => error);
  return stdout;
}

it.each([
  ['esnext', 'bundler'],
  ['nodenext', 'nodenext'],
])('with module %s', PATIENT, async (module, moduleResolution) => {
  expect(await compile(app, module, moduleResolution)).toBe('');
  const wrong = `${app}\nconst wrong: number = ws;\n`;
  expect(await compile(wrong, module, moduleResolution)).toContain("'WebSocket' is not assignable");
});
