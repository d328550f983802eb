import { isMainThread, Worker } from 'node:worker_threads';
import * as ohos from 'ohos-websocket';
import smoke from './smoke.cjs';

await smoke(ohos);
if (isMainThread) {
  for (let i = 0; i < 2; i++)
    new Worker(new URL(import.meta.url)).on('error', (error) => {
      throw error;
    });
}
