import { type Config, ConfigError } from '../../config/index.ts'
import type { Cluster } from '../cluster.ts'
import type { PartitionAssignor } from './assignors/assignor.ts'
import { assignorsNamed } from './assignors/assignor-names.ts'
import type { consumerKeys } from './consumer-config.ts'
import { ConsumerProtocolMembership } from './consumer-protocol-membership.ts'
import { GroupMembership } from './group-membership.ts'
import type { Member, Membership } from './membership.ts'

/** What the broker decides in a group of the consumer protocol. */
const DECIDED_BY_BROKER = ['heartbeat.interval.ms', 'session.timeout.ms', 'partition.assignment.strategy'] as const

/**
 * A consumer's place in its group, by the protocol that `group.protocol` names. Its own `assignors` are preferred to those that are named.
 * @throws ConfigError for an assignor's name that nobody has, and for settings that the protocol has no use for
 */
export function membershipOf(
  config: Config<typeof consumerKeys>,
  parts: { readonly cluster: Cluster; readonly groupId: string; readonly assignors: readonly PartitionAssignor[] },
  member: Member,
): Membership {
  const { assignors, cluster, groupId } = parts
  const isClassic = config.get('group.protocol') === 'classic'
  checkProtocol(config, isClassic, assignors.length)
  const settings = {
    cluster,
    logger: cluster.settings.logger,
    groupId,
    groupInstanceId: config.get('group.instance.id'),
    sessionTimeoutMs: config.get('session.timeout.ms'),
    heartbeatIntervalMs: config.get('heartbeat.interval.ms'),
    maxPollIntervalMs: config.get('max.poll.interval.ms'),
    rack: config.get('client.rack'),
    assignors: isClassic ? [...assignors, ...assignorsNamed(config.get('partition.assignment.strategy'))] : [],
    remoteAssignor: config.get('group.remote.assignor'),
  }
  return isClassic ? new GroupMembership(settings, member) : new ConsumerProtocolMembership(settings, member)
}

function checkProtocol(config: Config<typeof consumerKeys>, isClassic: boolean, ownAssignors: number): void {
  const refuse = (key: keyof typeof consumerKeys, what: string): never => {
    throw new ConfigError(what, { key, value: config.text(key) ?? '' })
  }
  if (isClassic && config.get('group.remote.assignor') !== null)
    refuse('group.remote.assignor', 'the members assign partitions: set group.protocol=consumer, or leave it out')
  if (isClassic) return
  for (const key of DECIDED_BY_BROKER) {
    if (!config.isDefault(key)) refuse(key, 'the broker decides this with group.protocol=consumer: leave it out')
  }
  if (ownAssignors > 0)
    refuse('group.protocol', 'the broker assigns partitions: leave assignors out, or set group.protocol=classic')
}
