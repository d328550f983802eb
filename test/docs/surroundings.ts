/** What snippets find when they run: a project with the package installed, certificates, servers. */

import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import {
  type Certificates,
  makeCertificates,
  makeMoreCertificates,
  readPair,
} from '../helpers/certificates.js';
import { root } from './markdown.js';

/** A folder as a user's: this package and its development dependencies are installed, certificates lie there. */
export interface Project {
  readonly folder: string;
  readonly certificates: Certificates;
  remove(): void;
}

export function makeProject(): Project {
  const certificates = makeCertificates();
  const { folder } = certificates;
  makeMoreCertificates(certificates);
  const modules = path.join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(path.join(root, 'node_modules'))) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
  symlinkSync(root, path.join(modules, 'ohos-websocket'));
  return { folder, certificates, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** An echo server of the package `ws` until the test has finished; its port. */
export async function startEcho(certificates?: Certificates): Promise<number> {
  const http = certificates
    ? createServer(readPair(certificates.server))
    : (await import('node:http')).createServer();
  const server = new WebSocketServer({ server: http });
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
    http.close();
  });
  http.listen(0);
  await once(http, 'listening');
  return (http.address() as AddressInfo).port;
}
