import type { Config } from '../../config/index.ts'
import type { Cluster } from '../cluster.ts'
import type { PartitionAssignor } from './assignors/assignor.ts'
import { assignorsNamed } from './assignors/assignor-names.ts'
import type { consumerKeys } from './consumer-config.ts'
import type { MembershipSettings } from './group-membership.ts'

/**
 * How a consumer is a member of its group. Its own `assignors` are preferred to those that are named.
 * @throws ConfigError for an assignor's name that nobody has
 */
export function membershipSettings(
  config: Config<typeof consumerKeys>,
  parts: { readonly cluster: Cluster; readonly groupId: string; readonly assignors: readonly PartitionAssignor[] },
): MembershipSettings {
  const { assignors, cluster, groupId } = parts
  return {
    cluster,
    logger: cluster.settings.logger,
    groupId,
    groupInstanceId: config.get('group.instance.id'),
    sessionTimeoutMs: config.get('session.timeout.ms'),
    heartbeatIntervalMs: config.get('heartbeat.interval.ms'),
    maxPollIntervalMs: config.get('max.poll.interval.ms'),
    rack: config.get('client.rack'),
    assignors: [...assignors, ...assignorsNamed(config.get('partition.assignment.strategy'))],
  }
}
