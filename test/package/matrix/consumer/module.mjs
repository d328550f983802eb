import * as named from 'ohos-websocket';
import webSocket, { versions } from 'ohos-websocket';
import * as parity from 'ohos-websocket/parity';
import smoke from './smoke.cjs';

await smoke(named);
await smoke({ ...webSocket, versions });
await smoke(parity);
