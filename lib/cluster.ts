/**
 * `ohos-websocket/cluster`: publish and subscribe across machines, over Redis or Valkey, by the package `redis`
 * (an optional peer dependency). Beyond OHOS. See docs/cluster.md.
 */

export { type Cluster, joinCluster } from './cluster/cluster.js';
export { ClusterError, type ClusterErrorCode } from './cluster/errors.js';
export type {
  ClusterCounters,
  ClusterEvents,
  ClusterOptions,
  ClusterState,
  Gap,
  LocalTopics,
  TopicData,
} from './cluster/types.js';
