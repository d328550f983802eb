// What somebody does who has the README only: an empty folder, the package, the README's first server and first client
// in a file each, as they stand there but for the port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

/** The first program of a page that has these words in it. */
function program(page, ...words) {
  const blocks = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  const found = blocks.find((code) => words.every((word) => code.includes(word)));
  if (found === undefined) throw new Error(`the README has no program with ${words.join(', ')}`);
  return found;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return String(port);
}

/** Starts a program that says by itself when its top-level code has run, and collects what it prints. */
async function started(world, cwd, file) {
  const code = `await import('./${file}'); process.send('started');`;
  const child = spawn(world.node, ['--input-type=module', '--eval', code], {
    cwd,
    env: world.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const printed = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => printed.push(text));
  const output = () => Buffer.concat(printed).toString();
  const [word] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (word !== 'started') throw new Error(`${file} ended with ${word}:\n${output()}`);
  return { child, output };
}

/** `run` runs a program to its end, `world` knows Node.js, npm, the tarball and an environment. */
export function newcomerCases({ scratch, run, world }) {
  async function follow(name) {
    const cwd = path.join(scratch, 'newcomer', name);
    mkdirSync(cwd, { recursive: true });
    const began = performance.now();
    run(world.node, [world.npmCli, 'install', world.tarball], { cwd });
    const readme = path.join(cwd, 'node_modules/ohos-websocket', name);
    if (!existsSync(readme)) throw new Error(`the package has no ${name}`);
    const page = readFileSync(readme, 'utf8');
    const port = await freePort();
    const write = (file, code) =>
      writeFileSync(path.join(cwd, file), code.replaceAll('8080', port));
    write('server.mjs', program(page, 'createWebSocketServer', 'server.start('));
    write('client.mjs', program(page, 'createWebSocket()', '.connect('));

    const server = await started(world, cwd, 'server.mjs');
    try {
      const output = run(world.node, ['client.mjs'], { cwd });
      for (const line of [/^message Hello, server!$/m, /^closed 1000/m]) {
        if (!line.test(output)) throw new Error(`the client did not print ${line}:\n${output}`);
      }
    } finally {
      server.child.kill();
      await once(server.child, 'close');
    }
    if (!/^connect 127\.0\.0\.1/m.test(server.output())) {
      throw new Error(`the server did not print the client:\n${server.output()}`);
    }
    return `${((performance.now() - began) / 1000).toFixed(1)} s from an empty folder`;
  }

  const pages = readdirSync(path.resolve(import.meta.dirname, '../../..')).filter((name) =>
    /^README.*\.md$/.test(name),
  );
  return Object.fromEntries(pages.map((name) => [`newcomer, ${name}`, () => follow(name)]));
}
