/**
 * Words of TLS that carry no data (OpenSSL's tool sends key updates): some are taken, and who sends nothing else is
 * dropped, since OpenSSL would read them on and on while the other connections of the thread wait.
 */

import { spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificatesOfFile } from '../helpers/certificates.js';
import { Changes, PATIENT } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { encodeFrame, Opcode, upgradeRequest } from '../helpers/frames.js';

const certificates = certificatesOfFile();
/** More than that in a row are too many. */
const MOST = 32;

class Tool {
  readonly #openssl;
  readonly #changes = new Changes();
  #output = '';

  constructor(port: number) {
    const to = ['-connect', `127.0.0.1:${port}`, '-servername', 'localhost'];
    this.#openssl = spawn('openssl', ['s_client', ...to, '-tls1_3']);
    onTestFinished(() => void this.#openssl.kill('SIGKILL'));
    this.#openssl.stdin.on('error', () => undefined);
    for (const stream of [this.#openssl.stdout, this.#openssl.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        this.#output += bytes.toString('latin1');
        this.#changes.notify();
      });
    }
  }

  write(data: string | Buffer): void {
    this.#openssl.stdin.write(data);
  }

  async saysSo(words: string, count = 1): Promise<void> {
    const look = () => (this.#output.split(words).length > count ? true : undefined);
    await this.#changes.until(look, `the tool to say "${words}" ${count} times`);
  }

  /** The tool takes a command only if it is all that it reads at a time. */
  async updateKeys(from: number, count: number): Promise<void> {
    for (let n = from; n < from + count; n += 1) {
      this.write('k\n');
      await this.saysSo('KEYUPDATE', n + 1);
    }
  }
}

async function open() {
  const server = await TestServer.start({ serverCert: certificates.server });
  const tool = new Tool(server.port);
  await tool.saysSo('Verify return code');
  return { server, tool };
}

describe('a peer that sends key updates', PATIENT, () => {
  it('is served, if data come between them', async () => {
    const { server, tool } = await open();
    tool.write(upgradeRequest());
    await tool.saysSo(' 101 ');

    for (let n = 0; n < 3; n += 1) {
      await tool.updateKeys(n * 20, 20);
      tool.write(encodeFrame({ opcode: Opcode.text, payload: `text ${n}` }, true));
      expect((await server.nextMessage()).data).toBe(`text ${n}`);
    }
  });

  it('ends an open connection with too many of them', async () => {
    const { server, tool } = await open();
    tool.write(upgradeRequest());
    await tool.saysSo(' 101 ');

    void tool.updateKeys(0, MOST + 10).catch(() => undefined);

    await server.nextClose();
  });

  it('ends before its request with too many of them', async () => {
    const { server, tool } = await open();

    void tool.updateKeys(0, MOST + 10).catch(() => undefined);

    const pending = async () => (await server.server.stats()).handshakes.pending;
    await expect.poll(pending, { timeout: 10_000 }).toBe(0);
  });
});
