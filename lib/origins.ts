/** The origins that a server lets in: reads the option `allowedOrigins`. The engine compares. */

import { describe, mismatch } from './validate.js';

/** `https://example.com`, `https://*.example.com:8443`, `https://*`, with the parts that matter. */
const ORIGIN = /^([a-z][a-z\d+.-]*):\/\/(\*|(?:\*\.)?[a-z\d_.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/**
 * Reads a list of origins into the form in which browsers send them: lower case, no default port.
 * Undefined if there is none; a string is the reason for a 401.
 */
export function readAllowedOrigins(given: unknown): readonly string[] | undefined | string {
  if (given === undefined) return undefined;
  if (!Array.isArray(given)) return mismatch('allowedOrigins', 'an array of strings', given);
  const origins: string[] = [];
  for (const entry of given) {
    const origin = typeof entry === 'string' ? normalized(entry) : undefined;
    if (origin === undefined) {
      const shown = typeof entry === 'string' ? JSON.stringify(entry) : describe(entry);
      return `${shown} in allowedOrigins is no origin: 'scheme://host' or 'scheme://*.host', 'null', ''`;
    }
    origins.push(origin);
  }
  return origins;
}

function normalized(entry: string): string | undefined {
  const text = entry.toLowerCase();
  // No Origin header at all, and the origin of sandboxed pages and files.
  if (text === '' || text === 'null') return text;
  const parts = ORIGIN.exec(text);
  if (parts === null) return undefined;
  const [, scheme = '', host = '', port] = parts;
  if (port !== undefined && Number(port) > 65_535) return undefined;
  const isDefault = port === undefined || String(Number(port)) === DEFAULT_PORTS[scheme];
  return `${scheme}://${host}${isDefault ? '' : `:${Number(port)}`}`;
}
