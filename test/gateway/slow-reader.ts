/** A peer that upgrades and then does not read. */

import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { upgradeRequest } from '../helpers/frames.js';

export function slowReader(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.write(upgradeRequest());
  return socket;
}
