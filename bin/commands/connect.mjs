// `ohos-websocket connect`: a conversation with a server, by hand or through pipes. Messages go to standard output,
// everything else to standard error.
import { createInterface } from 'node:readline';
import { UsageError } from '../arguments.mjs';
import { clientOptions, connectOptions, described } from '../client-options.mjs';
import { harmless, hexDump } from '../terminal.mjs';

export const syntax = {
  name: 'connect',
  operand: { value: 'URL', required: true },
  summary: 'Connects to a server: lines of input are sent as text, messages are printed.',
  notes: `In a line of input, \`/hex 00 ff\` sends bytes, \`/close [CODE [REASON]]\` closes, \`//x\` sends \`/x\`.`,
  options: {
    header: {
      short: 'H',
      value: 'NAME:VALUE',
      help: 'a request header; may be repeated',
      many: true,
    },
    protocol: { short: 's', value: 'LIST', help: 'subprotocols to ask for, separated by commas' },
    proxy: {
      value: 'URL',
      help: 'http://user:password@host:port, or none (default: that of the environment)',
    },
    ...clientOptions,
    send: {
      short: 'e',
      value: 'TEXT',
      help: 'send this once connected, before any input; may be repeated',
      many: true,
    },
    wait: {
      short: 'w',
      value: 'SECONDS',
      help: 'time from the end of the input to the close',
      default: '1',
      number: [0, 86400],
    },
    ping: {
      value: 'SECONDS',
      help: 'time between two pings; 0: none',
      default: '30',
      number: [0, 30000],
    },
    timestamps: { short: 't', help: 'the time before every message' },
    hex: { short: 'x', help: 'every message in hexadecimal' },
    'show-headers': { help: 'the headers of the answer' },
  },
};

export async function run(given) {
  const options = {
    ...connectOptions(given),
    header: headersOf(given.header),
    pingInterval: given.ping,
    ...(given.protocol === undefined ? {} : { protocol: given.protocol }),
    ...(given.proxy === undefined ? {} : { proxy: proxyOf(given.proxy) }),
  };
  const { webSocket } = await import('../../dist/index.js');
  const client = webSocket.createWebSocket();
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  // What is being typed is drawn anew below whatever comes.
  const clear = () => interactive && process.stdout.write('\r\x1b[2K');
  const note = (text) => {
    clear();
    process.stderr.write(`${text}\n`);
  };
  let input;
  let exitCode = 0;

  const ended = new Promise((resolve) => {
    let opened = false;
    client.on('headerReceive', (headers) => {
      if (!given.showHeaders) return;
      for (const [name, value] of Object.entries(headers))
        note(`${name}: ${harmless(String(value))}`);
    });
    client.on('openInfo', (_error, { protocol }) => {
      opened = true;
      note(protocol ? `connected, subprotocol ${harmless(protocol)}` : 'connected');
      input = converse(client, given, interactive, note);
    });
    client.on('message', (_error, data) => {
      clear();
      process.stdout.write(`${shown(data, given, interactive)}\n`);
      input?.prompt();
    });
    client.on('error', (error) => {
      exitCode = 1;
      note(described(error));
      if (!opened) resolve();
    });
    client.on('close', (_error, { code, reason }) => {
      note(`closed ${code}${reason ? ` ${harmless(reason)}` : ''}`);
      if (code !== 1000) exitCode = 1;
      resolve();
    });
  });

  try {
    await client.connect(given.operand, options);
    await ended;
  } catch (error) {
    note(described(error));
    exitCode = 1;
  }
  input?.end();
  return exitCode;
}

/** Sends what is asked for and then what is typed; closes after the end of the input. */
function converse(client, given, interactive, note) {
  for (const text of given.send) send(client, text, note);
  const lines = createInterface({
    input: process.stdin,
    ...(interactive ? { output: process.stdout } : {}),
  });
  let timer;
  lines.on('line', async (line) => {
    // A fast source is held up until the connection has taken the line.
    lines.pause();
    await act(client, line, note);
    lines.resume();
    if (interactive) lines.prompt();
  });
  lines.on('SIGINT', () => lines.close());
  lines.on('close', () => {
    const close = () => client.close().catch(() => {});
    if (interactive) close();
    else timer = setTimeout(close, given.wait * 1000);
  });
  if (interactive) lines.prompt();
  return {
    prompt: () => interactive && lines.prompt(true),
    end() {
      lines.removeAllListeners('close');
      lines.close();
      process.stdin.destroy();
      clearTimeout(timer);
    },
  };
}

async function act(client, line, note) {
  const [word, rest] = line.startsWith('/')
    ? [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]
    : ['', line];
  if (word === '') return send(client, line, note);
  if (word.startsWith('//')) return send(client, line.slice(1), note);
  if (word === '/hex') {
    const digits = rest.replaceAll(/\s/g, '');
    if (!/^([\da-f]{2})*$/i.test(digits)) return note('/hex takes pairs of hexadecimal digits');
    return send(client, new Uint8Array(Buffer.from(digits, 'hex')), note);
  }
  if (word === '/close') {
    const [, code, reason] = /^\/close(?:\s+(\d+)(?:\s+(.*))?)?$/.exec(line) ?? [];
    if (code !== undefined && !(Number(code) >= 1000 && Number(code) <= 1015)) {
      return note('/close takes a code of 1000 to 1015');
    }
    const options = code === undefined ? undefined : { code: Number(code), reason: reason ?? '' };
    return client.close(options).catch((error) => note(described(error)));
  }
  return note(`there is no '${word}': /hex, /close, or // for a text that begins with /`);
}

async function send(client, data, note) {
  try {
    await client.send(data);
  } catch (error) {
    note(`not sent: ${described(error)}`);
  }
}

function shown(data, { hex, timestamps }, interactive) {
  const parts = [];
  if (timestamps) parts.push(new Date().toISOString());
  if (interactive) parts.push('<');
  const binary = typeof data !== 'string';
  if (hex || binary) {
    const content = new Uint8Array(binary ? data : Buffer.from(data));
    const kind = binary ? 'binary' : 'text';
    return `${[...parts, `${kind}, ${content.length} bytes`].join(' ')}\n${hexDump(content)}`.trimEnd();
  }
  // What goes into a pipe or a file goes there as it came.
  return [...parts, process.stdout.isTTY ? harmless(data) : data].join(' ');
}

function headersOf(given) {
  const headers = {};
  for (const text of given) {
    const colon = text.indexOf(':');
    if (colon < 1) throw new UsageError(`--header takes NAME:VALUE, not '${text}'`);
    headers[text.slice(0, colon).trim()] = text.slice(colon + 1).trim();
  }
  return headers;
}

function proxyOf(text) {
  if (text === 'none') return 'no-proxy';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.hostname === '') {
    throw new UsageError(`--proxy takes http://host:port or none, not '${text}'`);
  }
  const login = url.username === '' ? {} : { username: decodeURIComponent(url.username) };
  if (url.password !== '') login.password = decodeURIComponent(url.password);
  return { host: url.hostname, port: Number(url.port || 80), ...login, exclusionList: [] };
}
