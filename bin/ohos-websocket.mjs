#!/usr/bin/env node
// The command of the package: finds the subcommand and reads its arguments. Ends with 0, 1 (it failed) or 2 (it was
// called wrongly).
import { readFileSync } from 'node:fs';
import { readArguments, UsageError, usageOf } from './arguments.mjs';

const commands = ['serve', 'connect', 'bench', 'parity', 'doctor'];

process.exitCode = await main(process.argv.slice(2));

async function main([name, ...rest]) {
  if (name === '--version' || name === '-v') {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    process.stdout.write(`${JSON.parse(manifest).version}\n`);
    return 0;
  }
  const command = commands.includes(name) ? await import(`./commands/${name}.mjs`) : undefined;
  if (command === undefined) {
    const asked = name === '--help' || name === '-h' || name === 'help';
    const out = asked ? process.stdout : process.stderr;
    if (!asked)
      out.write(name === undefined ? 'which command?\n\n' : `there is no command '${name}'\n\n`);
    out.write(await overview());
    return asked ? 0 : 2;
  }
  try {
    const given = readArguments(command.syntax, rest);
    if (given === 'help') {
      process.stdout.write(usageOf(command.syntax));
      return 0;
    }
    return await command.run(given);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usageOf(command.syntax)}`);
    return 2;
  }
}

async function overview() {
  const lines = ['usage: ohos-websocket COMMAND [options]', ''];
  for (const name of commands) {
    const { syntax } = await import(`./commands/${name}.mjs`);
    lines.push(`  ${name.padEnd(9)}${syntax.summary}`);
  }
  lines.push(
    '',
    '`ohos-websocket COMMAND --help` tells the options of a command, `--version` the version.',
    '',
  );
  return lines.join('\n');
}
