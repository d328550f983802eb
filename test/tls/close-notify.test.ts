/**
 * Proves that the end of a connection over TLS is told by a close_notify (RFC 8446 §6.1) behind everything that was
 * sent, so that nobody takes it for an attack that cuts the last words off.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../helpers/certificates.js';
import { Changes, PATIENT, within } from '../helpers/deadline.js';
import { TestServer } from '../helpers/endpoints.js';
import { closeBody, encodeFrame, Opcode, upgradeRequest } from '../helpers/frames.js';

const LARGE_BYTES = 3_000_000;
const LAST = 'the last';

/** `openssl s_client`, which writes down every message of TLS that goes either way. */
class Witness {
  readonly exited: Promise<unknown>;
  readonly #openssl;
  readonly #messages: string;
  readonly #changes = new Changes();
  readonly #output: Buffer[] = [];

  constructor(port: number, version: string) {
    const folder = mkdtempSync(path.join(tmpdir(), 'ohws-'));
    this.#messages = path.join(folder, 'messages');
    this.#openssl = spawn('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', version],
      ...['-quiet', '-msg', '-msgfile', this.#messages],
    ]);
    onTestFinished(() => {
      this.#openssl.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    });
    this.exited = new Promise((resolve) => this.#openssl.once('exit', resolve));
    this.#openssl.stdout.on('data', (bytes: Buffer) => {
      this.#output.push(bytes);
      this.#changes.notify();
    });
  }

  write(data: string | Buffer): void {
    this.#openssl.stdin.write(data);
  }

  /** Stops taking what comes. */
  stopReading(): void {
    this.#openssl.stdout.pause();
  }

  readOn(): void {
    this.#openssl.stdout.resume();
  }

  /** What came behind the answer to the request. */
  frames(): Buffer {
    const all = Buffer.concat(this.#output);
    return all.subarray(all.indexOf('\r\n\r\n') + 4);
  }

  opened(): Promise<true> {
    const look = () => (Buffer.concat(this.#output).includes('\r\n\r\n') ? true : undefined);
    return this.#changes.until(look, 'the answer to the request');
  }

  /** The messages that came from the server. */
  received(): string[] {
    const lines = readFileSync(this.#messages, 'latin1').split('\n');
    return lines.filter((line) => line.startsWith('<<<') && !line.includes('RecordHeader'));
  }
}

describe.each(['-tls1_2', '-tls1_3'])(
  'a connection over TLS (%s) ends by close_notify',
  (version) => {
    it.each<[string, (server: TestServer, witness: Witness, connection: never) => void]>([
      ['by our close', (server, _witness, connection) => void server.close(connection)],
      [
        'by its close',
        (_server, witness) =>
          witness.write(encodeFrame({ opcode: Opcode.close, payload: closeBody(1000) }, true)),
      ],
      [
        'by its violation',
        (_server, witness) =>
          witness.write(encodeFrame({ opcode: Opcode.text, payload: 'x' }, false)),
      ],
    ])('%s, behind all that was sent', PATIENT, async (_how, end) => {
      const certificates = makeCertificates();
      onTestFinished(() => certificates.remove());
      const server = await TestServer.start({ serverCert: certificates.server });
      const witness = new Witness(server.port, version);
      witness.write(upgradeRequest());
      await witness.opened();
      const connection = await server.nextConnect();

      // More than the kernels take: some of it waits, encrypted and not, when the end begins.
      witness.stopReading();
      void server.send(Buffer.alloc(LARGE_BYTES), connection);
      void server.send(LAST, connection);
      end(server, witness, connection as never);
      witness.readOn();

      await within(witness.exited, 's_client to end');
      const frames = witness.frames();
      expect(frames.indexOf(LAST)).toBeGreaterThan(LARGE_BYTES);
      const behind = frames.subarray(frames.indexOf(LAST) + LAST.length);
      expect(behind[0]).toBe(0x80 | Opcode.close);
      expect(witness.received().at(-1)).toMatch(/Alert \[length 0002\], warning close_notify/);
    });
  },
);
