/** The entries of the package: `import` and `require` reach the same instance; who exports what. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a program prints that is run inside the package. */
function output(program: string): unknown {
  const args = ['--input-type=module', '--eval', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

it.each(['ohos-websocket', 'ohos-websocket/parity'])('%s is one instance for both', (entry) => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from '${entry}';
    import { webSocket } from '${entry}';
    const required = createRequire(process.cwd() + '/x.js')('${entry}');
    console.log(JSON.stringify([
      imported.createWebSocket === required.createWebSocket,
      webSocket.createWebSocket === required.webSocket.createWebSocket,
      imported.default.createWebSocket === required.createWebSocket,
      imported.BusinessError === required.BusinessError,
      imported.setPolicy === required.setPolicy,
    ]));`;
  expect(output(program)).toEqual([true, true, true, true, true]);
});

it('ohos-websocket/w3c is one instance for both', () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from 'ohos-websocket/w3c';
    const required = createRequire(process.cwd() + '/x.js')('ohos-websocket/w3c');
    const names = ['CloseEvent', 'ErrorEvent', 'WebSocket'];
    console.log(JSON.stringify(names.map((name) => imported[name] && imported[name] === required[name])));`;
  expect(output(program)).toEqual([true, true, true]);
});

it('ohos-websocket/cluster is one instance for both, and needs no redis to be loaded', () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from 'ohos-websocket/cluster';
    const require = createRequire(process.cwd() + '/x.js');
    const required = require('ohos-websocket/cluster');
    const loaded = Object.keys(require.cache).some((file) => /@redis/.test(file));
    console.log(JSON.stringify([imported.joinCluster === required.joinCluster, loaded]));`;
  expect(output(program)).toEqual([true, false]);
});

it('ohos-websocket/prometheus is one instance for both', () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from 'ohos-websocket/prometheus';
    const required = createRequire(process.cwd() + '/x.js')('ohos-websocket/prometheus');
    console.log(JSON.stringify(imported.collectServer === required.collectServer));`;
  expect(output(program)).toBe(true);
});

it('the entries share errors and settings, not behaviour; lax TLS is in parity alone', () => {
  const program = `
    import * as documented from 'ohos-websocket';
    import * as parity from 'ohos-websocket/parity';
    documented.setPolicy({ internetPermission: false });
    const codeOf = (module) => module.createWebSocket().close().catch(({ code }) => code);
    console.log(JSON.stringify([
      documented.createWebSocket === parity.createWebSocket,
      documented.BusinessError === parity.BusinessError,
      await codeOf(documented),
      await codeOf(parity),
      'dangerouslyUseNetstackTls' in documented,
      'dangerouslyUseNetstackTls' in parity,
    ]));`;
  expect(output(program)).toEqual([false, true, 201, 201, false, true]);
});
