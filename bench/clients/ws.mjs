// The client of ws, with its native masking helper (bufferutil). Messages are compared as the
// buffers that it delivers: a string is not made of text.

import { WebSocket } from 'ws';
import { drive } from './driver.mjs';

await drive(async (url, { onMessage, onClose, onError }) => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('message', (received, isBinary) => {
    onMessage(
      ({ data, bytes }) =>
        isBinary === (typeof data !== 'string') && bytes.equals(/** @type {Buffer} */ (received)),
    );
  });
  socket.on('close', onClose);
  socket.on('error', onError);
  await new Promise((resolve) => socket.on('open', () => resolve(undefined)));
  return { send: (data) => socket.send(data), close: () => socket.close(1000) };
});
