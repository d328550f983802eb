// What the subcommands show: amounts with units, bytes in hexadecimal, a status line, a chart.
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.5 MiB` */
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${binaryUnits[unit]}`;
}

/** `1,234,567` */
export function count(value) {
  return Math.round(value).toLocaleString('en-US');
}

/** Nanoseconds as `12.3 µs`, `4.56 ms` or `1.20 s`. */
export function duration(nanoseconds) {
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(1)} µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(2)} ms`;
  return `${(nanoseconds / 1e9).toFixed(2)} s`;
}

/** Sixteen bytes a line: offset, hexadecimal, what is printable. */
export function hexDump(data) {
  const lines = [];
  for (let offset = 0; offset < data.length; offset += 16) {
    const part = data.subarray(offset, offset + 16);
    const digits = [...part].map((byte) => byte.toString(16).padStart(2, '0'));
    const halves = `${digits.slice(0, 8).join(' ').padEnd(23)}  ${digits.slice(8).join(' ').padEnd(23)}`;
    const text = [...part].map((byte) =>
      byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.',
    );
    lines.push(`${offset.toString(16).padStart(8, '0')}  ${halves}  |${text.join('')}|`);
  }
  return lines.join('\n');
}

/** Text of a peer without what would steer the terminal. */
export function harmless(text) {
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** One line at the end of a terminal that is written anew; elsewhere nothing. */
export class StatusLine {
  #out;
  #shown = false;

  constructor(out) {
    this.#out = out;
  }

  show(text) {
    if (!this.#out.isTTY) return;
    this.#out.write(`\r\x1b[2K${text.slice(0, (this.#out.columns ?? 80) - 1)}`);
    this.#shown = true;
  }

  clear() {
    if (this.#shown) this.#out.write('\r\x1b[2K');
    this.#shown = false;
  }
}

/** Horizontal bars, the longest `width` characters: `[[label, value], …]`. */
export function bars(rows, width = 40) {
  const greatest = Math.max(1, ...rows.map(([, value]) => value));
  const labelWidth = Math.max(...rows.map(([label]) => label.length));
  return rows
    .map(([label, value]) => {
      const eighths = Math.round((value / greatest) * width * 8);
      const rest = eighths % 8;
      const bar = '█'.repeat(Math.floor(eighths / 8)) + (rest > 0 ? '▏▎▍▌▋▊▉'[rest - 1] : '');
      return `${label.padStart(labelWidth)} │${bar} ${count(value)}`;
    })
    .join('\n');
}
