/** A module as an app on a device has it: it imports the kits of OpenHarmony and knows nothing of Node. */

import { webSocket } from '@kit.NetworkKit';

/** Asks one question and resolves with the answer, and how the connection ended. */
export function ask(url, question) {
  return new Promise((resolve, reject) => {
    const ws = webSocket.createWebSocket();
    let answer;
    ws.on('open', () => ws.send(question));
    ws.on('message', (_error, data) => {
      answer = data;
      ws.close({ code: 1000, reason: 'thanks' });
    });
    ws.on('close', (_error, { code, reason }) => resolve({ answer, code, reason }));
    ws.on('error', reject);
    ws.connect(url).catch(reject);
  });
}
