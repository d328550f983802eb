// Applies a unified diff (`a/`, `b/` prefixes) without an outside tool. Context must match exactly; only the line
// number may be off. Either every hunk of the patch applies, or nothing is written.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Splits a patch into files, each with its hunks: the lines that must be there and those that replace them. */
function parse(text) {
  const files = [];
  let hunk;
  let remaining = { before: 0, after: 0 };
  for (const line of text.split('\n')) {
    if (remaining.before > 0 || remaining.after > 0) {
      const content = line.slice(1);
      const kind = line[0] ?? ' ';
      if (kind === '\\') continue;
      if (kind !== '+') {
        hunk.before.push(content);
        remaining.before--;
      }
      if (kind !== '-') {
        hunk.after.push(content);
        remaining.after--;
      }
      continue;
    }
    const target = /^\+\+\+ b\/(\S+)/.exec(line);
    if (target) files.push({ name: target[1], hunks: [] });
    const head = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
    if (head) {
      hunk = { line: Number(head[1]) - 1, before: [], after: [] };
      remaining = { before: Number(head[2] ?? 1), after: Number(head[3] ?? 1) };
      files.at(-1).hunks.push(hunk);
    }
  }
  return files;
}

function find(lines, wanted, expected, from) {
  const matches = (at) => at >= from && wanted.every((line, index) => lines[at + index] === line);
  for (let distance = 0; distance <= lines.length; distance++) {
    if (matches(expected + distance)) return expected + distance;
    if (matches(expected - distance)) return expected - distance;
  }
  return -1;
}

/**
 * @param {string} root folder that the paths in the patch are relative to
 * @param {string} text the patch; whatever stands before the first hunk of a file is ignored
 */
export function applyPatch(root, text) {
  const results = [];
  const files = parse(text);
  if (files.length === 0) throw new Error('it changes no file');
  for (const { name, hunks } of files) {
    const file = path.join(root, name);
    if (!existsSync(file)) throw new Error(`${name} does not exist`);
    const lines = readFileSync(file, 'utf8').split('\n');
    let offset = 0;
    let from = 0;
    for (const [index, { line, before, after }] of hunks.entries()) {
      const at = find(lines, before, line + offset, from);
      if (at < 0) throw new Error(`${name}: hunk ${index + 1} does not match`);
      lines.splice(at, before.length, ...after);
      from = at + after.length;
      offset = at - line + after.length - before.length;
    }
    results.push([file, lines.join('\n')]);
  }
  for (const [file, content] of results) writeFileSync(file, content);
}
