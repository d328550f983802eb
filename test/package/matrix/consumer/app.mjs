// Unchanged app code, run with `node --import ohos-websocket/register`.
import { BusinessError } from '@kit.BasicServicesKit';
import { webSocket } from '@kit.NetworkKit';
import { versions } from 'ohos-websocket';
import smoke from './smoke.cjs';

if (typeof BusinessError !== 'function') throw new Error('BusinessError is no class');
await smoke({ ...webSocket, versions });
