import { silentLogger } from '../../platform/index.ts'
import type { Cluster } from '../cluster.ts'
import type { PartitionAssignor } from './assignors/assignor.ts'
import type { MembershipSettings } from './membership.ts'

/** For tests: the settings of a dynamic member of the group `readers`. */
export function membershipSettings(
  cluster: Cluster,
  heartbeatIntervalMs: number,
  assignors: readonly PartitionAssignor[] = [],
): MembershipSettings {
  return {
    cluster,
    logger: silentLogger,
    groupId: 'readers',
    groupInstanceId: null,
    sessionTimeoutMs: 45_000,
    heartbeatIntervalMs,
    maxPollIntervalMs: 300_000,
    rack: '',
    assignors,
    remoteAssignor: null,
  }
}
