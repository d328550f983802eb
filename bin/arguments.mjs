// Reads the arguments of a subcommand from a table of its options, and writes its usage from the same table.
import { parseArgs } from 'node:util';

/** The command was called wrongly; the message says how. */
export class UsageError extends Error {}

/**
 * What a subcommand takes:
 *
 * - `name`, `summary` (one line), `notes`: for the usage
 * - `operand`: `{ value, required }` or undefined
 * - `options`: by long name `{ help, value, short, default, many, number }`. Without `value` it is a
 *   switch; `many`: may be repeated; `number`: `[least, greatest]` of a number, integers only where
 *   both are; `only`: the texts that it may be.
 */
export function readArguments(syntax, args) {
  const { values, positionals } = parse(syntax, args);
  if (values.help) return 'help';
  const least = syntax.operand?.required ? 1 : 0;
  if (positionals.length < least) throw new UsageError(`${syntax.operand.value} is missing`);
  const most = syntax.operand === undefined ? 0 : 1;
  if (positionals.length > most)
    throw new UsageError(`'${positionals[most]}' is one argument too many`);
  const read = { operand: positionals[0] };
  for (const [name, option] of Object.entries(syntax.options)) {
    const given = values[name] ?? option.default;
    read[camelCase(name)] = given === undefined ? empty(option) : convert(name, option, given);
  }
  return read;
}

export function usageOf({ name, summary, notes, operand, options }) {
  const shown =
    operand === undefined ? '' : operand.required ? ` ${operand.value}` : ` [${operand.value}]`;
  const rows = Object.entries(options).map(([long, option]) => {
    const { short, value, help, default: fallback } = option;
    const flag = `${short ? `-${short}, ` : '    '}--${long}${value ? ` ${value}` : ''}`;
    return [flag, fallback === undefined ? help : `${help} (default: ${fallback})`];
  });
  const width = Math.max(...rows.map(([flag]) => flag.length)) + 2;
  const lines = rows.map(([flag, help]) => `  ${flag.padEnd(width)}${help}`);
  return `usage: ohos-websocket ${name}${shown} [options]\n\n${summary}\n${notes ? `${notes}\n` : ''}\n${lines.join('\n')}\n`;
}

function parse(syntax, args) {
  const options = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { value, short, many }] of Object.entries(syntax.options)) {
    options[name] = { type: value ? 'string' : 'boolean', multiple: many === true };
    if (short) options[name].short = short;
  }
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function empty({ value, many }) {
  if (many) return [];
  return value ? undefined : false;
}

function convert(name, { number, only }, given) {
  if (only !== undefined && !only.includes(given)) {
    throw new UsageError(`--${name} is ${only.join(' or ')}, not '${given}'`);
  }
  if (number === undefined) return given;
  const [least, greatest] = number;
  const parsed = given === '' ? Number.NaN : Number(given);
  const whole = Number.isInteger(least) && Number.isInteger(greatest);
  if (!(parsed >= least && parsed <= greatest) || (whole && !Number.isInteger(parsed))) {
    const range =
      greatest === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least} to ${greatest}`;
    throw new UsageError(
      `--${name} takes a ${whole ? 'whole ' : ''}number, ${range}, not '${given}'`,
    );
  }
  return parsed;
}

function camelCase(name) {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}

/** An upper bound that is none. */
export const ANY = Number.MAX_SAFE_INTEGER;
