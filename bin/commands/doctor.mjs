// `ohos-websocket doctor`: what runs here, from which file, and whether it works. Ends with 1 if it does not.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { described } from '../client-options.mjs';

export const syntax = {
  name: 'doctor',
  summary: 'Tells what this installation consists of, tries it, and says what is missing.',
  options: {},
};

const variables = [
  'OHWS_BINDING',
  'OHWS_LOOP',
  'SSL_CERT_FILE',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
];

export async function run() {
  const print = (name, value) => process.stdout.write(`${`${name}:`.padEnd(17)}${value}\n`);
  print('system', `${process.platform} ${process.arch} ${release()}, ${cLibrary()}`);
  print('runtime', runtime());
  print(
    'package',
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
  );
  for (const name of variables) {
    const value = process.env[name] ?? process.env[name.toLowerCase()];
    // A proxy's address may hold a password.
    if (value) print(name, value.replace(/\/\/[^@/]*@/, '//***@'));
  }

  let ohos;
  let binding;
  try {
    binding = await import('../../dist/binding.js');
    ohos = await import('../../dist/index.js');
  } catch (error) {
    process.stdout.write(`\n${error.message}\n`);
    return 1;
  }
  const { file, tls } = binding.loaded;
  const { addon, lws, openssl } = ohos.versions;
  print('native module', file);
  print('built from', addon);
  print('libwebsockets', lws);
  print(
    'OpenSSL',
    `${openssl}, ${tls === 'bundled' ? 'part of the native module' : 'of the runtime'}`,
  );
  const { missingPatches } = binding.binding;
  print('lws patches', missingPatches === '' ? 'all' : `MISSING: ${missingPatches}`);
  try {
    await echo(ohos);
    print('loopback echo', 'works');
  } catch (error) {
    print('loopback echo', `FAILS: ${described(error)}`);
    return 1;
  }
  return missingPatches === '' ? 0 : 1;
}

function runtime() {
  const { bun, deno, electron, node } = process.versions;
  const other = Object.entries({ Bun: bun, Deno: deno, Electron: electron }).find(
    ([, version]) => version,
  );
  return other === undefined ? `Node.js ${node}` : `${other.join(' ')} (as Node.js ${node})`;
}

function cLibrary() {
  if (process.platform !== 'linux') return 'the C library of the system';
  const version = process.report?.getReport?.().header?.glibcVersionRuntime;
  return version === undefined ? 'musl, or unknown' : `glibc ${version}`;
}

async function echo({ createWebSocket, createWebSocketServer }) {
  const server = createWebSocketServer();
  server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
  await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
  const client = createWebSocket();
  try {
    await new Promise((resolve, reject) => {
      client.on('message', (_error, data) => {
        if (data === 'doctor') client.close();
      });
      client.on('open', () => client.send('doctor'));
      client.on('close', resolve);
      client.on('error', reject);
      client.connect(`ws://127.0.0.1:${server.port}/`, { proxy: 'no-proxy' }).catch(reject);
    });
  } finally {
    await server.stop();
  }
}
