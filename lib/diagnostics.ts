/**
 * What servers publish through `node:diagnostics_channel`: the names of the channels, and what
 * their messages are. Nothing is made for a channel that nobody listens to. Beyond OHOS.
 */

import { type Channel, channel } from 'node:diagnostics_channel';

/** The channels of servers. */
export const serverChannels: {
  readonly open: Channel;
  readonly close: Channel;
  readonly refuse: Channel;
  readonly error: Channel;
  readonly backPressure: Channel;
} = {
  open: channel('ohos-websocket:server.open'),
  close: channel('ohos-websocket:server.close'),
  refuse: channel('ohos-websocket:server.refuse'),
  error: channel('ohos-websocket:server.error'),
  backPressure: channel('ohos-websocket:server.backpressure'),
};
