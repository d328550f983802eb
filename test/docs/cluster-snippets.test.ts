/** The snippets of the cluster's page, with a real Redis. */

import { RedisServer } from '../cluster/redis-server.js';
import { testSnippets } from './snippets.js';

testSnippets(['docs/cluster.md'], {
  'redis://10.0.0.7': async () => `unix://${(await RedisServer.start()).socketPath}`,
});
